-- Roles and policies.
select 1;
