-- Probes, reconciliation, missed notices.
select 1;
