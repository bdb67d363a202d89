-- Settings of a connection: only what the vendor set; what is left out is as the plan says (core/flows.py).
alter table connections add column settings jsonb not null default '{}';

-- A flow that has reopened after an outage catches up in its turn: a lower stage of the same shop goes first. Null: it is
-- not catching up.
alter table flows add column catching_up smallint;
create index flows_catching_up on flows (clock) where catching_up is not null;

-- Where a shop was connected before there were these kinds, each begins as the consent says, and paused where products are.
insert into flows (tenant_id, connection_id, shop_id, kind, clock, shut, paused_by_vendor, next_run_at)
select s.tenant_id, s.connection_id, s.shop_id, k.kind, o.clock,
    case when o.shut is not null and o.shut not in ('scope_missing', 'paused_by_vendor') then o.shut
         when k.scope is not null and not c.scopes @> array[k.scope] then 'scope_missing'
         when o.paused_by_vendor then 'paused_by_vendor' end,
    o.paused_by_vendor,
    case when k.kind = 'inventory' and o.shut is null and c.scopes @> array[k.scope] then o.next_run_at end
from shops s
join connections c on c.tenant_id = s.tenant_id and c.id = s.connection_id
join flows o on o.tenant_id = s.tenant_id and o.connection_id = s.connection_id and o.shop_id = s.shop_id and o.kind = 'products'
cross join (values ('inventory', 'seller.product.basic'), ('stock', 'seller.product.write'), ('prices', null),
                   ('shipments', null)) as k (kind, scope)
on conflict do nothing;

-- When the platform says a record began, what it promises to whom by when, and that its buyer was taken out of it.
alter table records
    add column created_at  timestamptz, -- platform time; null: it did not say
    add column redacted_at timestamptz; -- wall time
create index records_by_creation on records (tenant_id, connection_id, kind, created_at);
create index records_unredacted on records (tenant_id, connection_id, updated_at) where redacted_at is null and kind = 'orders';

-- Orders that were missed, until the whole gap is read: then they go to the records in their order.
create table gap_records (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    kind           text not null,
    record_id      text not null,
    updated_at     timestamptz not null, -- platform time
    created_at     timestamptz,
    rank           smallint not null,    -- cancellations before the rest
    due_at         timestamptz,          -- platform time: the seller's promise to ship
    document       bytea not null,
    redacted_at    timestamptz,          -- wall time: its buyer was taken out of it
    primary key (tenant_id, connection_id, shop_id, kind, record_id),
    foreign key (tenant_id, connection_id, shop_id) references shops
);
create index gap_records_unredacted on gap_records (tenant_id, connection_id, updated_at) where redacted_at is null;

-- What a shop sells, as its products last said: from the vendor's SKU to the platform's.
create table wares (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    sku_id         text not null,
    product_id     text not null,
    seller_sku     text not null,
    warehouse_ids  text[] not null,
    status         text not null,
    primary key (tenant_id, connection_id, shop_id, sku_id),
    foreign key (tenant_id, connection_id, shop_id) references shops
);
create index wares_of_seller_sku on wares (tenant_id, connection_id, seller_sku);
create index wares_of_product on wares (tenant_id, connection_id, shop_id, product_id);

-- The vendor's word for the same, where it differs.
create table mappings (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    sku            text not null, -- the vendor's
    product_id     text not null,
    sku_id         text not null, -- the platform's
    kept_at        timestamptz not null default now(),
    primary key (tenant_id, connection_id, shop_id, sku),
    foreign key (tenant_id, connection_id, shop_id) references shops
);

-- What goes out: one row a record. `waiting` until the platform has taken it, it was `superseded` by a newer one, `parked`
-- after a refusal nothing but a person cures, or `dismissed`. Of one entity (a SKU of a shop) only the oldest that waits
-- is ever in hand, and positions rise in the order they were given.
create table pushes (
    tenant_id      text not null,
    id             text not null,
    connection_id  text not null,
    shop_id        text not null,
    kind           text not null,
    entity         text not null, -- the vendor's SKU
    document       bytea not null, -- what to send, in our own words: {"quantity": 5}
    position       bigint generated always as identity,
    state          text not null default 'waiting',
    attempts       int not null default 0,
    due_at         timestamptz not null default now(), -- wall time
    lease_until    timestamptz,
    fence          bigint not null default 0,
    outage_id      text, -- it waited, or came, while this outage lasted
    alone          boolean not null default false, -- one call with others was refused as a whole
    given_at       timestamptz not null default now(),
    ended_at       timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, connection_id, shop_id) references shops
);
create index pushes_waiting on pushes (due_at, position) where state = 'waiting';
create index pushes_of_entity on pushes (tenant_id, connection_id, shop_id, kind, entity, position)
    where state in ('waiting', 'parked');
create index pushes_of_outage on pushes (tenant_id, outage_id, connection_id, shop_id, kind, state) where outage_id is not null;
create index pushes_newest on pushes (tenant_id, connection_id, shop_id, kind, entity, position) where state in ('done', 'waiting');
create index pushes_owed on pushes (tenant_id, outage_id) where outage_id is not null and state in ('waiting', 'parked');
create index pushes_in_order on pushes (tenant_id, connection_id, position);
create index pushes_over on pushes (ended_at) where ended_at is not null;

