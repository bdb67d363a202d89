-- An active authorization is asked about, too: an older notice is ignored, but verified.
create index connections_asked_about on connections (clock, verify_after) where verify_after is not null;
drop index connections_to_verify;

-- A grant the platform refused shortly before its end has expired by now, whatever was said then.
drop index connections_ending;
create index connections_ending on connections (clock, authorization_ends)
    where state in ('active', 'suspended', 'reauthorization_required');
