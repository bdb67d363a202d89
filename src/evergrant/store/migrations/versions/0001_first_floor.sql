-- Every table of a tenant is keyed (tenant_id, ...). The few lookups that come before the tenant is known are tables of
-- their own, keyed by a hash. Secrets stand here only sealed, or as SHA-256. Wall time is the database's own now();
-- columns that hold platform time say so.

create table tenants (
    id          text primary key,
    name        text not null,
    created_at  timestamptz not null default now()
);

-- People and how they get in -----------------------------------------------------------------------------------------

create table people (
    tenant_id      text not null references tenants,
    id             text not null,
    email          text not null,
    name           text not null,
    role           text not null check (role in ('owner', 'operator', 'viewer')),
    password_hash  text not null,
    created_at     timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index people_email on people (lower(email));

create table logins (
    hash        bytea primary key,
    tenant_id   text not null,
    person_id   text not null,
    created_at  timestamptz not null default now(),
    seen_at     timestamptz not null default now(),
    ended_at    timestamptz,
    foreign key (tenant_id, person_id) references people
);

create table api_keys (
    hash        bytea primary key,
    tenant_id   text not null references tenants,
    id          text not null,
    name        text not null,
    scopes      text[] not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz,
    revoked_at  timestamptz,
    unique (tenant_id, id)
);

-- The vault's keys ---------------------------------------------------------------------------------------------------

-- Which generations of the key outside the database this database was sealed with; `proof` shows that a key is the one.
create table vault_keys (
    number      int primary key,
    proof       bytea not null,
    created_at  timestamptz not null default now()
);

create table data_keys (
    tenant_id   text not null references tenants,
    owner_id    text not null,
    key_number  int not null references vault_keys,
    wrapped     bytea not null,
    primary key (tenant_id, owner_id)
);

-- Apps, merchants ----------------------------------------------------------------------------------------------------

create table apps (
    tenant_id        text not null references tenants,
    id               text not null,
    provider         text not null,
    region           text not null,
    name             text not null,
    key              text not null,
    secret_sealed    bytea not null,
    service_id       text not null,
    hosts            jsonb not null,
    required_scopes  text[] not null,
    rotation         text not null,
    clock            text not null,
    refused_at       timestamptz,
    created_at       timestamptz not null default now(),
    primary key (tenant_id, id)
);
create unique index apps_by_id on apps (id);

create table merchants (
    tenant_id    text not null references tenants,
    id           text not null,
    external_id  text not null,
    name         text not null,
    email        text not null,
    locale       text not null,
    created_at   timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, external_id)
);

-- Links and the way to the platform and back -------------------------------------------------------------------------

create table link_sessions (
    tenant_id      text not null,
    id             text not null,
    merchant_id    text not null,
    app_id         text not null,
    purpose        text not null check (purpose in ('link', 'renew', 'rescope')),
    connection_id  text,
    mode           text not null check (mode in ('redirect', 'popup')),
    return_to      text,
    created_by     text not null,
    created_at     timestamptz not null default now(),
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    opened_at      timestamptz,
    outcome        text check (outcome in ('completed', 'failed')),
    code           text,
    result_id      text,
    ended_at       timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, merchant_id) references merchants,
    foreign key (tenant_id, app_id) references apps,
    check ((purpose = 'link') = (connection_id is null))
);

create table link_handles (
    hash        bytea primary key,
    tenant_id   text not null,
    session_id  text not null,
    foreign key (tenant_id, session_id) references link_sessions
);

-- One row per departure for the platform. `exchange` tells how far the code has come, so that a crash is never a guess:
-- waiting (sealed, not shown), sent (shown, answer not kept), answered (pair sealed here), done, failed.
create table authorization_requests (
    state_hash    bytea primary key,
    tenant_id     text not null,
    id            text not null,
    session_id    text not null,
    app_id        text not null,
    browser_hash  bytea not null,
    created_at    timestamptz not null default now(),
    expires_at    timestamptz not null,
    consumed_at   timestamptz,
    exchange      text check (exchange in ('waiting', 'sent', 'answered', 'done', 'failed')),
    code_sealed   bytea,
    grant_sealed  bytea,
    granted_at    timestamptz, -- platform time
    fence         bigint not null default 0,
    lease_until   timestamptz,
    unique (tenant_id, id),
    foreign key (tenant_id, session_id) references link_sessions
);
create index authorization_requests_unfinished on authorization_requests (consumed_at)
    where exchange in ('waiting', 'sent', 'answered');
create index authorization_requests_of_session on authorization_requests (tenant_id, session_id);

-- Connections --------------------------------------------------------------------------------------------------------

create table connections (
    tenant_id           text not null,
    id                  text not null,
    merchant_id         text not null,
    app_id              text not null,
    provider            text not null,
    region              text not null,
    open_id             text not null,
    seller_name         text not null,
    clock               text not null,
    state               text not null,
    reason              text,
    authorized_at       timestamptz, -- platform time
    authorization_ends  timestamptz, -- platform time
    scopes              text[] not null,
    in_doubt_since      timestamptz, -- platform time
    expiring_told_for   timestamptz, -- the end the warning was given for
    revision            bigint not null default 1,
    verify_after        timestamptz,
    created_at          timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, merchant_id) references merchants,
    foreign key (tenant_id, app_id) references apps
);
create index connections_ending on connections (clock, authorization_ends) where state in ('active', 'suspended');
create index connections_to_verify on connections (clock, verify_after) where state = 'suspended';
create index connections_of_merchant on connections (tenant_id, merchant_id);
create index connections_by_end on connections (tenant_id, authorization_ends, id);

