"""When each connection was last proven alive: due looks, taken by app and within its budget."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from evergrant.actions.watching import Look, Owed, Pace
from evergrant.core.connection import Change
from evergrant.store import awaited
from evergrant.store.database import Connection, Database

LEASE = timedelta(seconds=30)
AT_ONCE = 1000

# A consent, and a verified doubt, are proofs of their own: the shops were listed a moment ago. Spread from the beginning,
# so that what was connected together is not asked about together.
BEGIN = """
insert into watches (tenant_id, connection_id, app_id, clock, looked_at, compare_at, due_at)
values ($1, $2, $3, $4, $5::timestamptz, $5::timestamptz + $7::interval * (0.8 + 0.2 * random()), $5::timestamptz + $6::interval * (0.8 + 0.2 * random()))
on conflict (tenant_id, connection_id) do update set looked_at = excluded.looked_at, compare_at = excluded.compare_at,
    due_at = excluded.due_at, failures = 0, lease_until = null
"""

KNOW_THE_APP = """
insert into app_watches (tenant_id, app_id, clock) values ($1, $2, $3) on conflict do nothing
"""

# Of each app, so that none with much to do keeps the others waiting; and found by an index, however many there are.
# What a flow's own poll has proven costs no call: its look is put off to when that proof is old.
SPARE = """
with due as (
    select w.tenant_id, w.connection_id, w.compare_at, p.at
    from app_watches a
    cross join lateral (
        select * from watches w where w.app_id = a.app_id and w.due_at <= $2 order by w.due_at limit $4
    ) w
    cross join lateral (
        select max(f.last_success_at) as at from flows f
        where f.tenant_id = w.tenant_id and f.connection_id = w.connection_id
    ) p
    where a.clock = $1 and p.at > $2::timestamptz - $3::interval and w.compare_at > $2
)
update watches w set due_at = least(due.at + $3::interval, due.compare_at), failures = 0, lease_until = null
from due where w.tenant_id = due.tenant_id and w.connection_id = due.connection_id and w.due_at <= $2
returning true
"""

# The budget is the app's row, filled by the second and locked while it is spent, so that all workers share it. Whoever
# builds one budget for every kind of call puts it in the place of `rooms` and `spent`.
TAKE_DUE = """
with rooms as (
    select a.tenant_id, a.app_id, least($5::float8 / 6, a.room + extract(epoch from now() - a.counted_at) * $5 / 60) as room
    from app_watches a
    where a.clock = $1 and exists (select from watches w where w.app_id = a.app_id and w.due_at <= $2
        and (w.lease_until is null or w.lease_until < now()))
    for update of a skip locked
), due as (
    select w.tenant_id, w.connection_id from rooms r
    cross join lateral (
        select * from watches w
        where w.app_id = r.app_id and w.due_at <= $2 and (w.lease_until is null or w.lease_until < now())
          and (w.compare_at <= $2 or not exists (select from flows f where f.tenant_id = w.tenant_id
              and f.connection_id = w.connection_id and f.last_success_at > $2::timestamptz - $6::interval))
        order by w.due_at limit floor(r.room)::bigint
    ) w
    order by w.due_at limit $3
), taken as (
    update watches w set lease_until = now() + $4 from due
    where w.tenant_id = due.tenant_id and w.connection_id = due.connection_id
      and (w.lease_until is null or w.lease_until < now())
    returning w.*
), spent as (
    update app_watches a set counted_at = now(),
        room = r.room - (select count(*) from taken t where t.app_id = a.app_id)
    from rooms r where a.tenant_id = r.tenant_id and a.app_id = r.app_id
)
select tenant_id, connection_id, failures from taken
"""


async def follow(connection: Connection, change: Change) -> None:
    """Begin to look after what lives from now on, and let go of what does not, in the caller's transaction."""
    before, after = change.before, change.after
    lives, lived = after.is_watched, before.is_watched
    where = (after.tenant_id, after.id)
    if lives and not (lived and before.revision):
        pace = Pace()
        await connection.execute(BEGIN, *where, after.app_id, after.clock, change.at, pace.quiet, pace.compare_every)
        await connection.execute(KNOW_THE_APP, after.tenant_id, after.app_id, after.clock)
    elif lived and not lives:
        await connection.execute(
            "update watches set due_at = null, lease_until = null where tenant_id = $1 and connection_id = $2", *where
        )
    await awaited.owe_ended(connection, change)


class Watches:
    """Which connections are to be looked at, and which notices are awaited."""

    def __init__(self, database: Database, pace: Pace) -> None:
        self._database = database
        self._pace = pace

    async def pass_over(self, clock: str, now: datetime) -> int:
        """Put off the look at every connection whose own polls have proven it; gives how many."""
        async with self._database.connection() as connection:
            return len(await connection.fetch(SPARE, clock, now, self._pace.quiet, AT_ONCE))

    async def take_due(self, clock: str, now: datetime, limit: int) -> Sequence[Look]:
        """Take connections that are due, each with a lease; of each app no more than its budget allows."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                TAKE_DUE, clock, now, limit, LEASE, float(self._pace.looks_a_minute), self._pace.quiet
            )
        return [
            Look(tenant_id=row["tenant_id"], connection_id=row["connection_id"], failures=row["failures"])
            for row in rows
        ]

    async def looked(self, look: Look, now: datetime) -> None:
        """The platform has answered: the next look is as far away as the pace says, and spread."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update watches set failures = 0, lease_until = null, looked_at = $3::timestamptz,
                    due_at = case when due_at is not null then $3::timestamptz + $4::interval * (0.8 + 0.2 * random()) end,
                    compare_at = $3::timestamptz + $5::interval * (0.8 + 0.2 * random())
                where tenant_id = $1 and connection_id = $2
                """,
                look.tenant_id,
                look.connection_id,
                now,
                self._pace.quiet,
                self._pace.compare_every,
            )

    async def later(self, look: Look, wait: timedelta) -> None:
        """The platform said nothing of the consent: look again after a while."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update watches set failures = failures + 1, lease_until = now() + $3::interval
                where tenant_id = $1 and connection_id = $2
                """,
                look.tenant_id,
                look.connection_id,
                wait,
            )

    async def heard(self, tenant_id: str, app_id: str) -> None:
        """A signed notice of this app was understood. Noted once a minute, or at once where the app was marked."""
        async with self._database.connection() as connection:
            await connection.execute(awaited.HEARD, tenant_id, app_id)

    async def came(self, tenant_id: str, connection_id: str, owed: Owed, since: datetime) -> None:
        """A notice the platform owes came."""
        async with self._database.connection() as connection:
            await connection.execute(awaited.CAME[owed], tenant_id, connection_id, since)

    async def missed(self, clock: str, now: datetime) -> int:
        """Count the notices that should have come by now; tell the vendor once a day per app."""
        async with self._database.transaction() as connection:
            return await awaited.count(connection, clock, now, self._pace.patience)
