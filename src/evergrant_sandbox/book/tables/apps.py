"""What version 2 adds to apps: who made them, for which market, and what their maker set beside the credentials."""

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
CREATE INDEX apps_of_developer ON apps (developer_id)
"""
