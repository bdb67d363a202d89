"""Generations of the vault's key: a new one made, every data key wrapped again under it, the old one destroyed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from evergrant.actions.reading import Entry
from evergrant.core.errors import ConflictError, NotFoundError, VaultIntegrityError
from evergrant.store import audit, chain, changes, keyring, locks, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.signing import Signer
from evergrant.store.values import WrappedKey

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

AT_ONCE = 500
"""Data keys wrapped again in one transaction: a killed process loses no more than this of its work."""

FIELDS = (("access_token", "access_sealed"), ("refresh_token", "refresh_sealed"))

OPEN_ATTEMPTS = """
select exists (select from presentations where tenant_id = $1 and connection_id = $2
               and (outcome is null or outcome = 'in_doubt'))
"""

log = structlog.get_logger("vault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generation: how many data keys it wraps, and whether its file is on this machine."""

    number: int
    made_at: datetime
    retired_at: datetime | None
    wraps: int
    is_here: bool


class Generations:
    """The vault's keys outside the database, one generation after the other."""

    def __init__(self, database: Database, vault: "Vault", signer: Signer, folder: Path) -> None:
        self._database = database
        self._vault = vault
        self._signer = signer
        self._folder = folder
        self._reached: dict[int, tuple[str, str]] = {}

    async def all(self) -> Sequence[Generation]:
        """Every generation there was, oldest first."""
        here = keyring.numbers(self._folder)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """
                select v.*, (select count(*) from data_keys k where k.key_number = v.number) as wraps
                from vault_keys v order by v.number
                """
            )
        return [
            Generation(
                number=row["number"],
                made_at=row["created_at"],
                retired_at=row["retired_at"],
                wraps=row["wraps"],
                is_here=row["number"] in here,
            )
            for row in rows
        ]

    async def prepare(self) -> int:
        """Make the next generation's file, if it is not there yet, and use it for nothing; gives its number."""
        async with self._database.transaction() as connection:
            return (await keyring.next_key(connection, self._folder))[0]

    async def rotate(self) -> int:
        """Announce the next generation, made now unless it was prepared; from now on it wraps. Gives its number.

        Killed before the announcement is committed, the file stays, and the next call announces it.
        """
        async with self._database.transaction() as connection:
            number, proof = await keyring.next_key(connection, self._folder)
            await connection.execute("insert into vault_keys (number, proof) values ($1, $2)", number, proof)
            await connection.execute("select pg_notify('evergrant_work', 'rewrap')")
        self._vault.read_again()
        return number

    async def rewrap(self, limit: int = AT_ONCE) -> int:
        """Wrap some data keys again under the newest generation; gives how many. What it did stays done."""
        async with self._database.transaction() as connection:
            living = await _held(connection)
            for old in living[1:]:
                if living[0] not in self._vault.generations and not self._vault.read_again():
                    raise VaultIntegrityError(f"generation {living[0]} of the vault's key is not on this machine")
                done = await self._moved(connection, old, living[0], limit)
                if done:
                    return done
        return 0

    async def retire(self, number: int) -> bool:
        """Destroy a generation that wraps nothing any more; says whether its file was on this machine. Its proof stays.

        What it signed last of each tenant's audit trail is signed again by a newer one first.

        Raises:
            NotFoundError: there is no such generation.
            ConflictError: it is the newest, or data keys are still wrapped by it.
        """
        async with self._database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", locks.KEYRING)
            # Conflicts with the lock every new data key takes on its generation, and whoever signs: the count below misses
            # none, and nothing more is signed with it.
            known = await connection.fetchval("select true from vault_keys where number = $1 for update", number)
            if not known:
                raise NotFoundError("There is no such generation: evergrant vault status shows them.")
            living = await _living(connection)
            if number == living[0]:
                raise ConflictError("This generation is the newest: evergrant vault rotate makes the next one first.")
            left = await connection.fetchval("select count(*) from data_keys where key_number = $1", number)
            if left:
                raise ConflictError(
                    f"{left} data keys are still wrapped by generation {number}. Workers wrap them again by themselves; "
                    "evergrant vault rewrap does it at once. Those that do not open are named in the log: erase their owners."
                )
            await chain.sign_again(connection, self._signer, number, [each for each in living if each != number])
            await connection.execute(
                "update vault_keys set retired_at = coalesce(retired_at, now()) where number = $1", number
            )
        return await asyncio.to_thread(keyring.destroy, self._folder, number)

    async def newest_is_older_than(self, days: int) -> bool:
        """Whether the newest generation was made longer ago, by the database's clock."""
        async with self._database.connection() as connection:
            old: bool = await connection.fetchval(
                "select max(created_at) < now() - make_interval(days => $1) from vault_keys where retired_at is null",
                days,
            )
        return old

    async def reseal(self, tenant_id: str, connection_id: str) -> None:
        """Seal a connection's tokens anew under a fresh data key; the old one is gone.

        Raises:
            NotFoundError: there is no such connection, or it has no tokens.
            ConflictError: a refresh is under way or in doubt: its answer will come sealed with the old key.
        """
        async with self._database.transaction() as connection:
            await changes.lock(connection, tenant_id, connection_id)
            row = await connection.fetchrow(
                "select version, access_sealed, refresh_sealed from tokens where tenant_id = $1 and connection_id = $2 for update",
                tenant_id,
                connection_id,
            )
            if row is None:
                raise NotFoundError("There is no such connection, or it has no tokens.")
            open_attempts = await connection.fetchval(OPEN_ATTEMPTS, tenant_id, connection_id)
            if open_attempts:
                raise ConflictError(
                    "A refresh of this connection is under way, or its outcome in doubt. Try again later."
                )
            old = await sealing.key_of(connection, self._vault, tenant_id, connection_id)
            pair = [old.open(field, row["version"], row[column]) for field, column in FIELDS]
            await sealing.destroy(connection, tenant_id, connection_id)
            new = await sealing.key_for(connection, self._vault, tenant_id, connection_id)
            sealed = [new.seal(field, row["version"], value) for (field, _), value in zip(FIELDS, pair, strict=True)]
            await connection.execute(
                "update tokens set access_sealed = $3, refresh_sealed = $4 where tenant_id = $1 and connection_id = $2",
                tenant_id,
                connection_id,
                *sealed,
            )
            entry = Entry(tenant_id=tenant_id, actor="command line", action="tokens.resealed", subject=connection_id)
            await audit.write(connection, [entry])

    async def _moved(self, connection: Connection, old: int, new: int, limit: int) -> int:
        """A batch behind the last one. A key that does not open is left where it is, and named."""
        rows = await connection.fetch(
            """
            select tenant_id, owner_id, wrapped from data_keys
            where key_number = $1 and (tenant_id, owner_id) > ($2, $3)
            order by tenant_id, owner_id limit $4 for update skip locked
            """,
            old,
            *self._reached.get(old, ("", "")),
            limit,
        )
        self._reached[old] = (rows[-1]["tenant_id"], rows[-1]["owner_id"]) if rows else ("", "")
        wrapped = [(row, self._again(row, old, new)) for row in rows]
        moved = [(row["tenant_id"], row["owner_id"], key.wrapped) for row, key in wrapped if key]
        await connection.execute(
            """
            update data_keys k set key_number = $1, wrapped = given.wrapped
            from unnest($2::text[], $3::text[], $4::bytea[]) as given (tenant_id, owner_id, wrapped)
            where k.tenant_id = given.tenant_id and k.owner_id = given.owner_id
            """,
            new,
            [tenant_id for tenant_id, _, _ in moved],
            [owner_id for _, owner_id, _ in moved],
            [key for _, _, key in moved],
        )
        return len(moved)

    def _again(self, row: Any, old: int, new: int) -> WrappedKey | None:
        where = {"tenant_id": row["tenant_id"], "owner_id": row["owner_id"]}
        try:
            return self._vault.wrap_again(WrappedKey(old, row["wrapped"]), new, **where)
        except VaultIntegrityError:
            log.critical("vault.data_key_unreadable", tenant=row["tenant_id"], owner=row["owner_id"], generation=old)
            return None


async def _held(connection: Connection) -> list[int]:
    """Those that live, the newest first; that one is not retired until the caller's transaction ends."""
    while True:
        living = await _living(connection)
        is_held = await connection.fetchval(
            "select true from vault_keys where number = $1 and retired_at is null for key share", living[0]
        )
        if is_held:
            return living


async def _living(connection: Connection) -> list[int]:
    rows = await connection.fetch("select number from vault_keys where retired_at is null order by number desc")
    return [row["number"] for row in rows]
