-- Generations of the vault, recovery hold.
select 1;
