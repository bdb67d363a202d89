-- How a database is known to be older than its tokens. Before refresh tokens are shown, and before a code is, the newest
-- epoch's counter rises here and then on the disk of the machine that shows them. A disk that has seen more than the
-- database holds proves that the database was put back. Then a new epoch begins, and what the database held is held.
create table epochs (
    number    bigint generated always as identity primary key,
    epoch     text not null unique,
    counter   bigint not null default 0,
    begun_at  timestamptz not null default now(),
    why       text not null check (why in ('first', 'restored'))
);
insert into epochs (epoch, why) values (gen_random_uuid()::text, 'first');

-- Pairs as they stood when the database turned out to be older than its tokens: not shown until somebody decides. One
-- that a newer pair has replaced since is proven, and no longer held.
create table recovery_held (
    tenant_id      text not null references tenants,
    connection_id  text not null,
    version        bigint not null,
    held_at        timestamptz not null default now(),
    primary key (tenant_id, connection_id)
);
