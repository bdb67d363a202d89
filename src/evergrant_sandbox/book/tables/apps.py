"""What version 2 adds to apps: their maker, market and settings, an old secret, and the history of their reviews."""

STATEMENTS = """
ALTER TABLE apps ADD COLUMN developer_id TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN category TEXT NOT NULL DEFAULT 'connector';
ALTER TABLE apps ADD COLUMN market TEXT NOT NULL DEFAULT 'ALL';
ALTER TABLE apps ADD COLUMN seller_types TEXT NOT NULL DEFAULT 'LOCAL CROSS_BORDER';
ALTER TABLE apps ADD COLUMN about TEXT NOT NULL DEFAULT '';
-- Addresses or networks, one space between; empty: from anywhere.
ALTER TABLE apps ADD COLUMN allowed_addresses TEXT NOT NULL DEFAULT '';
-- The topics switched on for the app-wide webhook URL, as numbers.
ALTER TABLE apps ADD COLUMN topics TEXT NOT NULL DEFAULT '1 6 7';
CREATE INDEX apps_of_developer ON apps (developer_id);
-- The secret before the newest, and until when it is taken beside it.
ALTER TABLE apps ADD COLUMN old_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN old_secret_ends_at INTEGER NOT NULL DEFAULT 0;
-- What happened on an app's way to being published; reasons stand one on a line.
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,
    app_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    reasons TEXT NOT NULL
);
CREATE INDEX reviews_of_app ON reviews (app_key)
"""
