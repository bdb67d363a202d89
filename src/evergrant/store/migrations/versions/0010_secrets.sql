-- Key generations, erasure, import.

-- A generation that was retired is gone from the disks: its proof stays, so that a key found in an old backup is known again.
alter table vault_keys add column retired_at timestamptz;
create index data_keys_by_generation on data_keys (key_number, tenant_id, owner_id);

-- A process that has not yet heard of a new generation goes on wrapping with the old one, and that is no harm until the old
-- one is retired. From then on its row is not taken, and the process looks for the new generation. Whoever retires one holds
-- its row, so nobody slips in between the count and the end.
create function data_keys_take_no_retired_generation() returns trigger
language plpgsql security definer set search_path = evergrant, pg_temp as $$
begin
    perform from vault_keys where number = new.key_number and retired_at is null for key share;
    return case when found then new end;
end $$;
revoke execute on function data_keys_take_no_retired_generation() from public;
create trigger data_keys_take_no_retired_generation before insert on data_keys for each row
    execute function data_keys_take_no_retired_generation();

-- The app's secret in use has a number that rises; those it replaced are accepted on the platform's notices until they are
-- retired.
alter table apps add column secret_number int not null default 1;
create table app_secrets (
    tenant_id      text not null,
    app_id         text not null,
    number         int not null,
    secret_sealed  bytea not null,
    replaced_at    timestamptz not null default now(),
    primary key (tenant_id, app_id, number),
    foreign key (tenant_id, app_id) references apps
);

-- Who asked that something be forgotten, and how far that is. The row outlives what it is about: it holds ids and counts.
create table erasures (
    tenant_id    text not null references tenants,
    id           text not null,
    kind         text not null check (kind in ('connection', 'merchant', 'tenant')),
    subject_id   text not null,
    asked_by     text not null,
    asked_at     timestamptz not null default now(),
    keys_gone    int not null, -- data keys destroyed in the commit that made this row
    counts       jsonb not null default '{}',
    lease_until  timestamptz,
    finished_at  timestamptz,
    statement    text,         -- the deletion record, and its signature over these bytes
    signature    bytea,
    public_key   bytea,
    primary key (tenant_id, id),
    unique (tenant_id, kind, subject_id)
);
create index erasures_unfinished on erasures (asked_at) where finished_at is null;

alter table merchants add column erased_at timestamptz;
alter table tenants add column erased_at timestamptz;

-- A connection is one identity for life; when that is over the platform's name for the seller goes, and nothing else moves.
drop trigger connections_keep_identity on connections;
create trigger connections_keep_identity before update on connections for each row
    when ((old.app_id, old.provider, old.region, old.clock) is distinct from (new.app_id, new.provider, new.region, new.clock)
          or (old.open_id <> new.open_id and not (new.open_id = '' and new.state = 'erased')))
    execute function connections_keep_identity();
