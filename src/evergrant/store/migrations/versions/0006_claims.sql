-- Quarantine and claims.
select 1;
