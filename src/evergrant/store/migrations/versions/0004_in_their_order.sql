-- Whoever reads a log from a position on must never find a row behind their back. An identity is drawn when a row is
-- inserted, and a later one may be visible first; so the order is drawn anew where nobody can overtake.

-- Events: at the commit itself, one transaction after the other. That costs next to nothing: whoever writes an event
-- notifies, and PostgreSQL lets transactions that notify commit one after the other anyway. Nobody who holds this lock
-- waits for a row, so it cannot be part of a deadlock.
create function events_in_order_of_commit() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7316002);
    update events set position = default where tenant_id = new.tenant_id and id = new.id;
    return null;
end $$;
create constraint trigger events_in_order_of_commit after insert on events
    deferrable initially deferred for each row execute function events_in_order_of_commit();

-- Records: many in one statement, so each is written once only, and two shops of one connection take turns.
create function records_in_order_of_commit() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7316003, hashtext(new.tenant_id || ' ' || new.connection_id || ' ' || new.kind));
    new.position := nextval('records_position_seq');
    return new;
end $$;
create trigger records_in_order_of_commit before insert on records
    for each row execute function records_in_order_of_commit();

-- Notices that end authorizations overtake the rest: 0 before 1.
alter table notices add column priority smallint not null default 1;
drop index notices_waiting;
create index notices_waiting on notices (priority, position) where settled_at is null;

-- Two connections with one grant would end each other's tokens: a platform app is kept once. Those kept twice before
-- this rule stay, and are no example.
alter table apps add column is_twin boolean not null default false;
update apps a set is_twin = true where exists (
    select from apps b
    where (b.provider, b.region, b.key, b.hosts ->> 'auth') = (a.provider, a.region, a.key, a.hosts ->> 'auth')
      and (b.created_at, b.id) < (a.created_at, a.id)
);
create unique index apps_once on apps (provider, region, key, (hosts ->> 'auth')) where not is_twin;