-- Records that failed: one open row an entity of a flow. `outage_id`: it failed because flows had stopped, and closes when
-- what it waits for has gone through.
create table exceptions (
    tenant_id      text not null,
    id             text not null,
    connection_id  text not null,
    shop_id        text not null,
    kind           text not null,
    entity         text not null, -- the record: an order's id, a vendor's SKU
    cause          text not null, -- a stable code
    message        text not null,
    state          text not null default 'open', -- open, resolved, dismissed
    how            text,          -- what ended it: retried, by_itself, superseded, by_hand, by_rule
    attempts       int not null default 1,
    parked         boolean not null default false, -- nothing but a person, or a rule, tries again
    outage_id      text,
    push_id        text,
    since          timestamptz, -- platform time from which on a pulled record is to be looked for again
    position       bigint generated always as identity,
    opened_at      timestamptz not null default now(),
    last_at        timestamptz not null default now(),
    ended_at       timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, connection_id) references connections
);
create unique index exceptions_open on exceptions (tenant_id, connection_id, shop_id, kind, entity) where state = 'open';
create index exceptions_by_cause on exceptions (tenant_id, state, cause, position);
create index exceptions_of_connection on exceptions (tenant_id, connection_id);
create index exceptions_of_outage on exceptions (tenant_id, outage_id) where outage_id is not null;
create index exceptions_owed on exceptions (tenant_id, outage_id) where outage_id is not null and state = 'open';

-- Rules: what is still open so long after it was opened is dismissed, or tried again, by itself.
create table exception_rules (
    tenant_id      text not null,
    id             text not null,
    cause          text not null,
    connection_id  text,
    action         text not null, -- dismiss, resolve, retry
    after_minutes  int not null,
    created_by     text not null,
    created_at     timestamptz not null default now(),
    ran_at         timestamptz,
    looked_at      timestamptz, -- whose turn it is: the one nobody has looked at for longest
    primary key (tenant_id, id)
);
create unique index exception_rules_one on exception_rules (tenant_id, cause, connection_id, action) nulls not distinct;
create index exception_rules_by_turn on exception_rules (looked_at, tenant_id, id);

-- Bulk retries, with what came of each record.
create table replays (
    tenant_id      text not null,
    id             text not null,
    cause          text,
    connection_id  text,
    created_by     text not null,
    created_at     timestamptz not null default now(),
    total          int not null,
    remaining      bigint not null default 0, -- more than one takes: left for a next one
    primary key (tenant_id, id)
);
create table replay_items (
    tenant_id      text not null,
    replay_id      text not null,
    position       int not null,
    exception_id   text not null,
    outcome        text, -- succeeded, failed, superseded, skipped; null: not yet
    message        text,
    ended_at       timestamptz,
    primary key (tenant_id, replay_id, position),
    foreign key (tenant_id, replay_id) references replays,
    foreign key (tenant_id, exception_id) references exceptions
);
create index replay_items_open on replay_items (tenant_id, exception_id) where outcome is null;
create index replay_items_of_exception on replay_items (tenant_id, exception_id);
create index replays_by_age on replays (created_at);
create index exceptions_over on exceptions (ended_at) where state <> 'open';

-- Outages: from the moment flows stopped by themselves to the moment everything missed is accounted for.
create table outages (
    tenant_id      text not null,
    id             text not null,
    connection_id  text not null,
    clock          text not null,
    cause          text not null,
    position       bigint generated always as identity,
    started_at     timestamptz not null, -- platform time, as all that follow
    ended_at       timestamptz,          -- every flow runs again, or is paused by hand
    closed_at      timestamptz,          -- the ledger balances to zero
    primary key (tenant_id, id),
    foreign key (tenant_id, connection_id) references connections
);
create index outages_of_connection on outages (tenant_id, connection_id, position);
create index outages_open on outages (clock, tenant_id, id) where closed_at is null;

-- The ledger: one row for each flow of each shop that stopped.
create table outage_flows (
    tenant_id      text not null,
    outage_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    kind           text not null,
    why            text not null,
    stopped_at     timestamptz not null, -- platform time, as all that follow
    reopened_at    timestamptz,
    runs_since     timestamptz,          -- wall time of the same: what went out later went out after it
    expected       bigint,               -- how many the platform said the gap holds, when catching up began
    caught_up      bigint not null default 0,
    read_at        timestamptz,          -- one real read has passed
    written_at     timestamptz,          -- one harmless write has passed
    trouble        text,                 -- why a check has not passed, or will not be made
    checked_sku    text,                 -- the write under way is of this SKU of the platform's,
    checked_since  timestamptz,          -- since this wall time: what went out for it meanwhile goes out again
    balanced_at    timestamptz,
    superseded     bigint,               -- counted from their rows until the outage is closed, then kept: rows are forgotten
    given_up       bigint,
    primary key (tenant_id, outage_id, shop_id, kind),
    foreign key (tenant_id, outage_id) references outages
);
create unique index outage_flows_open on outage_flows (tenant_id, connection_id, shop_id, kind) where balanced_at is null;
create index outage_flows_running on outage_flows (tenant_id, outage_id)
    where balanced_at is null and (reopened_at is not null or trouble = 'paused_by_vendor');

-- At what pace one shop is called. Rows fill by themselves; a wait the platform asked for stands until it is over.
create table shop_paces (
    tenant_id      text not null,
    connection_id  text not null,
    shop_id        text not null,
    per_second     real,                 -- slower than the setting, after the platform asked to wait; null: as set
    free_at        timestamptz not null default now(), -- wall time from which on the next call may begin
    waits_until    timestamptz,          -- wall time: the platform asked for it
    primary key (tenant_id, connection_id, shop_id),
    foreign key (tenant_id, connection_id, shop_id) references shops
);

-- What else a repetition is told beside the body: the code of a refusal, the platform's own id of a call.
alter table kept_answers add column headers jsonb not null default '{}';

select raise_walls();
