"""Claims: returns without a state, and grants sealed under keys of their own until an owner claims them or they end."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evergrant.actions.quarantine import Proved
from evergrant.actions.reading import Entry
from evergrant.core import errors
from evergrant.core.app import App
from evergrant.core.claim import Claim, Stage, Why
from evergrant.core.connection import Change, Event, Shop
from evergrant.core.connection import Connection as Known
from evergrant.core.link import STATE_LIFE, Claimed, Mismatch, Returned, Unasked
from evergrant.core.secret import Secret
from evergrant.providers.wire import Granted
from evergrant.store import audit, changes, connections, events, pairs, returns, sealing, tokens
from evergrant.store.apps import identity
from evergrant.store.database import Connection, Database
from evergrant.store.values import digest, from_json, json_text

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

EXPIRED_AT_ONCE = 100
FORGET_AFTER = timedelta(days=1)
"""How long a code that brought nothing is known again; the platform's own limit is 30 minutes."""

FIELDS = "select *, state = 'waiting' and expires_at <= now() as is_over"
SELECT = f"{FIELDS} from claims"

# The code's hash is the key, so one code is one row, whoever brings it and how often. Who loses the race waits here for
# the winner's commit.
ARRIVE = """
insert into authorization_requests (state_hash, tenant_id, id, app_id, browser_hash, expires_at, consumed_at, exchange,
    fence, lease_until)
values ($1, $2, $3, $4, $5, now() + $6, now(), 'waiting', 1, now() + interval '30 seconds')
on conflict (state_hash) do nothing returning tenant_id, id as request_id, app_id, consumed_at
"""

# What a code brings is known only by showing it, and anybody can make one up. Those who come at the same moment do not see
# each other: there may be as many more as there are connections to the database.
UNPROVEN = """
select count(*) from claims
where tenant_id = $1 and app_id = $2 and state in ('arriving', 'failed') and arrived_at > now() - interval '1 minute'
"""

KEEP = """
insert into claims (tenant_id, id, app_id, clock, browser_hash, state, reason, connection_id, open_id, seller_name, shops,
    scopes, authorization_ends, granted_at, pair_sealed, expires_at)
select r.tenant_id, $3, r.app_id, a.clock, r.browser_hash, 'waiting', $4, $5, $6, $7, $8, $9, $10, $11, $12, now() + $13
from authorization_requests r join apps a on a.tenant_id = r.tenant_id and a.id = r.app_id
where r.tenant_id = $1 and r.id = $2
on conflict (tenant_id, id) do update set state = 'waiting', reason = excluded.reason,
    connection_id = excluded.connection_id, open_id = excluded.open_id, seller_name = excluded.seller_name,
    shops = excluded.shops, scopes = excluded.scopes, authorization_ends = excluded.authorization_ends,
    granted_at = excluded.granted_at, pair_sealed = excluded.pair_sealed, expires_at = excluded.expires_at
"""

WAITING = """
select pair_sealed, granted_at from claims where tenant_id = $1 and id = $2 and state = 'waiting' and expires_at > now()
"""

END = """
update claims set state = $3, connection_id = coalesce($4, connection_id), pair_sealed = null, ended_at = now()
where tenant_id = $1 and id = $2 and state = 'waiting' and ($3 = 'expired') = (expires_at <= now()) returning true
"""


