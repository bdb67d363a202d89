-- The audit chain and life history.
select 1;
