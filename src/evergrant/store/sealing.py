"""Data keys in the database: made with an owner's first secret, fetched to open it, gone when its secrets must be."""

from contextlib import suppress
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
    """The owner's data key, open; made now if it has none. Two makers at once agree on one.

    Wrapped by the newest generation the database takes: one that lies on disk only is not announced yet, and one that is
    retired takes nothing more, however long this process has been running with it.

    Raises:
        VaultIntegrityError: as `key_of`; or no generation at hand is one that may wrap.
    """
    for _ in range(2):
        for number in vault.generations:
            fresh, wrapped = vault.new_data_key(tenant_id=tenant_id, owner_id=owner_id, number=number)
            if await _kept(connection, tenant_id, owner_id, wrapped):
                return fresh
            with suppress(VaultIntegrityError):
                return await key_of(connection, vault, tenant_id, owner_id)
        vault.read_again()
    return await key_of(connection, vault, tenant_id, owner_id)


async def _kept(connection: Connection, tenant_id: str, owner_id: str, key: WrappedKey) -> bool:
    """Whether the key is the owner's from now on: it has no other, and its generation may wrap."""
    made = await connection.fetchval(
        """
        insert into data_keys (tenant_id, owner_id, key_number, wrapped) values ($1, $2, $3, $4)
        on conflict do nothing returning true
        """,
        tenant_id,
        owner_id,
        key.number,
        key.wrapped,
    )
    return bool(made)


async def destroy(connection: Connection, tenant_id: str, owner_id: str) -> None:
    """Make everything sealed for the owner unreadable."""
    await connection.execute("delete from data_keys where tenant_id = $1 and owner_id = $2", tenant_id, owner_id)


def opened(vault: "Vault", tenant_id: str, owner_id: str, number: int | None, wrapped: bytes | None) -> "DataKey":
    """A wrapped data key, opened.

    Raises:
        VaultIntegrityError: it was destroyed, or does not open.
    """
    if number is None or wrapped is None:
        raise VaultIntegrityError(f"the data key of {owner_id} is gone")
    return vault.open_data_key(WrappedKey(number, wrapped), tenant_id=tenant_id, owner_id=owner_id)
