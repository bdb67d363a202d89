"""Asks the live system about its invariants, and writes nothing."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from evergrant.core.errors import VaultIntegrityError
from evergrant.store import chain_proof, sealing
from evergrant.store.database import Connection, Database
from evergrant.store.invariants import INVARIANTS, Invariant
from evergrant.store.signing import Signer
from evergrant.store.spool import SUFFIX, read

if TYPE_CHECKING:
    from evergrant.store.vault import Vault

MOST_NAMED = 20
MOST_BOUND = 300_000
"""Audit rows that are checked unless all are wanted: the newest of each tenant."""

QUERY_SECONDS = 50.0
WAITED = 60.0
"""Seconds after which a slip in the spool should have been brought to the database."""

PAIRS = """
select t.tenant_id, t.connection_id, t.version, t.access_sealed, t.refresh_sealed, k.key_number, k.wrapped from tokens t
left join data_keys k on k.tenant_id = t.tenant_id and k.owner_id = t.connection_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one invariant; `violations` name where it does not hold."""

    invariant: Invariant
    violations: Sequence[str]

    @property
    def word(self) -> str:
        """held, violated, or unseen."""
        return "violated" if self.violations else ("held" if self.invariant.seen else "unseen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A slip on this machine's disk; a torn one says nothing of itself."""

    name: str
    seconds: float
    kind: str = "torn"
    owner: str = ""


class Selfcheck:
    """The questions, and what they need to be answered."""

    def __init__(self, database: Database, vault: "Vault", signer: Signer, spool: Path) -> None:
        self._database = database
        self._vault = vault
        self._signer = signer
        self._spool = spool

    async def run(self, *, whole_chain: bool = False) -> Sequence[Answer]:
        """Every invariant, in its order, as it stands at one moment."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            return await self.answers(connection, whole_chain=whole_chain)

    async def answers(self, connection: Connection, *, whole_chain: bool = False) -> Sequence[Answer]:
        """The same in the caller's transaction."""
        return [await self._answer(connection, each, whole_chain=whole_chain) for each in INVARIANTS]

    def waiting(self) -> Sequence[Waiting]:
        """Slips in this machine's spool, oldest first."""
        found = []
        for path in sorted(self._spool.glob(f"*{SUFFIX}")):
            with suppress(FileNotFoundError):  # brought to the database meanwhile
                age = time.time() - path.stat().st_mtime  # noqa: TID251  (a file's age, by the disk's own clock)
                found += [Waiting(name=path.name, seconds=age, kind=kind, owner=owner) for kind, owner in _owners(path)]
        return found

    async def _answer(self, connection: Connection, invariant: Invariant, *, whole_chain: bool) -> Answer:
        violations = []
        for query in invariant.queries:
            violations += [row[0] for row in await connection.fetch(query, timeout=QUERY_SECONDS)]
        if invariant.id == "I1":
            violations += [f"{each.owner} in {each.name}" for each in self.waiting() if each.seconds > WAITED]
        if invariant.id == "I12":
            violations += await self._unopened(connection)
        if invariant.id == "I15":
            violations += await self._flaws(connection, whole=whole_chain)
        return Answer(invariant=invariant, violations=violations[:MOST_NAMED])

    async def _unopened(self, connection: Connection) -> list[str]:
        rows = connection.cursor(PAIRS, prefetch=1000)
        return [f"{row['tenant_id']}/{row['connection_id']}" async for row in rows if not self._opens(row)]

    def _opens(self, row: Any) -> bool:
        if row["wrapped"] is None:
            return False
        try:
            where = (row["tenant_id"], row["connection_id"])
            key = sealing.opened(self._vault, *where, row["key_number"], row["wrapped"])
            key.open("access_token", row["version"], row["access_sealed"])
            key.open("refresh_token", row["version"], row["refresh_sealed"])
        except VaultIntegrityError:
            return False
        return True

    async def _flaws(self, connection: Connection, *, whole: bool) -> list[str]:
        chains = {row["id"]: row["number"] for row in await connection.fetch(CHAINS)}
        each = max(1000, MOST_BOUND // max(len(chains), 1))
        found: list[str] = []
        for tenant_id, number in chains.items():
            since = 0 if whole else max(0, number - each)
            async for flaw in chain_proof.flaws(connection, self._signer, tenant_id, since=since):
                found.append(str(flaw))
                if len(found) >= MOST_NAMED:
                    return found
        return found


CHAINS = """
select t.id, coalesce(c.number, 0) as number from tenants t left join audit_chains c on c.tenant_id = t.id order by t.id
"""


def _owners(path: Path) -> list[tuple[str, str]]:
    """The kind of each slip in a file, and whose it is."""
    try:
        return [(slip.kind, f"{slip.tenant_id}/{slip.owner_id}") for slip in read(path) if slip.kind]
    except msgspec.MsgspecError:
        return [("torn", "")]
