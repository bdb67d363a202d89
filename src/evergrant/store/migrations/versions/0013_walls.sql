-- Roles and policies: the second wall between tenants (decision 0029). Whoever works as `evergrant_web` sees the rows of
-- the tenants named in the setting `evergrant.tenant_id`, and no others; nobody is named until a credential is known.

create function tenants_here() returns text[] language sql stable parallel safe as $$
    select string_to_array(current_setting('evergrant.tenant_id', true), ',')
$$;

-- Makes the role, and a policy for every table that has none yet. A later migration that makes a table calls it again.
create function raise_walls() returns void language plpgsql set search_path = evergrant, pg_temp as $$
declare
    one record;
    before text := current_setting('role');
    cure text := format('Let somebody who may make roles run: create role evergrant_web nologin; grant evergrant_web to %I;',
        current_user);
begin
    if not exists (select from pg_roles where rolname = 'evergrant_web') then
        begin
            create role evergrant_web nologin;
        exception
            when duplicate_object or unique_violation then null;
            when insufficient_privilege then
                raise exception 'The role evergrant_web is missing. %', cure using errcode = 'insufficient_privilege';
        end;
    end if;
    if exists (select from pg_roles where rolname = 'evergrant_web' and (rolsuper or rolbypassrls)) then
        raise exception 'The role evergrant_web may pass every policy: alter role evergrant_web nosuperuser nobypassrls;';
    end if;
    begin
        perform set_config('role', 'evergrant_web', true);
    exception when insufficient_privilege or invalid_parameter_value then
        begin
            grant evergrant_web to current_user;
            perform set_config('role', 'evergrant_web', true);
        exception when insufficient_privilege or invalid_parameter_value then
            raise exception 'The role evergrant_web may not be taken on. %', cure using errcode = 'insufficient_privilege';
        end;
    end;
    perform set_config('role', before, true);

    for one in
        select c.relname, case when c.relname = 'tenants' then 'id' else 'tenant_id' end as key from pg_class c
        where c.relnamespace = 'evergrant'::regnamespace and c.relkind in ('r', 'p') and (c.relname = 'tenants' or exists (
            select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped))
          and not (c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'wall'))
    loop
        execute format('alter table %I enable row level security', one.relname);
        execute format('create policy wall on %I using (%I = any ((select tenants_here())::text[]))', one.relname, one.key);
    end loop;
    grant usage on schema evergrant to evergrant_web;
    grant select, insert, update, delete on all tables in schema evergrant to evergrant_web;
    revoke insert, update, delete on alembic_version, vault_keys, tenants from evergrant_web;
    grant usage on all sequences in schema evergrant to evergrant_web;
    grant execute on all functions in schema evergrant to evergrant_web;
end $$;

-- What is looked up before the tenant is known, each by a hash or an id nobody guesses, and nothing else. They run as the
-- owner of the tables, so each names its own condition.

create function api_key_shown(given bytea) returns setof api_keys
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select k.* from api_keys k where k.hash = given;
end $$;

create function person_of_address(address text)
returns table (tenant_id text, id text, email text, name text, role text, password_hash text, tenant_name text)
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select p.tenant_id, p.id, p.email, p.name, p.role, p.password_hash, t.name
        from people p join tenants t on t.id = p.tenant_id where lower(p.email) = lower(address);
end $$;

create function person_logged_in(given bytea, idle interval, absolute interval, is_use boolean)
returns table (tenant_id text, id text, email text, name text, role text, tenant_name text)
language plpgsql security definer set search_path = evergrant, pg_temp as $$
begin
    return query select p.tenant_id, p.id, p.email, p.name, p.role, t.name
        from logins l join people p on p.tenant_id = l.tenant_id and p.id = l.person_id join tenants t on t.id = l.tenant_id
        where l.hash = given and l.ended_at is null and l.seen_at > now() - idle and l.created_at > now() - absolute;
    if found and is_use then
        update logins l set seen_at = now() where l.hash = given;
    end if;
end $$;

create function end_login(given bytea) returns void
language plpgsql security definer set search_path = evergrant, pg_temp as $$
begin
    update logins l set ended_at = now() where l.hash = given and l.ended_at is null;
end $$;

create function link_of_handle(given bytea) returns setof link_sessions
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select s.* from link_handles h
        join link_sessions s on s.tenant_id = h.tenant_id and s.id = h.session_id where h.hash = given;
end $$;

create function link_of_browser(wanted text, browser bytea) returns setof link_sessions
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select distinct s.* from authorization_requests r
        join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
        where r.session_id = wanted and r.browser_hash = browser;
end $$;

-- An app by its id alone, as the platform's calls name it; once a tenant is known, only its own.
create function app_of_id(wanted text) returns table (app apps, key_number int, wrapped bytea)
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select a, k.key_number, k.wrapped from apps a
        join data_keys k on k.tenant_id = a.tenant_id and k.owner_id = a.id
        where a.id = wanted
          and (coalesce(current_setting('evergrant.tenant_id', true), '') = '' or a.tenant_id = any (tenants_here()));
end $$;

-- Many token reads in one statement, of as many tenants; the tenant of each is its key's. A function of this kind keeps
-- its plan for the session, as a prepared statement would.
create function lendable(hashes bytea[], connection_ids text[])
returns table (place bigint, tenant_id text, key_id text, key_scopes text[], revoked boolean, expired boolean,
    connection_id text, open_id text, clock text, state text, reason text, authorized_at timestamptz,
    authorization_ends timestamptz, scopes text[], required_scopes text[], version bigint, access_sealed bytea,
    access_ends timestamptz, key_number int, wrapped bytea, ciphers text)
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select asked.place, k.tenant_id, k.id, k.scopes, k.revoked_at is not null,
        coalesce(k.expires_at <= now(), false), c.id, c.open_id, c.clock, c.state, c.reason,
        c.authorized_at, c.authorization_ends, c.scopes, a.required_scopes, t.version, t.access_sealed, t.access_ends,
        d.key_number, d.wrapped,
        (select json_agg(json_build_array(s.shop_id, s.cipher, s.authorized) order by s.shop_id) from shops s
         where s.tenant_id = c.tenant_id and s.connection_id = c.id)::text
    from unnest(hashes, connection_ids) with ordinality as asked (hash, connection_id, place)
    join api_keys k on k.hash = asked.hash
    left join connections c on c.tenant_id = k.tenant_id and c.id = asked.connection_id
    left join apps a on a.tenant_id = c.tenant_id and a.id = c.app_id
    left join tokens t on t.tenant_id = c.tenant_id and t.connection_id = c.id
    left join data_keys d on d.tenant_id = c.tenant_id and d.owner_id = c.id;
end $$;

revoke execute on function api_key_shown, person_of_address, person_logged_in, end_login, link_of_handle, link_of_browser,
    app_of_id, lendable, raise_walls from public;
select raise_walls();
