"""Bulk retries: which records, in their order, and what came of each."""

from collections.abc import Sequence
from secrets import token_hex

from evergrant.actions.mending import Choice, Preview, Replay, Retried
from evergrant.actions.reading import Entry
from evergrant.core.errors import NotFoundError
from evergrant.store import audit, locks, values
from evergrant.store.database import Connection, Database
from evergrant.store.exceptions import broken
from evergrant.store.pushes import FORGOTTEN_AT_ONCE, KEPT

SHOWN = 20

MOST = 10_000
"""Records of one bulk retry; what is left is for the next."""

WANTED = """
from exceptions e where e.tenant_id = $1 and e.state = 'open' and ($2::text is null or e.cause = $2)
  and ($3::text is null or e.connection_id = $3) and ($4::text[] is null or e.id = any($4))
"""
TRIED = """
exists (select from replay_items i where i.tenant_id = e.tenant_id and i.exception_id = e.id and i.outcome is null)
"""

# How many there are, and of which flows those are that one bulk retry would take.
COUNT = f"""
with chosen as materialized (select e.kind, e.position, {TRIED} as is_tried {WANTED}),
first as (select kind from chosen where not is_tried order by position limit $5)
select count(*) as found, count(*) filter (where is_tried) as tried,
    (select json_object_agg(kind, many) from (select kind, count(*) as many from first group by kind) f)::text as by_flow
from chosen
"""  # noqa: S608

CHOSEN = f"select e.* {WANTED} and not {TRIED} order by e.position limit $5"
TAKEN = f"select e.id, e.push_id {WANTED} and not {TRIED} order by e.position limit $5"

BEGIN = """
insert into replays (tenant_id, id, cause, connection_id, created_by, total, remaining) values ($1, $2, $3, $4, $5, $6, $7)
"""

ADD = """
insert into replay_items (tenant_id, replay_id, position, exception_id)
select $1, $2, given.position, given.id from unnest($3::text[]) with ordinality as given (id, position)
"""

# What is in somebody's hand goes on; what is parked, or backs off, is due. While its flow is shut it waits on. Records
# before their exceptions, as whoever settles them locks them.
SEND_AGAIN = """
update pushes p set state = 'waiting', due_at = case when f.shut is null then now() else 'infinity' end
from unnest($2::text[]) as given (id), flows f
where p.tenant_id = $1 and p.id = given.id and p.state in ('parked', 'waiting')
  and (p.lease_until is null or p.lease_until < now())
  and f.tenant_id = $1 and f.connection_id = p.connection_id and f.shop_id = p.shop_id and f.kind = p.kind
"""
UNPARK = """
with opened as (
    update exceptions e set parked = false from unnest($2::text[]) as given (id) where e.tenant_id = $1 and e.id = given.id
)
select pg_notify('evergrant_work', 'push')
"""

# A poll under way looks at what it looks at: its fence is taken, and the next one begins before the first of the records.
PULL_AGAIN = """
with again as (
    update flows f set reached = least(f.reached, given.since), fence = f.fence + 1, lease_until = null,
        wanted = f.shut is null,
        next_run_at = case when f.shut is null and f.next_run_at is not null then least(f.next_run_at, given.since) end
    from (
        select connection_id, shop_id, kind, min(since) as since from unnest($2::text[]) as chosen (id)
        join exceptions e on e.tenant_id = $1 and e.id = chosen.id where e.since is not null group by 1, 2, 3
    ) given
    where f.tenant_id = $1 and f.connection_id = given.connection_id and f.shop_id = given.shop_id and f.kind = given.kind
)
select pg_notify('evergrant_work', 'sync')
"""

FIND = """
select r.*, (select json_object_agg(o.outcome, o.many) from (
    select coalesce(i.outcome, 'waiting') as outcome, count(*) as many from replay_items i
    where i.tenant_id = r.tenant_id and i.replay_id = r.id group by 1) o)::text as outcomes,
  (select max(i.ended_at) from replay_items i where i.tenant_id = r.tenant_id and i.replay_id = r.id) as last_ended
from replays r where r.tenant_id = $1 and r.id = $2
"""

ITEMS = """
select e.*, i.position as place, i.outcome, i.message as said, i.ended_at as over_at
from replay_items i join exceptions e on e.tenant_id = i.tenant_id and e.id = i.exception_id
where i.tenant_id = $1 and i.replay_id = $2 and i.position > least($3::bigint, 2147483647) order by i.position limit $4
"""

# The platform was asked from before them on, and did not bring them.
NOT_BROUGHT = """
update replay_items i set outcome = 'failed', message = 'The platform did not bring it.', ended_at = now()
from exceptions e where e.tenant_id = $1 and e.connection_id = $2 and e.shop_id = $3 and e.kind = $4 and e.state = 'open'
  and e.since >= $5 and i.tenant_id = e.tenant_id and i.exception_id = e.id and i.outcome is null
"""

