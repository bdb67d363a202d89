"""What version 2 adds for Seller Center: what its people may do, incidents."""

STATEMENTS = """
-- The Redirect URL that was configured when the walk began.
ALTER TABLE visits ADD COLUMN redirect_url TEXT NOT NULL DEFAULT '';
-- Incidents are read from the log: the last attempt at a notice that failed, and calls refused with a dead or narrow token.
CREATE INDEX log_of_missed_notices ON log (grant_id, n) WHERE kind = 'notice' AND attempt > 4;
CREATE INDEX log_of_refused_calls ON log (grant_id, n) WHERE kind = 'api' AND code BETWEEN 105001 AND 105005
"""
