"""Lend an access token to the vendor's own code: fresh, within its scopes, recorded before it leaves; or say what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evergrant.core import errors, gate
from evergrant.core.authorization import Authorization
from evergrant.core.gate import Why
from evergrant.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Lendable:
    """What is known of a connection at the moment somebody asks for its token."""

    connection_id: str
    open_id: str
    clock: str
    authorization: Authorization
    required_scopes: frozenset[str]
    access: Secret | None
    access_ends: datetime | None
    ciphers: Sequence[tuple[str, str, bool]]
    """(shop id, cipher, authorized) of every shop."""
    is_damaged: bool = False
    """There is a token, and it does not open where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A token that may leave, and what its user needs beside it."""

    access: Secret
    ends: datetime
    cipher: str | None
    open_id: str
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]


def lend(found: Lendable, *, shop_id: str | None, least: timedelta, now: datetime) -> Loan:
    """The token of a connection, if it may leave at `now` and lives at least `least` longer.

    Raises:
        ShutError: the authorization is not alive, or does not cover the shop.
        NotFoundError: the connection has no such shop.
        VaultIntegrityError: the token does not open: it was moved, changed or cut, or its key is gone.
        TokenBeingRefreshedError: the authorization is alive, its token is not; the refresh has to come first.
    """
    decided = gate.for_token(found.authorization, now)
    if not decided.open:
        assert decided.why is not None
        raise gate.ShutError(decided.why)
    cipher = _cipher(found, shop_id)
    if found.is_damaged:
        raise errors.VaultIntegrityError
    if found.access is None or found.access_ends is None or found.access_ends - now <= least:
        raise errors.TokenBeingRefreshedError
    return Loan(
        access=found.access,
        ends=found.access_ends,
        cipher=cipher,
        open_id=found.open_id,
        scopes=tuple(sorted(found.authorization.scopes)),
        missing_scopes=tuple(sorted(found.authorization.missing(found.required_scopes))),
    )


def _cipher(found: Lendable, shop_id: str | None) -> str | None:
    """The cipher asked for; without a shop id, that of the only shop."""
    if shop_id is None:
        return found.ciphers[0][1] if len(found.ciphers) == 1 else None
    for known_id, cipher, authorized in found.ciphers:
        if known_id == shop_id:
            if not authorized:
                raise gate.ShutError(Why.SHOP_NOT_AUTHORIZED)
            return cipher
    raise errors.NotFoundError("This connection has no such shop.")