-- A connection is one identity for life.
create function connections_keep_identity() returns trigger language plpgsql as $$
begin
    raise exception 'the identity of a connection never changes' using errcode = 'integrity_constraint_violation';
end $$;
create trigger connections_keep_identity before update on connections for each row
    when ((old.app_id, old.provider, old.region, old.open_id, old.clock)
          is distinct from (new.app_id, new.provider, new.region, new.open_id, new.clock))
    execute function connections_keep_identity();

create table shops (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    name           text not null,
    region         text not null,
    cipher         text not null,
    seller_type    text not null,
    code           text not null,
    authorized     boolean not null,
    primary key (tenant_id, connection_id, shop_id),
    foreign key (tenant_id, connection_id) references connections
);

-- Which connection holds a shop under an app: SHA-256 of app id and shop id.
create table shop_holders (
    hash           bytea primary key,
    tenant_id      text not null,
    connection_id  text not null,
    foreign key (tenant_id, connection_id) references connections
);

-- Tokens: the token clock of a connection ----------------------------------------------------------------------------

create table tokens (
    tenant_id       text not null,
    connection_id   text not null,
    app_id          text not null,
    clock           text not null,
    version         bigint not null,
    access_sealed   bytea not null,
    access_ends     timestamptz not null, -- platform time
    refresh_sealed  bytea not null,
    refresh_hash    bytea not null,
    refresh_ends    timestamptz not null, -- platform time
    issued_at       timestamptz not null, -- platform time
    due_at          timestamptz,          -- platform time; null: the token clock stands still
    fence           bigint not null default 0,
    lease_until     timestamptz,
    failures        int not null default 0,
    primary key (tenant_id, connection_id),
    foreign key (tenant_id, connection_id) references connections
);
create index tokens_due on tokens (clock, due_at) where due_at is not null;

-- Written before a refresh token is shown. A row without outcome whose lease is over is a doubt.
create table presentations (
    tenant_id      text not null,
    connection_id  text not null,
    fence          bigint not null,
    refresh_hash   bytea not null,
    probe          boolean not null,
    begun_at       timestamptz not null default now(),
    outcome        text check (outcome in ('ok', 'not_sent', 'told_to_wait', 'misconfigured', 'final', 'in_doubt', 'outlived')),
    ended_at       timestamptz,
    primary key (tenant_id, connection_id, fence)
);
create index presentations_open on presentations (begun_at) where outcome is null;
create index presentations_in_doubt on presentations (tenant_id, connection_id) where outcome is null or outcome = 'in_doubt';

-- A pair whose writer had lost its lease, or whose owner is not proven: kept sealed, because it may be the only living one.
create table stray_pairs (
    tenant_id      text not null references tenants,
    id             text not null,
    app_id         text not null,
    connection_id  text,
    why            text not null,
    pair_sealed    bytea not null,
    kept_at        timestamptz not null default now(),
    primary key (tenant_id, id)
);

-- Flows and what they carried ----------------------------------------------------------------------------------------

create table flows (
    tenant_id         text not null,
    connection_id     text not null,
    shop_id           text not null,
    kind              text not null,
    clock             text not null,
    shut              text,
    paused_by_vendor  boolean not null,
    reached           timestamptz, -- platform time up to which everything is known
    next_run_at       timestamptz, -- platform time; null: shut
    wanted            boolean not null default false, -- somebody asked while it ran: run again at once
    last_success_at   timestamptz, -- platform time
    last_error        text,
    failures          int not null default 0,
    fence             bigint not null default 0,
    lease_until       timestamptz,
    primary key (tenant_id, connection_id, shop_id, kind),
    foreign key (tenant_id, connection_id, shop_id) references shops
);
create index flows_due on flows (clock, next_run_at) where next_run_at is not null;

create table records (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    kind           text not null,
    record_id      text not null,
    updated_at     timestamptz not null, -- platform time
    document       bytea not null,       -- the platform's own JSON, byte for byte
    position       bigint generated always as identity,
    kept_at        timestamptz not null default now(),
    primary key (tenant_id, connection_id, shop_id, kind, record_id),
    foreign key (tenant_id, connection_id, shop_id) references shops
);
create index records_in_order on records (tenant_id, connection_id, kind, position);

-- Notices in: raw before they are understood -------------------------------------------------------------------------

create table notices (
    tenant_id        text not null,
    app_id           text not null,
    notification_id  text not null,
    position         bigint generated always as identity,
    body             bytea not null,
    received_at      timestamptz not null default now(),
    lease_until      timestamptz,
    attempts         int not null default 0,
    settled_at       timestamptz,
    outcome          text,
    primary key (tenant_id, app_id, notification_id),
    foreign key (tenant_id, app_id) references apps
);
create index notices_waiting on notices (position) where settled_at is null;

-- What happened ------------------------------------------------------------------------------------------------------

create table events (
    tenant_id      text not null references tenants,
    id             text not null,
    position       bigint generated always as identity,
    type           text not null,
    connection_id  text,
    happened_at    timestamptz not null, -- platform time
    recorded_at    timestamptz not null default now(),
    data           jsonb not null,
    primary key (tenant_id, id)
);
create index events_in_order on events (tenant_id, position);
create index events_of_connection on events (tenant_id, connection_id, position);

create table audit (
    tenant_id   text not null references tenants,
    position    bigint generated always as identity,
    at          timestamptz not null default now(),
    actor       text not null,
    action      text not null,
    subject     text not null,
    request_id  text not null,
    detail      jsonb not null,
    primary key (tenant_id, position)
);

-- The last offset read from each sandbox, so that a restart without it does not jump in time.
create table clocks (
    clock           text primary key,
    offset_seconds  double precision not null,
    read_at         timestamptz not null default now()
);
