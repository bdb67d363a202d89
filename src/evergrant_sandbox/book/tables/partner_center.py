"""What version 2 adds for Partner Center: developers, their sessions and their test accounts."""

STATEMENTS = """
CREATE TABLE developers (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL,
    company TEXT NOT NULL
);
CREATE TABLE developer_sessions (
    sha256 BLOB PRIMARY KEY,
    developer_id TEXT NOT NULL
) WITHOUT ROWID;
-- A test seller bound to the developer who made it, for good. When it ends, nobody signs in and its tokens are refused.
CREATE TABLE development_shops (
    seller_id TEXT PRIMARY KEY,
    developer_id TEXT NOT NULL,
    function TEXT NOT NULL,
    onboarding TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
);
CREATE INDEX development_shops_of_developer ON development_shops (developer_id)
"""
