"""The pace of every shop's calls, in rows that all processes share: one statement a call, judged by the database."""

import asyncio
from datetime import timedelta

import structlog

from evergrant.actions.shop_paces import Shop
from evergrant.store.database import Database

BURST = timedelta(seconds=1)
"""Calls that were not made earlier may be made at once, one second's worth."""
PATIENCE = timedelta(seconds=2)
"""How long a turn is waited for here; who would wait longer comes back."""
SLOWEST = 0.2
"""Calls a second; so slow does the pace become, and no slower."""
QUICKER = 1.1
"""By how much each call quickens a pace that was slowed, until it is as set."""
LONGEST_WAIT = timedelta(hours=1)
NOT_YET = timedelta(0)

# Read without a lock: only a wait makes the pace slower, and while there is one nobody takes anything.
ALLOWED = """
select greatest(1, least($4::int, floor(least($5::float8, (select per_second from shop_paces
    where tenant_id = $1 and connection_id = $2 and shop_id = $3)))::int))
"""

# A turn begins where the last one ended, a burst ago at the earliest. Calls that are made side by side begin when the last of
# them has its turn. Whoever would wait too long changes nothing.
TAKE = """
insert into shop_paces as p (tenant_id, connection_id, shop_id, free_at)
select tenant_id, connection_id, shop_id, clock_timestamp() - $6::interval + make_interval(secs => $4::float8 / $5::float8)
from shops where tenant_id = $1 and connection_id = $2 and shop_id = $3
on conflict (tenant_id, connection_id, shop_id) do update set
    per_second = case when p.per_second * $8::float8 ^ $4::int < $5::float8 then p.per_second * $8::float8 ^ $4::int end,
    free_at = greatest(p.free_at, p.waits_until, clock_timestamp() - $6::interval) + make_interval(secs => $4::float8
        / least($5::float8, p.per_second * $8::float8 ^ $4::int))
where p.free_at <= clock_timestamp() + $7::interval and (p.waits_until is null or p.waits_until <= clock_timestamp())
returning greatest(interval '0', free_at - clock_timestamp()
    - make_interval(secs => 1 / coalesce(p.per_second, $5::float8)))
"""

LEFT = """
select greatest(free_at - $4::interval, waits_until) - clock_timestamp() from shop_paces
where tenant_id = $1 and connection_id = $2 and shop_id = $3
"""

# Calls that were under way when the platform asked say the same again: the pace is halved once a wait.
THROTTLED = """
insert into shop_paces as p (tenant_id, connection_id, shop_id, per_second, waits_until)
select tenant_id, connection_id, shop_id, least($4::float8, greatest($6::float8, $4::float8 / 2)), clock_timestamp() + $5::interval
from shops where tenant_id = $1 and connection_id = $2 and shop_id = $3
on conflict (tenant_id, connection_id, shop_id) do update set
    per_second = case when p.waits_until > clock_timestamp() then p.per_second
        else least($4::float8, greatest($6::float8, coalesce(p.per_second, $4::float8) / 2)) end,
    waits_until = greatest(p.waits_until, excluded.waits_until)
"""

log = structlog.get_logger("shop_paces")


class ShopPaces:
    """One process's hand on the pace of every shop."""

    def __init__(self, database: Database, *, per_second: float) -> None:
        self._database = database
        self._per_second = per_second

    async def take(self, shop: Shop) -> timedelta:
        """Reserve a call, and wait for its turn if it comes soon. Otherwise nothing is reserved: how long to stay away."""
        return (await self.take_some(shop, 1))[1]

    async def take_some(self, shop: Shop, most: int) -> tuple[int, timedelta]:
        """Reserve calls that are made side by side, no more than one second of the pace allows; how many, or how long to
        stay away.
        """
        async with self._database.connection(of=self._own(shop)) as connection:
            calls = 1 if most == 1 else await connection.fetchval(ALLOWED, *shop, most, self._per_second)
            turn: timedelta | None = await connection.fetchval(
                TAKE, *shop, calls, self._per_second, BURST, PATIENCE, QUICKER
            )
            if turn is None:
                left: timedelta | None = await connection.fetchval(LEFT, *shop, PATIENCE)
                return (calls, NOT_YET) if left is None else (0, max(left, timedelta(milliseconds=1)))
        await asyncio.sleep(turn.total_seconds())
        return calls, NOT_YET

    async def throttled(self, shop: Shop, wait: timedelta) -> None:
        """Nobody calls for the shop until the wait is over, an hour at the most, and then half as often."""
        wait = min(max(wait, NOT_YET), LONGEST_WAIT)
        async with self._database.connection(of=self._own(shop)) as connection:
            await connection.execute(THROTTLED, *shop, self._per_second, wait, SLOWEST)
        log.info("shop_pace.throttled", connection=shop[1], shop=shop[2], seconds=wait.total_seconds())

    def _own(self, shop: Shop) -> set[str] | None:
        """The row is let go of before anybody is called: it is never part of what a request holds."""
        return {shop[0]} if self._database.is_held else None
