"""How far each authorization code has come on its way to a connection, so that no crash leaves a guess."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.ports import SealingKey, Shown, StaleError
from evergrant.actions.reading import Entry
from evergrant.core.connection import Change, Event
from evergrant.core.link import Claimed, Mismatch, Returned
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, events, pairs, returns, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.epochs import Epochs
from evergrant.store.spool import Slip, Spool

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

log = structlog.get_logger("exchanges")

SPOOL_KIND = "exchange"
SHOW_FOR = timedelta(minutes=10)
"""How long a worker goes on trying to exchange a code while the platform is away; the platform's own limit is 30."""

PLACING = timedelta(seconds=28)
"""How long whoever brought an answer has to find out whose it is: longer than the hard limit of a call. What a dead process
left on its disk is taken up at once."""

PLACE_FOR = timedelta(days=1)
"""How long a worker goes on asking for the shops of a grant while the platform does not tell."""

TAKE_UNFINISHED = """
with taken as (
    update authorization_requests set fence = fence + 1, lease_until = now() + interval '60 seconds'
    where (tenant_id, id) in (
        select tenant_id, id from authorization_requests
        where exchange in ('waiting', 'sent', 'answered') and lease_until < now()
        order by consumed_at limit $1 for update skip locked)
    returning *
)
select r.tenant_id, r.id as request_id, r.app_id, r.consumed_at, r.exchange, now() - r.consumed_at as age,
    r.code_sealed is null as is_empty,
    s.id as session_id, s.merchant_id, s.purpose, s.mode, s.connection_id, s.return_to
from taken r left join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id
"""