class Quarantine:
    """Claims, from the return that began them to their end. What waits ends after `life`.

    Of codes that have proved nothing yet, or nothing at all, `a_minute` are let in for each app.
    """

    def __init__(self, database: Database, vault: "Vault", life: timedelta, a_minute: int) -> None:
        self._database = database
        self._vault = vault
        self._life = life
        self._a_minute = a_minute

    async def arrive(self, app: App, request_id: str, code: Secret, proof: Secret) -> Unasked | None:
        """Keep a code that came without a state, sealed, in one commit; None if this browser brought it before.

        Raises:
            StateUsedError: another browser brought it before.
            TooManyArrivalsError: too many came within a minute. Nothing is kept, and the code is good still.
        """
        key, browser = _code_key(app, code), digest(proof.reveal())
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(ARRIVE, key, app.tenant_id, request_id, app.id, browser, STATE_LIFE)
            if row is None:
                known = await connection.fetchval(
                    "select browser_hash from authorization_requests where state_hash = $1", key
                )
                if not hmac.compare_digest(known, browser):
                    raise errors.StateUsedError
                return None
            if await connection.fetchval(UNPROVEN, app.tenant_id, app.id) >= self._a_minute:
                raise errors.TooManyArrivalsError
            unasked = returns.unasked(row)
            data_key = await sealing.key_for(connection, self._vault, app.tenant_id, request_id)
            await connection.execute(
                "update authorization_requests set code_sealed = $2 where state_hash = $1",
                key,
                data_key.seal("code", 1, code),
            )
            await connection.execute(
                "insert into claims (tenant_id, id, app_id, clock, browser_hash, state) values ($1, $2, $3, $4, $5, 'arriving')",
                app.tenant_id,
                unasked.claim_id,
                app.id,
                app.clock,
                browser,
            )
            await _note(connection, app.tenant_id, unasked.claim_id, "claim.arrived", "platform", {"app_id": app.id})
        return unasked

    async def kept_as(self, app: App, code: Secret) -> str | None:
        """The claim this code is kept as, if it is."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """
                select tenant_id, id as request_id, app_id, consumed_at from authorization_requests
                where state_hash = $1 and session_id is null
                """,
                _code_key(app, code),
            )
        return returns.unasked(row).claim_id if row else None

    async def keep(
        self, returned: Returned, proved: Proved, why: Why, *, of: str | None, contested: Sequence[Known] = ()
    ) -> bool:
        """Seal a grant under a key of its own, and end its return; False, and nothing kept, if somebody else ended it.

        The contested are told, and their refresh is due at once: their pair may have been ended by this grant.
        """
        tenants = {returned.tenant_id, *(known.tenant_id for known in contested)}
        async with self._database.connection(of=tenants) as connection, connection.transaction():
            if not await returns.is_to_be_ended(connection, returned):
                return False
            if isinstance(returned, Claimed) and not await changes.is_here(
                connection, returned.tenant_id, returned.merchant_id
            ):
                await returns.fail(connection, returned, errors.LinkRevokedError.code, proved.at)
                return False
            key = await sealing.key_for(connection, self._vault, returned.tenant_id, returned.claim_id)
            await connection.execute(
                KEEP,
                returned.tenant_id,
                returned.request_id,
                returned.claim_id,
                why,
                of,
                proved.granted.open_id,
                proved.granted.seller_name,
                json_text([_packed(shop) for shop in proved.shops]),
                sorted(proved.granted.scopes),
                proved.granted.pair.refresh_ends,
                proved.at,
                key.seal("grant", 1, pairs.packed(proved.granted)),
                self._life,
            )
            if isinstance(returned, Unasked):
                await returns.end(connection, returned, "done")
            else:
                await returns.fail(connection, returned, _code_of(why), proved.at, _instead(returned, proved))
            data = {"claim_id": returned.claim_id, "app_id": returned.app_id, "reason": why.value}
            told = Event(type="claim.waiting", data=data | {"shops": [shop.id for shop in proved.shops]})
            await events.write(connection, returned.tenant_id, of, [told], proved.at)
            await _note(
                connection, returned.tenant_id, returned.claim_id, "claim.waiting", returns.actor(returned), data
            )
            for known in contested:
                elsewhere = Event(type="connection.authorized_elsewhere")
                await events.write(connection, known.tenant_id, known.id, [elsewhere], proved.at)
                await _note(connection, known.tenant_id, known.id, elsewhere.type, "platform", {})
                await tokens.want(connection, known.tenant_id, [known.id], proved.at)
        return True

    async def elsewhere(self, app: App, shop_ids: Sequence[str]) -> Sequence[Known]:
        """What holds one of the shops under the same app of the platform, kept by others."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from held_elsewhere($1, $2, $3)", identity(app), app.id, list(shop_ids)
            )
        return await connections.these(self._database, [(row["tenant_id"], row["connection_id"]) for row in rows])

    async def find(self, tenant_id: str, claim_id: str) -> Claim:
        """One claim. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{SELECT} where tenant_id = $1 and id = $2", tenant_id, claim_id)
        if row is None:
            raise errors.NotFoundError("There is no such claim.")
        return _claim(row)

    async def of_browser(self, claim_id: str, proofs: Sequence[Secret]) -> Claim:
        """The claim of a browser that proves it brought the code. Raises NotFoundError for any other."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"{FIELDS} from claim_of_browser($1, $2)",
                claim_id,
                [digest(proof.reveal()) for proof in proofs],
            )
        if row is None:
            raise errors.NotFoundError("There is no such claim.")
        return _claim(row)

    async def brought(self, tenant_id: str, proofs: Sequence[Secret]) -> frozenset[str]:
        """The claims this browser proves it brought."""
        hashes = [digest(proof.reveal()) for proof in proofs]
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id from claims where tenant_id = $1 and browser_hash = any($2)", tenant_id, hashes
            )
        return frozenset(row["id"] for row in rows)

    async def page(self, tenant_id: str, *, after: str, limit: int) -> Sequence[Claim]:
        """What waits for an owner, in the order of the ids, beginning behind `after`."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"{SELECT} where tenant_id = $1 and id > $2 and state = 'waiting' and expires_at > now() order by id limit $3",
                tenant_id,
                after,
                limit,
            )
        return [_claim(row) for row in rows]

    async def grant(self, claim: Claim) -> tuple[Granted, datetime] | None:
        """The pair that waits, and when it was granted; None once it is gone."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(WAITING, claim.tenant_id, claim.id)
            if row is None:
                return None
            try:
                key = await sealing.key_of(connection, self._vault, claim.tenant_id, claim.id)
            except errors.VaultIntegrityError:
                if await connection.fetchrow(WAITING, claim.tenant_id, claim.id) is None:
                    return None  # somebody else has just claimed it, and its key went with it
                raise
        return pairs.unpacked(key.open("grant", 1, row["pair_sealed"])), row["granted_at"]

    async def complete(self, claim: Claim, change: Change, granted: Granted, *, due_at: datetime, actor: str) -> None:
        """Give the connection its pair, and end the claim.

        Raises:
            ClaimError: somebody was quicker, or it is over.
            NotFoundError: the customer is being erased.
            StaleError: the connection has moved since it was read.
        """
        async with self._database.transaction() as connection:
            await changes.admit(connection, claim.tenant_id, change.after.merchant_id)
            await _end(connection, claim, Stage.CLAIMED, change.after.id)
            await changes.keep(connection, change, actor=actor)
            await pairs.replace(connection, self._vault, change.after, granted, issued_at=change.at, due_at=due_at)
            data = {"claim_id": claim.id, "merchant_id": change.after.merchant_id}
            told = Event(type="claim.claimed", data=data)
            await events.write(connection, claim.tenant_id, change.after.id, [told], change.at)
            await _note(
                connection, claim.tenant_id, claim.id, told.type, actor, data | {"connection_id": change.after.id}
            )

    async def dismiss(self, claim: Claim, *, actor: str, now: datetime) -> None:
        """Destroy the pair. Raises ClaimError: somebody was quicker."""
        async with self._database.transaction() as connection:
            await _end(connection, claim, Stage.DISMISSED, None)
            told = Event(type="claim.dismissed", data={"claim_id": claim.id})
            await events.write(connection, claim.tenant_id, claim.connection_id, [told], now)
            await _note(connection, claim.tenant_id, claim.id, told.type, actor, {})

    async def expire(self, clock: str, now: datetime) -> int:
        """Destroy every pair nobody claimed in time; gives how many. Codes that brought nothing are forgotten with them."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"{SELECT} where clock = $1 and state = 'waiting' and expires_at <= now() order by id limit $2"
                " for update skip locked",
                clock,
                EXPIRED_AT_ONCE,
            )
            for claim in map(_claim, rows):
                await _end(connection, claim, Stage.EXPIRED, None)
                told = Event(type="claim.expired", data={"claim_id": claim.id})
                await events.write(connection, claim.tenant_id, claim.connection_id, [told], now)
                await _note(connection, claim.tenant_id, claim.id, told.type, "clock", {})
            await connection.execute(
                """
                with gone as (
                    delete from claims where clock = $1 and state = 'failed' and ended_at < now() - $2::interval
                    returning tenant_id, id)
                delete from authorization_requests r using gone
                where r.tenant_id = gone.tenant_id and r.id = 'req_' || substr(gone.id, 5)
                """,
                clock,
                FORGET_AFTER,
            )
        return len(rows)


async def _end(connection: Connection, claim: Claim, stage: Stage, connection_id: str | None) -> None:
    """End what waits, the data key first: whoever comes second changes nothing."""
    await sealing.destroy(connection, claim.tenant_id, claim.id)
    if not await connection.fetchval(END, claim.tenant_id, claim.id, stage, connection_id):
        row = await connection.fetchrow(f"{SELECT} where tenant_id = $1 and id = $2", claim.tenant_id, claim.id)
        raise _claim(row).refusal() or errors.ClaimExpiredError()


async def _note(
    connection: Connection, tenant_id: str, subject: str, action: str, actor: str, detail: dict[str, Any]
) -> None:
    await audit.write(
        connection, [Entry(tenant_id=tenant_id, actor=actor, action=action, subject=subject, detail=detail)]
    )


def _code_key(app: App, code: Secret) -> bytes:
    return digest(f"code|{app.id}|{code.reveal()}")


def _code_of(why: Why) -> str:
    """How the link says it that brought such a grant."""
    return errors.WrongShopError.code if why is Why.WRONG_SHOP else errors.ShopAlreadyConnectedError.code


def _instead(returned: Returned, proved: Proved) -> Mismatch:
    return Mismatch(shop_ids=tuple(shop.id for shop in proved.shops), claim_id=returned.claim_id)


def _packed(shop: Shop) -> dict[str, str]:
    return {
        "id": shop.id,
        "name": shop.name,
        "region": shop.region,
        "cipher": shop.cipher,
        "seller_type": shop.seller_type,
        "code": shop.code,
    }


def _claim(row: Any) -> Claim:
    return Claim(
        tenant_id=row["tenant_id"],
        id=row["id"],
        app_id=row["app_id"],
        clock=row["clock"],
        stage=Stage.EXPIRED if row["is_over"] else Stage(row["state"]),
        reason=row["reason"],
        connection_id=row["connection_id"],
        seller_name=row["seller_name"],
        shops=tuple(Shop(**shop) for shop in from_json(row["shops"])),
        scopes=frozenset(row["scopes"]),
        authorization_ends=row["authorization_ends"],
        arrived_at=row["arrived_at"],
        expires_at=row["expires_at"],
    )
