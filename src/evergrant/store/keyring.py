"""Matches the wrapping keys on disk with the database they sealed, and never writes with a key that is not the one."""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evergrant.store import locks, vault
from evergrant.store.database import Connection, Database

if TYPE_CHECKING:
    from evergrant.store.vault import Vault


async def open_vault(database: Database, folder: Path) -> "Vault":
    """The vault for this database. A new database gets its first key; an old one must find every key it was sealed with.

    Raises:
        VaultKeyError: a key is missing, unreadable, or another than the database knows.
    """
    async with database.transaction() as connection:
        await connection.execute(f"select pg_advisory_xact_lock({locks.KEYRING})")
        known = await _known(connection)
        keys = vault.read_keys(folder)
        if not known:
            key = keys.get(1) or vault.make_key(folder, 1)
            await connection.execute("insert into vault_keys (number, proof) values (1, $1)", vault.proof_of(key))
            return _vault({1: key}, folder)
    return _matched(known, keys, folder)


async def check(database: Database, folder: Path) -> None:
    """Look whether the keys on disk are those of the database, and make nothing: a new database may still have none.

    Raises:
        VaultKeyError: as `open_vault`.
    """
    async with database.connection() as connection:
        known = await _known(connection)
    if known:
        _matched(known, vault.read_keys(folder), folder)


async def _known(connection: Connection) -> dict[int, bytes]:
    """Number and proof of every generation that is still needed. What was retired may be gone."""
    rows = await connection.fetch("select number, proof from vault_keys where retired_at is null")
    return {row["number"]: row["proof"] for row in rows}


def _vault(keys: Mapping[int, bytes], folder: Path) -> "Vault":
    return vault.Vault(keys, lambda: vault.read_keys(folder))


def _matched(known: Mapping[int, bytes], keys: Mapping[int, bytes], folder: Path) -> "Vault":
    for number, proof in known.items():
        if number not in keys:
            raise vault.VaultKeyError(
                f"The vault key {folder / vault.KEY_FILE.format(number=number)} is missing. Everything this database holds "
                "was sealed with it: restore it from your backup of keys."
            )
        if not hmac.compare_digest(proof, vault.proof_of(keys[number])):
            raise vault.VaultKeyError(
                f"The vault key {folder / vault.KEY_FILE.format(number=number)} is not the one this database was sealed "
                "with: restore the right one from your backup of keys, or point to the right database."
            )
    return _vault(keys, folder)


async def next_key(connection: Connection, folder: Path) -> tuple[int, bytes]:
    """Number and proof of the generation after the newest, its file made now unless it lies there already."""
    await connection.execute(f"select pg_advisory_xact_lock({locks.KEYRING})")
    number = 1 + await connection.fetchval("select max(number) from vault_keys")
    key = vault.read_keys(folder).get(number) or vault.make_key(folder, number)
    return number, vault.proof_of(key)


def numbers(folder: Path) -> frozenset[int]:
    """Which generations have their file in the folder."""
    return frozenset(vault.read_keys(folder))


def destroy(folder: Path, number: int) -> bool:
    """Destroy a generation's file; says whether it was there."""
    return vault.destroy_key(folder, number)
