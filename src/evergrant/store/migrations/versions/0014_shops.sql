-- What a link for one shop was answered with instead, while that is how it came out: ids of the shops, and either the claim
-- that waits or the connection that has it. Names are read from there, so that none outlives what it names.
alter table link_sessions add column mismatch jsonb;
