-- Key generations, erasure, import.
select 1;