OVER = """
select tenant_id, id from replays r where created_at < now() - $1::interval and not exists (select from replay_items i
    where i.tenant_id = r.tenant_id and i.replay_id = r.id and (i.outcome is null or i.ended_at > now() - $1::interval))
order by created_at limit $2
"""
FORGET_ITEMS = """
delete from replay_items where ctid = any(array(select i.ctid from replay_items i
    join unnest($1::text[], $2::text[]) as over (tenant_id, id) on i.tenant_id = over.tenant_id and i.replay_id = over.id limit $3))
"""
FORGET = """
delete from replays r using unnest($1::text[], $2::text[]) as over (tenant_id, id)
where r.tenant_id = over.tenant_id and r.id = over.id
  and not exists (select from replay_items i where i.tenant_id = r.tenant_id and i.replay_id = r.id)
"""


class Replays:
    """The bulk retries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def preview(self, tenant_id: str, choice: Choice) -> Preview:
        """What it would do, without doing it."""
        async with self._database.connection() as connection:
            counted = await connection.fetchrow(COUNT, tenant_id, *_asked(choice), MOST)
            rows = await connection.fetch(CHOSEN, tenant_id, *_asked(choice), SHOWN)
        wanted = counted["found"] - counted["tried"]
        missing = len(set(choice.ids)) - counted["found"] if choice.ids is not None else 0
        skipped = {"already_tried": counted["tried"], "not_open": missing}
        return Preview(
            total=min(wanted, MOST),
            remaining=max(wanted - MOST, 0),
            by_flow=values.from_json(counted["by_flow"] or "{}"),
            first=[broken(row) for row in rows],
            skipped={why: many for why, many in skipped.items() if many},
        )

    async def begin(self, tenant_id: str, choice: Choice, *, actor: str) -> Replay:
        """Try them again, in their order, as many as one may take. What another one tries already is left out."""
        replay_id = f"rpl_{token_hex(16)}"
        async with self._database.transaction() as connection:
            await begin(connection, tenant_id, replay_id, choice, actor=actor)
        return await self.find(tenant_id, replay_id)

    async def find(self, tenant_id: str, replay_id: str) -> Replay:
        """One. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(FIND, tenant_id, replay_id)
        if row is None:
            raise NotFoundError("There is no such bulk retry.")
        outcomes = values.from_json(row["outcomes"] or "{}")
        return Replay(
            id=row["id"],
            cause=row["cause"],
            connection_id=row["connection_id"],
            created_by=row["created_by"],
            created_at=row["created_at"],
            ended_at=None if outcomes.get("waiting") else row["last_ended"] or row["created_at"],
            total=row["total"],
            remaining=row["remaining"],
            outcomes=outcomes,
        )

    async def items(self, tenant_id: str, replay_id: str, *, after: int, limit: int) -> Sequence[Retried]:
        """Its records in their order, behind one of them."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(ITEMS, tenant_id, replay_id, after, limit)
        return [
            Retried(
                position=row["place"],
                exception=broken(row),
                outcome=row["outcome"],
                message=row["said"],
                ended_at=row["over_at"],
            )
            for row in rows
        ]

    async def forget(self) -> int:
        """Remove those that have been over for long; gives how many rows."""
        async with self._database.transaction() as connection:
            over = await connection.fetch(OVER, KEPT, FORGOTTEN_AT_ONCE // 10)
            ids = ([row["tenant_id"] for row in over], [row["id"] for row in over])
            items = await connection.execute(FORGET_ITEMS, *ids, FORGOTTEN_AT_ONCE * 4)
            done = await connection.execute(FORGET, *ids)
        return int(items.rsplit(" ", 1)[1]) + int(done.rsplit(" ", 1)[1])


async def begin(connection: Connection, tenant_id: str, replay_id: str, choice: Choice, *, actor: str) -> int:
    """Begin a bulk retry in the caller's transaction; gives of how many records."""
    await connection.execute("select pg_advisory_xact_lock($1::int, hashtext($2))", locks.REPLAYS, tenant_id)
    rows = await connection.fetch(TAKEN, tenant_id, *_asked(choice), MOST)
    ids, remaining = [row["id"] for row in rows], 0
    if len(ids) == MOST:
        counted = await connection.fetchrow(COUNT, tenant_id, *_asked(choice), MOST)
        remaining = max(counted["found"] - counted["tried"] - MOST, 0)
    await connection.execute(
        BEGIN, tenant_id, replay_id, choice.cause, choice.connection_id, actor, len(ids), remaining
    )
    await connection.execute(ADD, tenant_id, replay_id, ids)
    await connection.execute(PULL_AGAIN, tenant_id, [row["id"] for row in rows if row["push_id"] is None])
    await connection.execute(SEND_AGAIN, tenant_id, [row["push_id"] for row in rows if row["push_id"] is not None])
    await connection.execute(UNPARK, tenant_id, ids)
    entry = Entry(
        tenant_id=tenant_id, actor=actor, action="replay.begun", subject=replay_id, detail={"records": len(ids)}
    )
    await audit.write(connection, [entry])
    return len(ids)


def _asked(choice: Choice) -> tuple[str | None, str | None, Sequence[str] | None]:
    return (choice.cause, choice.connection_id, None if choice.ids is None else list(choice.ids))
