"""Opens what the self-check needs, and nothing more: it makes no key, no folder and no schema."""

import asyncio
from dataclasses import dataclass

from evergrant.assembly.house import Arguments, StartError
from evergrant.settings import Settings
from evergrant.store import keyring, schema
from evergrant.store import vault as vaults
from evergrant.store.database import Database
from evergrant.store.recovery import Recovery
from evergrant.store.selfcheck import Answer, Selfcheck, Waiting
from evergrant.store.signing import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the self-check found; `public` are the public keys of what this hub signs, by number."""

    answers: list[Answer]
    waiting: list[Waiting]
    held: int
    public: dict[int, str]

    @property
    def is_well(self) -> bool:
        """Whether nothing that can be seen is violated."""
        return not any(answer.violations for answer in self.answers)


def check(settings: Settings, arguments: Arguments, *, whole_chain: bool = False) -> Found:
    """Ask everything.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        StartError: the schema or the vault's key does not fit.
    """
    return asyncio.run(found(settings, arguments, whole_chain=whole_chain))


async def found(settings: Settings, arguments: Arguments, *, whole_chain: bool = False) -> Found:
    """As `check`, within an event loop."""
    database, folder = await Database.connect(arguments, size=2), settings.data_dir / "keys"
    try:
        if await database.revision() != schema.newest():
            raise StartError("schema_outdated", "The database has not the schema this version needs: evergrant migrate")
        await keyring.check(database, folder)
        keys = vaults.read_keys(folder)
        if not keys:
            raise StartError("vault_key", f"There is no key in {folder}: run this where the hub keeps its keys.")
        signer = Signer(lambda: keys)
        asked = Selfcheck(database, vaults.Vault(keys), signer, settings.data_dir / "spool")
        return Found(
            answers=list(await asked.run(whole_chain=whole_chain)),
            waiting=list(asked.waiting()),
            held=await Recovery(database).held(),
            public={number: signer.public(number).hex() for number in keys},
        )
    except vaults.VaultKeyError as error:
        raise StartError("vault_key", str(error)) from error
    finally:
        await database.close()


def is_ours(settings: Settings, number: int, text: bytes, value: bytes) -> bool:
    """Whether the key of that number, which is kept here, signed this text.

    Raises:
        StartError: a key cannot be read.
    """
    try:
        return Signer(lambda: vaults.read_keys(settings.data_dir / "keys")).is_ours(number, text, value)
    except vaults.VaultKeyError as error:
        raise StartError("vault_key", str(error)) from error
