"""What version 2 adds to the log: what became of each authorization, and the ways to find its lines."""

STATEMENTS = """
CREATE TABLE history (
    n INTEGER PRIMARY KEY,
    grant_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- The log's newest line when it happened, so that it stands between the right calls.
    line INTEGER NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX history_of_grant ON history (grant_id, n);
CREATE INDEX log_of_grant ON log (grant_id, n) WHERE grant_id IS NOT NULL;
CREATE INDEX log_of_notice ON log (notice_id, n) WHERE notice_id != '';
CREATE INDEX notices_by_id ON notices (id);
CREATE INDEX grants_by_end ON grants (ends_at) WHERE state = 'active'
"""