class Exchanges:
    """Codes on their way to connections."""

    def __init__(self, database: Database, vault: "Vault", spool: Spool, epochs: Epochs) -> None:
        self._database = database
        self._vault = vault
        self._spool = spool
        self._epochs = epochs

    async def begin(self, returned: Returned) -> Shown | None:
        """Note that the code is about to be shown, and give it; None if it has been shown already."""
        await self._epochs.rise()  # a new pair is on its way; a consent counts even where nothing old may be shown
        async with self._database.transaction() as connection:
            sealed = await connection.fetchval(
                """
                update authorization_requests set exchange = 'sent', lease_until = now() + interval '60 seconds'
                where tenant_id = $1 and id = $2 and exchange = 'waiting' and code_sealed is not null
                returning code_sealed
                """,
                returned.tenant_id,
                returned.request_id,
            )
            if sealed is None:
                return None
            key = await sealing.key_of(connection, self._vault, returned.tenant_id, returned.request_id)
            return Shown(code=key.open("code", 1, sealed), key=key)

    async def put_back(self, returned: Returned, wait: timedelta) -> None:
        """The code was provably not used: a worker shows it again after a while."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update authorization_requests set exchange = 'waiting', lease_until = now() + $3
                where tenant_id = $1 and id = $2 and exchange = 'sent'
                """,
                returned.tenant_id,
                returned.request_id,
                wait,
            )

    async def again(self, returned: Returned, wait: timedelta) -> None:
        """What comes after the answer could not be done: a worker tries again after a while."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                update authorization_requests set lease_until = now() + $3
                where tenant_id = $1 and id = $2 and exchange = 'answered'
                """,
                returned.tenant_id,
                returned.request_id,
                wait,
            )

    async def keep_answer(self, returned: Returned, key: SealingKey, granted: Granted, now: datetime) -> None:
        """Keep the pair that came for the code: on disk first, before the database is asked for anything, then there."""
        slip = Slip(
            kind=SPOOL_KIND,
            tenant_id=returned.tenant_id,
            owner_id=returned.request_id,
            sealed=key.seal("grant", 1, pairs.packed(granted)),
            at=now.isoformat(),
        )
        name = await self._spool.put(slip)
        if not await self._heal_one(slip, PLACING):
            await self._too_late(returned, granted)
        await self._spool.drop(name)

    async def lost(self, returned: Returned, code: str, now: datetime) -> None:
        """Nobody knows what became of the code that was shown: end the request, unless its answer is here after all."""
        async with self._database.transaction() as connection:
            still = await connection.fetchval(
                "select exchange from authorization_requests where tenant_id = $1 and id = $2 for update",
                returned.tenant_id,
                returned.request_id,
            )
            if still == "sent":
                await returns.fail(connection, returned, code, now)

    async def heal(self) -> int:
        """Bring answers that reached the disk but not the database to the database; gives how many were wanted."""
        healed = 0
        for name, slip in self._spool.left():
            if slip.kind != SPOOL_KIND:
                continue
            if await self._heal_one(slip, timedelta(0)):
                healed += 1
            elif not await self._has(slip):
                log.critical("exchanges.slip_unwanted", slip=name, tenant=slip.tenant_id, request=slip.owner_id)
                await self._spool.set_aside(name)
                continue
            await self._spool.drop(name)
        return healed

    async def _too_late(self, returned: Returned, granted: Granted) -> None:
        """Somebody gave the request up meanwhile: the pair may be the only living one of its grant, so it is kept."""
        async with self._database.transaction() as connection:
            await self._aside(connection, returned, granted, "given_up_meanwhile")

    async def _has(self, slip: Slip) -> bool:
        """Whether the books have this answer already."""
        async with self._database.connection() as connection:
            return bool(
                await connection.fetchval(
                    """
                    select true from authorization_requests
                    where tenant_id = $1 and id = $2 and exchange in ('answered', 'done')
                    """,
                    slip.tenant_id,
                    slip.owner_id,
                )
            )

    async def _heal_one(self, slip: Slip, lease: timedelta) -> bool:
        async with self._database.connection() as connection:
            return bool(
                await connection.fetchval(
                    """
                    update authorization_requests set exchange = 'answered', grant_sealed = $3, granted_at = $4,
                        code_sealed = null, lease_until = now() + $5
                    where tenant_id = $1 and id = $2 and exchange = 'sent' returning true
                    """,
                    slip.tenant_id,
                    slip.owner_id,
                    slip.sealed,
                    datetime.fromisoformat(slip.at),
                    lease,
                )
            )

    async def answer(self, returned: Returned) -> tuple[Granted, datetime] | None:
        """The pair kept for this request, and when it was granted; None while there is none."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select grant_sealed, granted_at from authorization_requests
                where tenant_id = $1 and id = $2 and exchange = 'answered'
                """,
                returned.tenant_id,
                returned.request_id,
            )
            if row is None:
                return None
            key = await sealing.key_of(connection, self._vault, returned.tenant_id, returned.request_id)
        return pairs.unpacked(key.open("grant", 1, row["grant_sealed"])), row["granted_at"]

    async def take_unfinished(self, limit: int) -> Sequence[tuple[Returned, str]]:
        """Requests whose worker is gone, each with how far it came."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(TAKE_UNFINISHED, limit)
        return [(returns.from_row(row), _stage(row)) for row in rows]

    async def complete(
        self, returned: Returned, change: Change, granted: Granted, *, due_at: datetime, failure: str | None = None
    ) -> bool:
        """Keep the connection with its new pair, end the request and its session. Raises StaleError.

        With `failure` the connection keeps the pair all the same, but the session that asked ends with that code. Gives
        False, and keeps nothing, if somebody else has finished the request.
        """
        async with self._database.transaction() as connection:
            if not await returns.is_to_be_ended(connection, returned):
                return False
            await changes.keep(connection, change, actor=returns.actor(returned))
            await pairs.replace(connection, self._vault, change.after, granted, issued_at=change.at, due_at=due_at)
            if failure:
                shops = tuple(shop.id for shop in change.after.shops if shop.authorized)
                instead = Mismatch(shop_ids=shops, connection_id=change.after.id)
                await returns.fail(connection, returned, failure, change.at, instead)
                return True
            await returns.end(connection, returned, "done")
            if isinstance(returned, Claimed):
                await _completed(connection, returned, change)
            else:
                await returns.claim_ended(connection, returned, "adopted", connection_id=change.after.id)
        return True

    async def fail(self, returned: Returned, code: str, now: datetime) -> None:
        """The return brought nothing: end it; its session can be tried again."""
        async with self._database.transaction() as connection:
            await returns.fail(connection, returned, code, now)

    async def set_aside(self, returned: Returned, granted: Granted, why: str, now: datetime) -> None:
        """Keep a pair without a proven owner, sealed, and fail the request with `why`; unless somebody else finished it."""
        async with self._database.transaction() as connection:
            if not await returns.is_to_be_ended(connection, returned):
                return
            await self._aside(connection, returned, granted, why)
            await returns.fail(connection, returned, why, now)

    async def _aside(self, connection: Connection, returned: Returned, granted: Granted, why: str) -> None:
        """Keep the pair sealed, unless the customer whose link brought it is being erased."""
        if isinstance(returned, Claimed) and not await changes.is_here(
            connection, returned.tenant_id, returned.merchant_id
        ):
            return
        await pairs.set_aside(
            connection, self._vault, returned.tenant_id, returned.app_id, _about(returned), granted, why
        )


async def _completed(connection: Connection, claimed: Claimed, change: Change) -> None:
    """End the session with its one result. Raises StaleError if it was used or withdrawn meanwhile."""
    first = await connection.fetchval(
        """
        update link_sessions set outcome = 'completed', code = null, mismatch = null, result_id = $3, ended_at = now()
        where tenant_id = $1 and id = $2 and outcome is distinct from 'completed' and revoked_at is null returning true
        """,
        claimed.tenant_id,
        claimed.session_id,
        change.after.id,
    )
    if not first:
        raise StaleError
    data = {"link_session_id": claimed.session_id, "purpose": claimed.purpose.value}
    told = Event(type="link_session.completed", data=data)
    await events.write(connection, claimed.tenant_id, change.after.id, [told], change.at)
    entry = Entry(
        tenant_id=claimed.tenant_id,
        actor=f"link:{claimed.session_id}",
        action="link_session.completed",
        subject=change.after.id,
        detail={"at": change.at.isoformat()},
    )
    await audit.write(connection, [entry])


def _about(returned: Returned) -> str | None:
    """The connection a return was meant for, if it was meant for one."""
    return returned.connection_id if isinstance(returned, Claimed) else None


def _stage(row: Any) -> str:
    match row["exchange"]:
        case "waiting" if row["is_empty"]:
            return "empty"
        case "waiting" if row["age"] > SHOW_FOR:
            return "overdue"
        case "answered" if row["age"] > PLACE_FOR:
            return "unplaced"
        case _ as stage:
            return str(stage)
