"""Access tokens that leave through the API: one, or a hundred in one answer, each with its own yes or no."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from evergrant.actions import lend
from evergrant.actions.lend import Lendable, Loan
from evergrant.actions.reading import ApiKey, Entry
from evergrant.core.app import WALL
from evergrant.core.errors import (
    EvergrantError,
    InvalidRequestError,
    NotFoundError,
    TokenBeingRefreshedError,
    VaultIntegrityError,
)
from evergrant.core.secret import Secret
from evergrant.web import access, problems
from evergrant.web.desk import Desk

MOST = 100
LONGEST_MIN_TTL = timedelta(days=1)
NOT_HERE = "There is no such connection."

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Wanted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a batch read."""

    ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST)]
    min_ttl: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0


def wanted(body: bytes) -> Wanted:
    """The body of a batch read, checked.

    Raises:
        InvalidRequestError: it is not what was asked for.
    """
    try:
        found = msgspec.json.decode(body, type=Wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise InvalidRequestError(
            'Send {"ids": ["con_…", …]} with 1 to 100 connection ids and, if you like, "min_ttl": seconds up to a day (86400).'
        ) from None
    if any("\x00" in each for each in found.ids):
        raise InvalidRequestError("An id has a character no id has.")
    return found


async def batch(desk: Desk, shown: Secret, given: Wanted, request_id: str) -> dict[str, object]:
    """Each connection's token or why there is none, in the order asked for; read by one statement, recorded in one commit.

    Raises:
        DoorError: the key may not.
        AuditUnavailableError: nothing could be recorded, so nothing is released.
    """
    ids = list(dict.fromkeys(given.ids))
    key, found = await desk.keys.for_tokens(shown, ids)
    key = access.admitted(key, "tokens")
    desk.walls.enter(key.tenant_id)
    least = timedelta(seconds=given.min_ttl)
    loans, stale = [], []
    for connection_id, known in zip(ids, found, strict=True):
        loan = await _lent(desk, known, least)
        loans.append(loan)
        if isinstance(loan, TokenBeingRefreshedError):
            assert isinstance(known, Lendable)
            stale.append((connection_id, known.clock))
    for clock in {clock for _, clock in stale}:
        those = [connection_id for connection_id, each in stale if each == clock]
        now = await desk.ports.clock.now(clock)
        await desk.ports.books.tokens.want_all(key.tenant_id, those, now, until=now + least)
    entries = []
    for connection_id, known, loan in zip(ids, found, loans, strict=True):
        if isinstance(loan, Loan):
            assert known
            entries.append(
                entry(key, connection_id, request_id, detail=at(known, await desk.ports.clock.now(known.clock)))
            )
        elif isinstance(loan, VaultIntegrityError):
            entries.append(entry(key, connection_id, request_id, "vault.integrity_failed"))
    await desk.trail.record_all(entries)
    told = {
        connection_id: {"token": shape(loan)} if isinstance(loan, Loan) else problems.body_of(loan, request_id)
        for connection_id, loan in zip(ids, loans, strict=True)
    }
    return {"items": [{"id": connection_id, **told[connection_id]} for connection_id in given.ids]}


async def _lent(desk: Desk, known: Lendable | None, least: timedelta) -> Loan | EvergrantError:
    if known is None:
        return NotFoundError(NOT_HERE)
    try:
        return lend.lend(known, shop_id=None, least=least, now=await desk.ports.clock.now(known.clock))
    except EvergrantError as error:
        return error


def shape(loan: Loan) -> dict[str, Any]:
    """A token as it leaves."""
    return {
        "access_token": loan.access.reveal(),
        "expires_at": loan.ends,
        "shop_cipher": loan.cipher,
        "open_id": loan.open_id,
        "scopes": loan.scopes,
        "missing_scopes": loan.missing_scopes,
    }


def at(known: Lendable, now: datetime) -> Mapping[str, str]:
    """When a token was read in platform time, where that is not the database's own."""
    return {} if known.clock == WALL else {"at": now.isoformat()}


def entry(
    key: ApiKey,
    connection_id: str,
    request_id: str,
    action: str = "token.read",
    detail: Mapping[str, str] | None = None,
) -> Entry:
    """The line of the trail that has to be durable before a token leaves."""
    return Entry(
        tenant_id=key.tenant_id,
        actor=key.id,
        action=action,
        subject=connection_id,
        request_id=request_id,
        detail=detail or {},
    )
