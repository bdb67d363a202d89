"""Token pairs at rest: packed, sealed for their connection, and replaced under a rising version and fence."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING

import msgspec

from evergrant.actions.ports import SealingKey
from evergrant.core.connection import Connection as Known
from evergrant.core.secret import Secret
from evergrant.core.tokens import TokenPair
from evergrant.providers.wire import Granted
from evergrant.store import sealing
from evergrant.store.database import Connection
from evergrant.store.values import digest

if TYPE_CHECKING:
    from evergrant.store.vault import Vault


class _Packed(msgspec.Struct):
    access: str
    access_ends: datetime
    refresh: str
    refresh_ends: datetime
    open_id: str
    user_type: int
    seller_name: str
    region: str
    scopes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPair:
    """A pair as the tokens row holds it."""

    version: int
    access: bytes
    access_ends: datetime
    refresh: bytes
    refresh_hash: bytes
    refresh_ends: datetime


def packed(granted: Granted) -> Secret:
    """A whole answer as one secret, for the places where it waits for its connection."""
    whole = _Packed(
        access=granted.pair.access.reveal(),
        access_ends=granted.pair.access_ends,
        refresh=granted.pair.refresh.reveal(),
        refresh_ends=granted.pair.refresh_ends,
        open_id=granted.open_id,
        user_type=granted.user_type,
        seller_name=granted.seller_name,
        region=granted.region,
        scopes=sorted(granted.scopes),
    )
    return Secret(msgspec.json.encode(whole).decode())


def unpacked(secret: Secret) -> Granted:
    """The answer that was packed."""
    whole = msgspec.json.decode(secret.reveal(), type=_Packed)
    pair = TokenPair(
        access=Secret(whole.access),
        access_ends=whole.access_ends,
        refresh=Secret(whole.refresh),
        refresh_ends=whole.refresh_ends,
    )
    return Granted(
        pair=pair,
        open_id=whole.open_id,
        user_type=whole.user_type,
        seller_name=whole.seller_name,
        region=whole.region,
        scopes=frozenset(whole.scopes),
    )


def sealed(key: SealingKey, pair: TokenPair, version: int) -> SealedPair:
    """A pair, sealed as that version."""
    return SealedPair(
        version=version,
        access=key.seal("access_token", version, pair.access),
        access_ends=pair.access_ends,
        refresh=key.seal("refresh_token", version, pair.refresh),
        refresh_hash=digest(pair.refresh.reveal()),
        refresh_ends=pair.refresh_ends,
    )


async def replace(
    connection: Connection, vault: "Vault", holder: Known, granted: Granted, *, issued_at: datetime, due_at: datetime
) -> None:
    """Give a connection the pair of a new consent. The fence rises, so a refresh still under way cannot overwrite it;
    and it never begins anew, not even for a connection whose tokens were destroyed: no attempt has another's number.
    """
    key = await sealing.key_for(connection, vault, holder.tenant_id, holder.id)
    version = await connection.fetchval(
        "select version from tokens where tenant_id = $1 and connection_id = $2 for update", holder.tenant_id, holder.id
    )
    if version is None:  # versions begin anew, so what is held of this connection would hold a pair it never meant
        await connection.execute(
            "delete from recovery_held where tenant_id = $1 and connection_id = $2", holder.tenant_id, holder.id
        )
    pair = sealed(key, granted.pair, (version or 0) + 1)
    await connection.execute(
        """
        insert into tokens (tenant_id, connection_id, app_id, clock, version, access_sealed, access_ends, refresh_sealed,
            refresh_hash, refresh_ends, issued_at, due_at, fence)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce(
            (select max(fence) from presentations where tenant_id = $1 and connection_id = $2), 0))
        on conflict (tenant_id, connection_id) do update set version = excluded.version,
            access_sealed = excluded.access_sealed, access_ends = excluded.access_ends,
            refresh_sealed = excluded.refresh_sealed, refresh_hash = excluded.refresh_hash,
            refresh_ends = excluded.refresh_ends, issued_at = excluded.issued_at, due_at = excluded.due_at,
            fence = tokens.fence + 1, lease_until = null, failures = 0
        """,
        holder.tenant_id,
        holder.id,
        holder.app_id,
        holder.clock,
        pair.version,
        pair.access,
        pair.access_ends,
        pair.refresh,
        pair.refresh_hash,
        pair.refresh_ends,
        issued_at,
        due_at,
    )
    await connection.execute(
        """
        update presentations set outcome = 'outlived', ended_at = now()
        where tenant_id = $1 and connection_id = $2 and (outcome is null or outcome = 'in_doubt')
        """,
        holder.tenant_id,
        holder.id,
    )
    await connection.execute(
        "update connections set in_doubt_since = null where tenant_id = $1 and id = $2", holder.tenant_id, holder.id
    )


async def set_aside(
    connection: Connection,
    vault: "Vault",
    tenant_id: str,
    app_id: str,
    connection_id: str | None,
    granted: Granted,
    why: str,
    *,
    issued_at: datetime | None = None,
) -> None:
    """Keep a pair nobody may use yet, sealed under a key of its own: it may be the only living one of its grant.

    What came for a connection that was erased meanwhile is not kept.
    """
    if await connection.fetchval(
        "select true from connections where tenant_id = $1 and id = $2 and state = 'erased'", tenant_id, connection_id
    ):
        return
    stray_id = f"str_{token_hex(16)}"
    key = await sealing.key_for(connection, vault, tenant_id, stray_id)
    await connection.execute(
        """
        insert into stray_pairs (tenant_id, id, app_id, connection_id, why, pair_sealed, issued_at)
        values ($1, $2, $3, $4, $5, $6, $7)
        """,
        tenant_id,
        stray_id,
        app_id,
        connection_id,
        why,
        key.seal("grant", 1, packed(granted)),
        issued_at,
    )
