"""Hosted links, and the authorization requests that left through them: made once, spent once, by the right browser."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from evergrant.actions.ports import LinkSession
from evergrant.actions.reading import Entry
from evergrant.core import errors
from evergrant.core.link import STATE_LIFE, Claimed, Mismatch, Mode, Purpose
from evergrant.core.secret import Secret
from evergrant.store import audit, returns, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.values import digest, from_json

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

CLAIM = """
update authorization_requests r set consumed_at = now(), exchange = 'waiting', code_sealed = $5,
    fence = fence + 1, lease_until = now() + interval '30 seconds'
from link_sessions s
where r.state_hash = $1 and r.app_id = $2 and r.browser_hash = $3 and r.consumed_at is null and r.expires_at > now()
  and r.tenant_id = $4 and s.tenant_id = r.tenant_id and s.id = r.session_id
  and s.revoked_at is null and s.outcome is distinct from 'completed'
returning r.tenant_id, r.id as request_id, r.app_id, r.consumed_at, s.id as session_id, s.merchant_id, s.purpose, s.mode,
    s.connection_id, s.return_to
"""

RACE = timedelta(seconds=2)
"""A second return this soon is a race or a replay, and refused. One that comes later, in the browser that left, is somebody
who never saw the answer to the first (crash point C7): they are shown how it came out."""


class Links:
    """Link sessions, and the requests that left through them."""

    def __init__(self, database: Database, vault: "Vault") -> None:
        self._database = database
        self._vault = vault

    async def add(self, session: LinkSession, handle: Secret, life: timedelta) -> datetime:
        """Keep a new session; gives when it expires (wall time).

        Raises:
            NotFoundError: the tenant has no such merchant, app or connection.
        """
        async with self._database.transaction() as connection:
            await _known(connection, session)
            expires_at: datetime = await connection.fetchval(
                """
                insert into link_sessions (tenant_id, id, merchant_id, app_id, purpose, connection_id, mode, return_to,
                    created_by, expires_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10)
                returning expires_at
                """,
                session.tenant_id,
                session.id,
                session.merchant_id,
                session.app_id,
                session.purpose,
                session.connection_id,
                session.mode,
                session.return_to,
                session.created_by,
                life,
            )
            await connection.execute(
                "insert into link_handles (hash, tenant_id, session_id) values ($1, $2, $3)",
                digest(handle.reveal()),
                session.tenant_id,
                session.id,
            )
            entry = Entry(
                tenant_id=session.tenant_id,
                actor=session.created_by,
                action="link_session.created",
                subject=session.connection_id or session.id,
                detail={"link_session": session.id, "purpose": session.purpose},
            )
            await audit.write(connection, [entry])
        return expires_at

    async def by_handle(self, handle: Secret) -> LinkSession:
        """The session of a link that can still be used.

        Raises:
            LinkError: unknown, expired, used or revoked.
        """
        rows = await self._database.look_up("link_of_handle", digest(handle.reveal()))
        if not rows:
            raise errors.LinkUnknownError
        row = rows[0]
        if row["revoked_at"] is not None:
            raise errors.LinkRevokedError
        if row["outcome"] == "completed":
            raise errors.LinkUsedError
        if row["is_expired"]:
            raise errors.LinkExpiredError
        return _session(row)

    async def find(self, tenant_id: str, session_id: str) -> LinkSession:
        """One session. Raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "select * from link_sessions where tenant_id = $1 and id = $2", tenant_id, session_id
            )
        if row is None:
            raise errors.NotFoundError("There is no such link session.")
        return _session(row)

    async def of_browser(self, session_id: str, browser: Secret) -> LinkSession:
        """The session that left with this browser. Raises NotFoundError for any other browser."""
        rows = await self._database.look_up("link_of_browser", session_id, digest(browser.reveal()))
        if not rows:
            raise errors.NotFoundError("There is no such link session.")
        return _session(rows[0])

    async def revoke(self, tenant_id: str, session_id: str, *, actor: str) -> LinkSession:
        """Withdraw a link; one that was used stays used. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                update link_sessions set revoked_at = coalesce(revoked_at, now())
                where tenant_id = $1 and id = $2 and outcome is distinct from 'completed'
                """,
                tenant_id,
                session_id,
            )
            entry = Entry(tenant_id=tenant_id, actor=actor, action="link_session.revoked", subject=session_id)
            await audit.write(connection, [entry])
        return await self.find(tenant_id, session_id)

    async def depart(self, session: LinkSession, request_id: str, state: Secret, browser: Secret) -> None:
        """Keep that a browser left for the platform with this state; what went wrong before is forgotten."""
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                update link_sessions set opened_at = coalesce(opened_at, now()), outcome = null, code = null, mismatch = null
                where tenant_id = $1 and id = $2 and outcome is distinct from 'completed'
                """,
                session.tenant_id,
                session.id,
            )
            await connection.execute(
                """
                insert into authorization_requests (state_hash, tenant_id, id, session_id, app_id, browser_hash, expires_at)
                values ($1, $2, $3, $4, $5, $6, now() + $7)
                """,
                digest(state.reveal()),
                session.tenant_id,
                request_id,
                session.id,
                session.app_id,
                digest(browser.reveal()),
                STATE_LIFE,
            )

    async def claim(
        self,
        state: Secret,
        app_id: str,
        browsers: Sequence[Secret],
        brought: Secret | tuple[errors.LinkError, datetime],
    ) -> Claimed:
        """Spend a state, and keep the code sealed or say at once why none came; one of `browsers` has to be the one that
        left with it.

        Raises:
            LinkError: unknown, another app's, another browser's, spent or too old.
        """
        key = digest(state.reveal())
        async with self._database.transaction() as connection:
            request = await connection.fetchrow("select * from authorization_requests where state_hash = $1", key)
            if request is None or request["session_id"] is None:  # what came without a state is known by its code
                raise errors.StateUnknownError
            if request["app_id"] != app_id:
                raise errors.AppMismatchError
            browser_hash = request["browser_hash"]
            known = [hmac.compare_digest(digest(browser.reveal()), browser_hash) for browser in browsers]
            if not any(known):
                raise errors.BrowserMismatchError
            sealed = None
            if isinstance(brought, Secret):
                data_key = await sealing.key_for(connection, self._vault, request["tenant_id"], request["id"])
                sealed = data_key.seal("code", 1, brought)
            row = await connection.fetchrow(CLAIM, key, app_id, browser_hash, request["tenant_id"], sealed)
            if row is None:
                raise await _why_not(connection, key)
            claimed = returns.claimed(row)
            if not isinstance(brought, Secret):
                error, now = brought
                await returns.fail(connection, claimed, error.code, now)
        return claimed


async def _why_not(connection: Connection, state_hash: bytes) -> errors.LinkError:
    """Why a state that its own browser brought back could not be spent."""
    row = await connection.fetchrow(
        """
        select r.consumed_at, r.consumed_at < now() - $2::interval as is_reload, r.session_id, s.revoked_at, s.outcome
        from authorization_requests r
        join link_sessions s on s.tenant_id = r.tenant_id and s.id = r.session_id where r.state_hash = $1
        """,
        state_hash,
        RACE,
    )
    if row["consumed_at"] is not None:
        used = errors.StateUsedError()
        used.session_id = row["session_id"] if row["is_reload"] else ""
        return used
    if row["revoked_at"] is not None:
        return errors.LinkRevokedError()
    return errors.LinkUsedError() if row["outcome"] == "completed" else errors.StateExpiredError()


async def _known(connection: Connection, session: LinkSession) -> None:
    """Raises NotFoundError unless the merchant, the app and the connection are the tenant's and belong together."""
    row = await connection.fetchrow(
        """
        select exists(select from merchants where tenant_id = $1 and id = $2 and erased_at is null) as merchant,
               exists(select from apps where tenant_id = $1 and id = $3) as app,
               $4::text is null or exists(select from connections
                   where tenant_id = $1 and id = $4 and merchant_id = $2 and app_id = $3 and state <> 'erased') as connection
        """,
        session.tenant_id,
        session.merchant_id,
        session.app_id,
        session.connection_id,
    )
    for thing in ("merchant", "app", "connection"):
        if not row[thing]:
            raise errors.NotFoundError(f"There is no such {thing}.")


def _session(row: Any) -> LinkSession:
    return LinkSession(
        tenant_id=row["tenant_id"],
        id=row["id"],
        merchant_id=row["merchant_id"],
        app_id=row["app_id"],
        purpose=Purpose(row["purpose"]),
        connection_id=row["connection_id"],
        mode=Mode(row["mode"]),
        return_to=row["return_to"],
        created_by=row["created_by"],
        expires_at=row["expires_at"],
        outcome=row["outcome"],
        code=row["code"],
        result_id=row["result_id"],
        is_revoked=row["revoked_at"] is not None,
        mismatch=_mismatch(row["mismatch"]),
    )


def _mismatch(text: str | None) -> Mismatch | None:
    if text is None:
        return None
    kept = from_json(text)
    return Mismatch(shop_ids=tuple(kept["shop_ids"]), claim_id=kept["claim_id"], connection_id=kept["connection_id"])
