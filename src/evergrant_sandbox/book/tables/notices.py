"""What version 2 adds for notices: addresses per shop and topic."""

STATEMENTS = """
-- What the Event API has set: one address an app, shop and topic. It outlives the authorization.
CREATE TABLE shop_webhooks (
    app_key TEXT NOT NULL,
    shop_id TEXT NOT NULL,
    type INTEGER NOT NULL,
    address TEXT NOT NULL,
    create_time INTEGER NOT NULL,
    update_time INTEGER NOT NULL,
    PRIMARY KEY (app_key, shop_id, type)
) WITHOUT ROWID
"""
