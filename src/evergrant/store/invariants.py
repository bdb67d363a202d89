"""The part of the fifteen invariants that the database can be asked about: each a query that gives what violates it.

Ids are `<tenant>/<what>`. Nothing here writes. Ages leave room for what a worker does within its times.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One of them: `seen` says what the queries look at, `unseen` what cannot be seen from inside, and why."""

    id: str
    name: str
    seen: str = ""
    unseen: str = ""
    queries: tuple[str, ...] = ()


TRIGGER = """
select '-/' || {what!r} where not exists (
    select from pg_trigger where tgname = {name!r} and tgenabled in ('O', 'A') and not tgisinternal)
"""


def _in_force(name: str, what: str) -> str:
    return TRIGGER.format(name=name, what=what)


SILENT = """
select tenant_id || '/' || connection_id from presentations
where outcome is null and begun_at < now() - interval '3 minutes' limit 20
"""

UNFLAGGED = """
select t.tenant_id || '/' || t.connection_id from presentations p
join tokens t on t.tenant_id = p.tenant_id and t.connection_id = p.connection_id and t.refresh_hash = p.refresh_hash
join connections c on c.tenant_id = t.tenant_id and c.id = t.connection_id
where p.outcome = 'in_doubt' and c.in_doubt_since is null and c.state = 'active' limit 20
"""

STOPPED = """
select t.tenant_id || '/' || t.connection_id from tokens t
join connections c on c.tenant_id = t.tenant_id and c.id = t.connection_id
where t.due_at is null and c.state in ('active', 'suspended') limit 20
"""

SHOWN_TWICE = """
select p.tenant_id || '/' || p.connection_id from presentations p
join connections c on c.tenant_id = p.tenant_id and c.id = p.connection_id
join apps a on a.tenant_id = c.tenant_id and a.id = c.app_id
where a.rotation not in ('stable', 'retry_safe') and coalesce(p.outcome, '') not in ('not_sent', 'told_to_wait', 'misconfigured')
group by p.tenant_id, p.connection_id, p.refresh_hash
having count(*) filter (where not p.probe) > 1 or count(*) filter (where p.probe) > 1 limit 20
"""

OVERTAKEN = """
select p.tenant_id || '/' || p.id from pushes p where p.ended_at > now() - interval '1 day' and p.state = 'done' and exists (
    select from pushes n where n.tenant_id = p.tenant_id and n.connection_id = p.connection_id and n.shop_id = p.shop_id
      and n.kind = p.kind and n.entity = p.entity and n.position > p.position and n.state = 'done' and n.ended_at < p.ended_at)
limit 20
"""

UNTOLD = """
select i.tenant_id || '/' || i.exception_id from replay_items i
join exceptions x on x.tenant_id = i.tenant_id and x.id = i.exception_id
where i.outcome is null and x.state <> 'open' and x.ended_at < now() - interval '3 minutes' limit 20
"""

TWO_AT_ONCE = """
select tenant_id || '/' || connection_id from presentations where outcome is null
group by tenant_id, connection_id having count(*) > 1 limit 20
"""

FENCE_BACK = """
select p.tenant_id || '/' || p.connection_id from presentations p
join tokens t on t.tenant_id = p.tenant_id and t.connection_id = p.connection_id
where p.fence > t.fence group by 1 limit 20
"""

DEAD_WITH_TOKENS = """
select t.tenant_id || '/' || t.connection_id from tokens t
join connections c on c.tenant_id = t.tenant_id and c.id = t.connection_id
where c.state in ('cancelled', 'deactivated', 'erased')
   or (t.due_at is not null and c.state not in ('active', 'suspended')) limit 20
"""

UNSETTLED = """
select tenant_id || '/' || notification_id from notices
where settled_at is null and received_at < now() - interval '1 minute' limit 20
"""

UNVERIFIED = """
select tenant_id || '/' || id from connections
where state = 'suspended' and verify_after < now() - interval '10 minutes' limit 20
"""

STRANGERS_APP = """
select t.tenant_id || '/' || t.connection_id from tokens t
join connections c on c.tenant_id = t.tenant_id and c.id = t.connection_id where t.app_id <> c.app_id limit 20
"""

SPENT_TWICE = """
select tenant_id || '/' || session_id from authorization_requests where exchange = 'done' and session_id is not null
group by tenant_id, session_id having count(*) > 1 limit 20
"""

SPENT_LATE = """
select tenant_id || '/' || id from authorization_requests
where consumed_at > expires_at
   or (exchange in ('waiting', 'sent', 'answered') and consumed_at < now() - interval '25 hours') limit 20
"""

TWO_HOLDERS = """
select s.tenant_id || '/' || s.connection_id from shops s
join connections c on c.tenant_id = s.tenant_id and c.id = s.connection_id and c.state = 'active'
join shops o on o.shop_id = s.shop_id and (o.tenant_id, o.connection_id) > (s.tenant_id, s.connection_id) and o.authorized
join connections d on d.tenant_id = o.tenant_id and d.id = o.connection_id and d.state = 'active' and d.app_id = c.app_id
where s.authorized limit 20
"""

