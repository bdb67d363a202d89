"""What version 2 adds for the signed API."""

STATEMENTS = """
-- Warehouses beyond the two every shop has, and those two once they were changed.
CREATE TABLE warehouses (
    id TEXT PRIMARY KEY,
    shop_id TEXT NOT NULL,
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    effect TEXT NOT NULL,
    is_default INTEGER NOT NULL
);
CREATE INDEX warehouses_of_shop ON warehouses (shop_id);

-- Sellers that are not active.
CREATE TABLE standings (
    seller_id TEXT PRIMARY KEY,
    standing TEXT NOT NULL
) WITHOUT ROWID
"""
