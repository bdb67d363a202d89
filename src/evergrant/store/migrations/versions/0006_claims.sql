-- Quarantine and claims: what came back without a state, and grants whose owner nobody has proved.

-- A return without a state has no link session. Its key is the SHA-256 of its app and code: the same code is one row.
alter table authorization_requests alter column session_id drop not null;

-- Which apps are one and the same at the platform, whoever keeps them: SHA-256 of provider, region, key and host of auth.
create table app_identities (
    hash       bytea not null,
    tenant_id  text not null,
    app_id     text not null,
    primary key (hash, app_id),
    foreign key (tenant_id, app_id) references apps
);
insert into app_identities
select sha256(convert_to(concat_ws('|', provider, region, key, hosts ->> 'auth'), 'UTF8')), tenant_id, id from apps;

-- Where the vendor's own pages claim what its sellers install from the platform's store.
alter table apps add column claim_url text;

-- `state`: arriving (the code is being exchanged), then adopted, failed or waiting; what waits is claimed, dismissed or
-- expired. Only what waits has a pair, sealed under a data key of its own.
create table claims (
    tenant_id           text not null references tenants,
    id                  text not null,
    app_id              text not null,
    clock               text not null,
    browser_hash        bytea not null,
    state               text not null
        check (state in ('arriving', 'adopted', 'failed', 'waiting', 'claimed', 'dismissed', 'expired')),
    reason              text, -- why it waits, or how it failed
    connection_id       text, -- the connection it renewed or became
    open_id             text not null default '',
    seller_name         text not null default '',
    shops               jsonb not null default '[]',
    scopes              text[] not null default '{}',
    authorization_ends  timestamptz, -- platform time
    granted_at          timestamptz, -- platform time
    pair_sealed         bytea check (pair_sealed is null or state = 'waiting'),
    arrived_at          timestamptz not null default now(),
    expires_at          timestamptz,
    ended_at            timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, app_id) references apps
);
create unique index claims_by_id on claims (id);
create index claims_waiting on claims (clock, expires_at) where state = 'waiting';

-- When whoever is logged in last entered the password.
alter table logins add column confirmed_at timestamptz not null default now();
