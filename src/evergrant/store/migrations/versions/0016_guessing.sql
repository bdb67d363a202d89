-- Tokens brought along: a refresh token is one grant's, whichever app row of the same app at the platform it came in by, and
-- in whichever workspace (decision 0029: what is looked up across tenants is answered by a function of its own).
create function refresh_token_held(same bytea, shown bytea) returns table (tenant_id text, connection_id text)
language plpgsql stable security definer set search_path = evergrant, pg_temp as $$
begin
    return query select c.tenant_id, c.id from app_identities i
        join connections c on c.tenant_id = i.tenant_id and c.app_id = i.app_id
        where i.hash = same and (
            exists (select from tokens t
                    where t.tenant_id = c.tenant_id and t.connection_id = c.id and t.refresh_hash = shown)
            or exists (select from presentations p
                       where p.tenant_id = c.tenant_id and p.connection_id = c.id and p.refresh_hash = shown));
end $$;

revoke execute on function refresh_token_held from public;

-- Passwords tried lately: how often, and when the next may be. Keys are SHA-256 of an account and of where it was tried from.
create table password_tries (
    key            bytea primary key,
    tries          int not null default 0,
    next_at        timestamptz not null default now(),
    seen_at        timestamptz not null default now(),
    succeeded_at   timestamptz -- of a browser that has logged in to this account
);
create index password_tries_by_age on password_tries (seen_at);

select raise_walls();
