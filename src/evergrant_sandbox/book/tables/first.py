"""The first tables. No token is kept, codes only as SHA-256; instants are Unix seconds of platform time unless named wall."""

STATEMENTS = """
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sellers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    phone TEXT NOT NULL,
    origin TEXT NOT NULL
);

CREATE TABLE accounts (
    email TEXT PRIMARY KEY COLLATE NOCASE,
    password TEXT NOT NULL,
    seller_id TEXT NOT NULL,
    role TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX accounts_of_seller ON accounts (seller_id);

CREATE TABLE shops (
    id TEXT PRIMARY KEY,
    seller_id TEXT NOT NULL,
    name TEXT NOT NULL,
    region TEXT NOT NULL,
    code TEXT NOT NULL,
    cipher TEXT NOT NULL UNIQUE,
    warehouse_id TEXT NOT NULL,
    -- What the shop trades in (NULL: what its region is known for), and how many orders it ever had.
    trade TEXT,
    orders_made INTEGER NOT NULL DEFAULT 0,
    products_made INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX shops_of_seller ON shops (seller_id);

CREATE TABLE apps (
    key TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    service_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    redirect_urls TEXT NOT NULL,
    scopes TEXT NOT NULL,
    visibility TEXT NOT NULL,
    stage TEXT NOT NULL,
    webhook_url TEXT NOT NULL,
    rotation TEXT NOT NULL,
    old_access TEXT NOT NULL,
    grace INTEGER NOT NULL,
    access_life INTEGER NOT NULL
);

-- One row per app and target. The target is a shop, or a cross-border seller with all its shops (shop_id is NULL).
CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    app_key TEXT NOT NULL,
    seller_id TEXT NOT NULL,
    shop_id TEXT,
    target TEXT NOT NULL,
    open_id TEXT NOT NULL,
    prefix TEXT NOT NULL,
    scopes TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    period INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER,
    ended_by TEXT NOT NULL,
    consents INTEGER NOT NULL,
    contact_email TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    -- When the next notice 7, and the natural end, fall due; NULL when nobody would hear of it.
    warn_at INTEGER,
    lapse_at INTEGER
);
CREATE UNIQUE INDEX grants_by_target ON grants (app_key, target);
CREATE INDEX grants_of_seller ON grants (seller_id);
CREATE INDEX grants_to_warn ON grants (warn_at) WHERE warn_at IS NOT NULL;
CREATE INDEX grants_to_lapse ON grants (lapse_at) WHERE lapse_at IS NOT NULL;

CREATE TABLE codes (
    sha256 BLOB PRIMARY KEY,
    app_key TEXT NOT NULL,
    grant_id INTEGER NOT NULL,
    consent INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER
) WITHOUT ROWID;
CREATE INDEX codes_of_grant ON codes (grant_id);

-- Every pair ever given out. In `stable` mode a refresh gives an access token only; then refresh_ends_at is NULL.
CREATE TABLE pairs (
    grant_id INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    consent INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    access_ends_at INTEGER NOT NULL,
    access_revoked_at INTEGER,
    refresh_ends_at INTEGER,
    refresh_revoked_at INTEGER,
    used_at INTEGER,
    successor INTEGER,
    PRIMARY KEY (grant_id, serial)
) WITHOUT ROWID;

CREATE TABLE products (
    id TEXT PRIMARY KEY,
    shop_id TEXT NOT NULL,
    status TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX products_of_shop ON products (shop_id, create_time, id);

CREATE TABLE skus (
    id TEXT PRIMARY KEY,
    shop_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    seller_sku TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX skus_by_code ON skus (shop_id, seller_sku);
CREATE INDEX skus_of_product ON skus (product_id);

CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    shop_id TEXT NOT NULL,
    status TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    shipping_type TEXT NOT NULL,
    buyer TEXT NOT NULL,
    cancel_asked INTEGER NOT NULL,
    warehouse_id TEXT NOT NULL,
    document BLOB NOT NULL
);
CREATE INDEX orders_by_creation ON orders (shop_id, create_time, id);
CREATE INDEX orders_by_update ON orders (shop_id, update_time, id);

CREATE TABLE notices (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    app_key TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    grant_id INTEGER,
    type INTEGER NOT NULL,
    url TEXT NOT NULL,
    body BLOB NOT NULL,
    badly_signed INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- NULL when it was accepted or dropped.
    next_at INTEGER
);
CREATE INDEX notices_due ON notices (next_at, n) WHERE next_at IS NOT NULL;
CREATE INDEX notices_due_by_url ON notices (url, next_at, n) WHERE next_at IS NOT NULL;

CREATE TABLE sessions (
    sha256 BLOB PRIMARY KEY,
    email TEXT NOT NULL
) WITHOUT ROWID;

-- One walk through the consent pages, bound to the browser that began it.
CREATE TABLE visits (
    handle TEXT PRIMARY KEY,
    browser TEXT NOT NULL,
    app_key TEXT NOT NULL,
    state TEXT,
    market TEXT,
    target TEXT,
    period INTEGER,
    contact_email TEXT NOT NULL DEFAULT '',
    contact_phone TEXT NOT NULL DEFAULT '',
    begun_at_wall INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE log (
    n INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    begun_wall REAL NOT NULL,
    ended_wall REAL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    app_key TEXT NOT NULL,
    grant_id INTEGER,
    shop_id TEXT NOT NULL,
    status INTEGER,
    code INTEGER,
    message TEXT NOT NULL,
    token_sha256 BLOB,
    gave_access_sha256 BLOB,
    gave_refresh_sha256 BLOB,
    notice_type INTEGER,
    notice_id TEXT NOT NULL,
    attempt INTEGER,
    answer TEXT NOT NULL,
    fault TEXT NOT NULL
);
"""
