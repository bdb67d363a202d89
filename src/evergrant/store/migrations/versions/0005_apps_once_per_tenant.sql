-- Whoever gave a key first, with any secret, kept it from the tenant whose it is; and the refusal told that somebody has it.
-- A tenant keeps a platform app once. Of those kept twice in one tenant before this rule, the oldest is no twin.
drop index apps_once;
update apps a set is_twin = exists (
    select from apps b
    where (b.tenant_id, b.provider, b.region, b.key, b.hosts ->> 'auth')
        = (a.tenant_id, a.provider, a.region, a.key, a.hosts ->> 'auth')
      and (b.created_at, b.id) < (a.created_at, a.id)
);
create unique index apps_once_per_tenant on apps (tenant_id, provider, region, key, (hosts ->> 'auth')) where not is_twin;