NO_OUTCOME = (
    "select tenant_id || '/' || notification_id from notices where settled_at is not null and outcome is null limit 20"
)

SAME_PLACE = """
select tenant_id || '/' || min(id) from events group by tenant_id, position having count(*) > 1 limit 20
"""

UNSEALED = """
select tenant_id || '/' || connection_id from tokens
where substr(access_sealed, 1, 1) <> '\\x01' or substr(refresh_sealed, 1, 1) <> '\\x01'
union all select tenant_id || '/' || id from apps
where secret_sealed <> '' and substr(secret_sealed, 1, 1) <> '\\x01' limit 20
"""

KEY_LEFT = """
select k.tenant_id || '/' || k.owner_id from data_keys k
join connections c on c.tenant_id = k.tenant_id and c.id = k.owner_id
where c.state in ('cancelled', 'deactivated', 'erased') limit 20
"""

UNRECORDED = """
select p.tenant_id || '/' || p.connection_id from presentations p
where p.outcome = 'ok' and p.ended_at > now() - interval '1 day' and p.ended_at < now() - interval '10 seconds'
  and not exists (
    select from audit_links l join audit a on a.tenant_id = l.tenant_id and a.position = l.position
    where l.tenant_id = p.tenant_id and l.subject = p.connection_id and a.action = 'token.refreshed' and a.at = p.ended_at)
limit 20
"""

INVARIANTS = (
    Invariant(
        id="I1",
        name="No silent loss",
        seen="every lost answer is told of its connection, no answer waits in the spool, and no living token clock stands still",
        unseen="whether the platform's current token is ours: only its own books say",
        queries=(SILENT, UNFLAGGED, STOPPED),
    ),
    Invariant(
        id="I2",
        name="One presentation",
        seen="no refresh token was shown twice, but for one declared probe",
        unseen="what a restored database has forgotten",
        queries=(SHOWN_TWICE,),
    ),
    Invariant(
        id="I3",
        name="One writer",
        seen="one refresh in flight at the most, and no fence that went back",
        queries=(TWO_AT_ONCE, FENCE_BACK),
    ),
    Invariant(
        id="I4",
        name="No use of the dead",
        seen="no tokens of what has ended, and none of them is due",
        unseen="calls that others make with a token they were lent",
        queries=(DEAD_WITH_TOKENS,),
    ),
    Invariant(
        id="I5",
        name="Every deauthorization lands",
        seen="no notice waits for longer than a minute, no suspension for its verification",
        unseen="notices that were never sent",
        queries=(UNSETTLED, UNVERIFIED),
    ),
    Invariant(
        id="I6",
        name="Tenants do not meet",
        seen="tokens belong to their connection's own app",
        unseen="what answers show: that is tested from outside",
        queries=(STRANGERS_APP,),
    ),
    Invariant(
        id="I7",
        name="A result lands where it started",
        seen="no link was completed twice, no state was spent late or left open",
        unseen="which browser it was: only its cookie's hash is kept",
        queries=(SPENT_TWICE, SPENT_LATE),
    ),
    Invariant(
        id="I8",
        name="A connection is one shop for life",
        seen="identities cannot be changed, and no shop is held by two connections",
        queries=(_in_force("connections_keep_identity", "connections_keep_identity is not in force"), TWO_HOLDERS),
    ),
    Invariant(
        id="I9",
        name="Incoming: none lost, effect once",
        seen="each notice that is settled says what came of it",
        unseen="whether one that was answered is missing: only the platform's books say",
        queries=(NO_OUTCOME,),
    ),
    Invariant(
        id="I10",
        name="Outgoing: none lost, in order",
        seen="the event log is in the order of commits",
        unseen="deliveries: this version sends none",
        queries=(_in_force("events_in_order_of_commit", "events_in_order_of_commit is not in force"), SAME_PLACE),
    ),
    Invariant(
        id="I11",
        name="Secrets stay in",
        seen="tokens and app secrets stand in the database sealed",
        unseen="logs and answers: they are not kept here",
        queries=(UNSEALED,),
    ),
    Invariant(id="I12", name="Ciphertext stays put", seen="every token pair opens at its own place"),
    Invariant(
        id="I13",
        name="Replay once, in order",
        seen="of the last day's levels none went out after a newer one of its SKU; what a bulk retry took has an outcome",
        unseen="what the platform made of them: only its own books say",
        queries=(OVERTAKEN, UNTOLD),
    ),
    Invariant(
        id="I14",
        name="Deletion is real",
        seen="what has ended for good has no key",
        unseen="copies outside: backups, and the memory of a running process",
        queries=(KEY_LEFT,),
    ),
    Invariant(
        id="I15",
        name="No unlogged secret use",
        seen="the audit chain verifies, and every refresh of the last day is in it",
        unseen="answers that were given: join the request ids of your own logs",
        queries=(
            _in_force("audit_is_kept", "audit_is_kept is not in force"),
            _in_force("audit_links_are_kept", "audit_links_are_kept is not in force"),
            UNRECORDED,
        ),
    ),
)
