-- An active authorization is asked about, too: an older notice is ignored, but verified.
create index connections_asked_about on connections (clock, verify_after) where verify_after is not null;
drop index connections_to_verify;
