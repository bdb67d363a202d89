-- Holds every pair that would be refreshed, as it stands, whoever finds out that the database is an old one: a door sees
-- nobody's rows, or one tenant's (0013), and what it settles is settled for all. So this runs as the owner of the tables.
create function hold_all() returns bigint
language plpgsql security definer set search_path = evergrant, pg_temp as $$
declare
    held bigint;
begin
    insert into recovery_held (tenant_id, connection_id, version)
        select t.tenant_id, t.connection_id, t.version from tokens t where t.due_at is not null
        on conflict (tenant_id, connection_id) do update set version = excluded.version, held_at = now();
    get diagnostics held = row_count;
    return held;
end $$;

-- Who came without a state lately and is not known to have brought anything: an app lets in so many a minute.
create index claims_unproven on claims (app_id, arrived_at) where state in ('arriving', 'failed');

revoke execute on function hold_all from public;
select raise_walls();
