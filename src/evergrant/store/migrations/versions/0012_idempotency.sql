-- API keys say when they were last used, at most once a minute, and which one took the place of which.
alter table api_keys add column used_at timestamptz, add column replaces text;

-- Idempotency keys: the first answer to a changing call, sealed, kept in the transaction of what the call did.
create table kept_answers (
    tenant_id    text not null references tenants,
    route        text not null, -- method and path
    key          text not null, -- as its caller gave it
    fingerprint  bytea not null, -- SHA-256 of query and body
    scope        text not null, -- what a key has to be good for to be told the answer
    status       int,           -- null: under way, outside a transaction
    media_type   text,
    sealed       bytea,
    kept_at      timestamptz not null default now(),
    lease_until  timestamptz,
    primary key (tenant_id, route, key)
);
create index kept_answers_by_age on kept_answers (kept_at);
