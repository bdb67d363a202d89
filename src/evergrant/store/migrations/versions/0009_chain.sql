-- Every row of the audit trail is bound to the one before it, tenant by tenant, a moment after it was written: who writes
-- a row waits for nobody. What binds stands beside the rows, numbered without a gap; the last number is signed with a key
-- that is not in this database.
create table audit_links (
    tenant_id  text not null,
    number     bigint not null,
    position   bigint not null,
    subject    text not null,
    hash       bytea not null, -- SHA-256 of the hash before and of the row
    primary key (tenant_id, number),
    unique (tenant_id, position)
);
create index audit_links_of_subject on audit_links (tenant_id, subject, number);

-- How far each tenant's chain has come. A row may become visible after a later one: up to `settled` none can any more, and
-- up to `horizon` none once every transaction before `horizon_xid` has ended.
create table audit_chains (
    tenant_id    text primary key references tenants,
    number       bigint not null default 0,
    hash         bytea not null default '',
    settled      bigint not null default 0,
    horizon      bigint not null default 0,
    horizon_xid  bigint,
    signed_at    timestamptz,
    key_number   int,
    signature    bytea
);

create function audit_is_kept() returns trigger language plpgsql as $$
begin
    raise exception 'the audit trail is only ever added to' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_is_kept before update or delete or truncate on audit
    for each statement execute function audit_is_kept();
create trigger audit_links_are_kept before update or delete or truncate on audit_links
    for each statement execute function audit_is_kept();
