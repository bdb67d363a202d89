-- What all calls to the platform in one app's name share: a breaker, and a budget where one is set. In the database,
-- so that every process goes by the same; in wall time.
create table app_paces (
    tenant_id   text not null,
    app_id      text primary key,
    failures    int not null default 0,           -- calls in a row that did not reach the platform
    openings    int not null default 0,           -- how often in a row the breaker has opened
    shut_until  timestamptz,                      -- null: calls are made; past: one call is made, to see
    probing     boolean not null default false,   -- that one call is under way
    why         text check (why in ('unreachable', 'told_to_wait', 'credentials_refused')),
    allowance   double precision not null default 0,
    filled_at   timestamptz not null default now(),
    foreign key (tenant_id, app_id) references apps
);

-- Calls in flight, a row for each process, which counts for nothing once its time is over: a killed process leaves it behind.
create table app_calls (
    tenant_id   text not null,
    app_id      text not null,
    process     text not null,
    calls       int not null,
    until       timestamptz not null,
    primary key (app_id, process),
    foreign key (tenant_id, app_id) references apps
);

-- Due rows are found app by app, so that one whose calls rest costs the others nothing, however many of its rows are due.
create index tokens_due_of_app on tokens (app_id, due_at) where due_at is not null;
drop index tokens_due;

-- Successful answers with something in them that cannot be: the whole body, sealed with the key of whom it was for.
create table suspect_answers (
    tenant_id      text not null references tenants,
    owner_id       text not null,         -- a connection, or the request whose code was shown
    fence          bigint not null,
    version        bigint not null,       -- the pair it was to replace
    app_id         text not null,
    fields         text[] not null,
    answer_sealed  bytea not null,
    at             timestamptz not null,  -- platform time
    kept_at        timestamptz not null default now(),
    settled_at     timestamptz,
    primary key (tenant_id, owner_id, fence)
);

-- A pair that was kept aside is tried once, where the one that stood has been refused.
alter table stray_pairs add column issued_at timestamptz, add column tried_at timestamptz;
create index stray_pairs_untried on stray_pairs (tenant_id, connection_id) where tried_at is null and why = 'outlived';
