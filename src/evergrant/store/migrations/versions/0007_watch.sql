-- What the hub looks after by itself when no notice comes. A row of its own beside each connection: it is written often, and
-- the connection is not. `due_at` is null while there is nothing to look after: suspended is verified, ended is ended.
create table watches (
    tenant_id      text not null,
    connection_id  text not null,
    app_id         text not null,
    clock          text not null,
    looked_at      timestamptz not null, -- platform time the platform last told the shops
    compare_at     timestamptz not null, -- platform time by which they are compared again, whatever the polls prove
    due_at         timestamptz,          -- platform time
    failures       int not null default 0,
    lease_until    timestamptz,
    primary key (tenant_id, connection_id),
    foreign key (tenant_id, connection_id) references connections on delete cascade
);
create index watches_due on watches (app_id, due_at) where due_at is not null;

-- What is known of each app's notices, and how many looks it may still spend: `room` as it was at `counted_at`.
create table app_watches (
    tenant_id       text not null,
    app_id          text not null,
    clock           text not null,
    room            double precision not null default 1000000, -- the budget cuts it to size
    counted_at      timestamptz not null default now(),
    heard_at        timestamptz, -- when a signed notice was last understood; kept to the minute
    missed          int not null default 0,
    missed_since    timestamptz, -- platform time of the first ending or warning nobody told us of
    missed_told_at  timestamptz, -- platform time
    primary key (tenant_id, app_id),
    foreign key (tenant_id, app_id) references apps on delete cascade
);
create index app_watches_of_clock on app_watches (clock);

-- Notices the platform owes us: it ended an authorization, or its warning has begun. `came` where it was here first.
create table awaited_notices (
    tenant_id      text not null,
    connection_id  text not null,
    kind           text not null check (kind in ('deauthorization', 'warning')),
    since          timestamptz not null, -- platform time
    app_id         text not null,
    clock          text not null,
    came           boolean not null,
    primary key (tenant_id, connection_id, kind, since),
    foreign key (tenant_id, connection_id) references connections on delete cascade
);
create index awaited_notices_due on awaited_notices (clock, since) where not came;

insert into watches (tenant_id, connection_id, app_id, clock, looked_at, compare_at, due_at)
select tenant_id, id, app_id, clock, authorized_at, authorized_at,
    case when state = 'active' then authorized_at end
from connections where authorized_at is not null;
insert into app_watches (tenant_id, app_id, clock) select tenant_id, id, clock from apps;
