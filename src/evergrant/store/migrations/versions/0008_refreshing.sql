-- Breaker, rate budget, suspect pairs.
select 1;
