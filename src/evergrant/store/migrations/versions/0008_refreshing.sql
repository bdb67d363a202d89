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
