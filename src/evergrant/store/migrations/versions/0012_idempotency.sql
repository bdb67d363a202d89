-- Idempotency keys.
select 1;
