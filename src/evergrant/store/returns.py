"""Returns from the platform: how one is read from its row, and how it ends."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from evergrant.actions.reading import Entry
from evergrant.core import errors
from evergrant.core.connection import Event
from evergrant.core.link import Claimed, Mismatch, Mode, Purpose, Returned, Unasked
from evergrant.store import audit, events, sealing
from evergrant.store.database import Connection
from evergrant.store.values import json_text


async def is_to_be_ended(connection: Connection, returned: Returned) -> bool:
    """Whether it still waits to be finished; nobody else finishes it before this transaction ends."""
    stage = await connection.fetchval(
        "select exchange from authorization_requests where tenant_id = $1 and id = $2 for update",
        returned.tenant_id,
        returned.request_id,
    )
    return bool(stage == "answered")


async def end(connection: Connection, returned: Returned, how: str) -> None:
    """End a return, and destroy what was sealed for it."""
    await connection.execute(
        """
        update authorization_requests set exchange = $3, code_sealed = null, grant_sealed = null, lease_until = null
        where tenant_id = $1 and id = $2
        """,
        returned.tenant_id,
        returned.request_id,
        how,
    )
    await sealing.destroy(connection, returned.tenant_id, returned.request_id)


async def fail(
    connection: Connection, returned: Returned, code: str, now: datetime, instead: Mismatch | None = None
) -> None:
    """End a return without a connection, in the caller's transaction. Its code is destroyed, and its session says why.

    `instead` is kept where the wrong shop was chosen.
    """
    await end(connection, returned, "failed")
    if not isinstance(returned, Claimed):
        await claim_ended(connection, returned, "failed", reason=code)
        return
    is_wrong = code == errors.WrongShopError.code
    kept = asdict(instead) if instead and is_wrong else None
    failed = await connection.fetchval(
        """
        update link_sessions set outcome = 'failed', code = $3, mismatch = $4, ended_at = now()
        where tenant_id = $1 and id = $2 and outcome is distinct from 'completed' returning true
        """,
        returned.tenant_id,
        returned.session_id,
        code,
        json_text(kept) if kept else None,
    )
    if failed:
        kind = "link_session.wrong_shop" if is_wrong else "link_session.failed"
        data: dict[str, str | list[str] | None] = {"link_session_id": returned.session_id, "code": code}
        if instead and is_wrong:
            data |= {"shops": list(instead.shop_ids), "claim_id": instead.claim_id}
        told = Event(type=kind, data=data)
        await events.write(connection, returned.tenant_id, returned.connection_id, [told], now)


async def claim_ended(
    connection: Connection,
    returned: Returned,
    state: str,
    *,
    reason: str | None = None,
    connection_id: str | None = None,
) -> None:
    """What came of a return without a state, where nobody has to claim it."""
    await connection.execute(
        """
        update claims set state = $3, reason = $4, connection_id = $5, ended_at = now()
        where tenant_id = $1 and id = $2 and state = 'arriving'
        """,
        returned.tenant_id,
        returned.claim_id,
        state,
        reason,
        connection_id,
    )
    entry = Entry(
        tenant_id=returned.tenant_id,
        actor="platform",
        action=f"claim.{state}",
        subject=returned.claim_id,
        detail={"reason": reason, "connection_id": connection_id},
    )
    await audit.write(connection, [entry])


def actor(returned: Returned) -> str:
    """Who brought it, for the trail."""
    return f"link:{returned.session_id}" if isinstance(returned, Claimed) else f"claim:{returned.claim_id}"


def from_row(row: Any) -> Returned:
    """A return, with its session if it has one."""
    return claimed(row) if row["session_id"] else unasked(row)


def unasked(row: Any) -> Unasked:
    """A return without a state."""
    return Unasked(
        tenant_id=row["tenant_id"], request_id=row["request_id"], app_id=row["app_id"], claimed_at=row["consumed_at"]
    )


def claimed(row: Any) -> Claimed:
    """A spent request with its session."""
    return Claimed(
        tenant_id=row["tenant_id"],
        request_id=row["request_id"],
        session_id=row["session_id"],
        app_id=row["app_id"],
        merchant_id=row["merchant_id"],
        purpose=Purpose(row["purpose"]),
        mode=Mode(row["mode"]),
        connection_id=row["connection_id"],
        return_to=row["return_to"],
        claimed_at=row["consumed_at"],
    )
