"""Data keys in the database: made with an owner's first secret, fetched to open it, gone when its secrets must be."""

from typing import TYPE_CHECKING

from evergrant.core.errors import VaultIntegrityError
from evergrant.store.database import Connection
from evergrant.store.values import WrappedKey

if TYPE_CHECKING:
    from evergrant.store.vault import DataKey, Vault


async def key_of(connection: Connection, vault: "Vault", tenant_id: str, owner_id: str) -> "DataKey":
    """The owner's data key, open.

    Raises:
        VaultIntegrityError: it was destroyed, or does not open.
    """
    row = await connection.fetchrow(
        "select key_number, wrapped from data_keys where tenant_id = $1 and owner_id = $2", tenant_id, owner_id
    )
    if row is None:
        raise VaultIntegrityError(f"the data key of {owner_id} is gone")
    return opened(vault, tenant_id, owner_id, row["key_number"], row["wrapped"])


async def key_for(connection: Connection, vault: "Vault", tenant_id: str, owner_id: str) -> "DataKey":
    """The owner's data key, open; made now if it has none. Two makers at once agree on one."""
    fresh, wrapped = vault.new_data_key(tenant_id=tenant_id, owner_id=owner_id)
    made = await connection.fetchval(
        """
        insert into data_keys (tenant_id, owner_id, key_number, wrapped) values ($1, $2, $3, $4)
        on conflict do nothing returning true
        """,
        tenant_id,
        owner_id,
        wrapped.number,
        wrapped.wrapped,
    )
    return fresh if made else await key_of(connection, vault, tenant_id, owner_id)


async def destroy(connection: Connection, tenant_id: str, owner_id: str) -> None:
    """Make everything sealed for the owner unreadable."""
    await connection.execute("delete from data_keys where tenant_id = $1 and owner_id = $2", tenant_id, owner_id)


def opened(vault: "Vault", tenant_id: str, owner_id: str, number: int, wrapped: bytes) -> "DataKey":
    """A wrapped data key, opened."""
    return vault.open_data_key(WrappedKey(number, wrapped), tenant_id=tenant_id, owner_id=owner_id)
