"""Everything, connected."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from evergrant.actions.ports import Ports
from evergrant.assembly import shelf
from evergrant.assembly.chance import PlatformClock, SystemDice
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.net.platform import HttpPlatform
from evergrant.net.sandbox_clock import SandboxClock
from evergrant.settings import Settings
from evergrant.store import keyring, schema
from evergrant.store.apps import Apps, Merchants
from evergrant.store.audit import Trail
from evergrant.store.clocks import Clocks as RememberedClocks
from evergrant.store.connections import Connections
from evergrant.store.database import Database, ServerTooOldError
from evergrant.store.erasures import Erasures
from evergrant.store.events import Events
from evergrant.store.generations import Generations
from evergrant.store.history import Histories
from evergrant.store.inbox import Inbox
from evergrant.store.keys import Keys
from evergrant.store.ledger import Outages
from evergrant.store.links import Links
from evergrant.store.people import People
from evergrant.store.quarantine import Quarantine
from evergrant.store.records import Records
from evergrant.store.recovery import Recovery
from evergrant.store.signing import Signer
from evergrant.store.spool import Spool
from evergrant.store.vault import Vault, VaultKeyError
from evergrant.web import proxied

DATABASE_SECONDS = 5.0
AGAIN_SECONDS = 0.1

Arguments = Mapping[str, Any]
"""How to reach the database, as asyncpg takes it."""


class StartError(Exception):
    """The program cannot start with what it finds. The sentence says what to do."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything, connected. What the doors and the worker are given is taken from here."""

    settings: Settings
    arguments: Arguments
    database: Database
    ports: Ports
    apps: Apps
    merchants: Merchants
    links: Links
    quarantine: Quarantine
    connections: Connections
    events: Events
    histories: Histories
    signer: Signer
    recovery: Recovery
    records: Records
    people: People
    keys: Keys
    trail: Trail
    inbox: Inbox
    generations: Generations
    erasures: Erasures
    outages: Outages


@asynccontextmanager
async def house(
    settings: Settings, arguments: Arguments, *, clock_believed: float = 0.02, walled: bool = False
) -> AsyncIterator[House]:
    """Open everything; close it in reverse order. `walled`: for the doors, which see one tenant's rows at a time.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        StartError: it refuses us, is too old or has not the schema; the vault's key is missing or not the one; the spool is closed.
    """
    async with AsyncExitStack() as stack:
        database, vault = await _opened(settings, arguments, walled=walled)
        stack.push_async_callback(database.close)
        shelves = shelf.filled(settings, database, vault, _spool(settings))
        await shelves.epochs.compare()
        platform, reader = await _ways_out(settings, stack)
        clock = PlatformClock(reader, RememberedClocks(database), believed=clock_believed)
        yield House(
            settings=settings,
            arguments=arguments,
            database=database,
            ports=Ports(books=shelves.books, platform=platform, clock=clock, dice=SystemDice()),
            apps=shelves.apps,
            merchants=Merchants(database),
            links=shelves.links,
            quarantine=shelves.quarantine,
            connections=shelves.connections,
            events=Events(database),
            histories=Histories(database),
            signer=shelves.signer,
            recovery=shelves.recovery,
            records=Records(database),
            people=People(database),
            keys=Keys(database, vault),
            trail=Trail(database),
            inbox=shelves.inbox,
            generations=shelves.generations,
            erasures=shelves.erasures,
            outages=shelves.outages,
        )


async def _ways_out(settings: Settings, stack: AsyncExitStack) -> tuple[HttpPlatform, SandboxClock]:
    """The way to the platform, and to the time of its sandboxes; closed with the stack."""
    ours = settings.refresh_at_once + settings.sync_at_once
    platform = await HttpPlatform.open(at_once=ours + proxied.AT_ONCE_IN_ALL)
    stack.push_async_callback(platform.close)
    reader = await SandboxClock.open()
    stack.push_async_callback(reader.close)
    return platform, reader


async def look(settings: Settings, arguments: Arguments) -> None:
    """Look whether everything could be opened, and make nothing.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        StartError: it refuses us, is too old or has not the schema; the vault's key is missing or not the one.
    """
    database = await _connected(arguments, size=1)
    try:
        await _schema_fits(database)
        await _wall_stands(database)
        await keyring.check(database, settings.data_dir / "keys")
    except VaultKeyError as error:
        raise StartError("vault_key", str(error)) from error
    finally:
        await database.close()


async def _opened(settings: Settings, arguments: Arguments, *, walled: bool) -> tuple[Database, Vault]:
    database = await _connected(arguments, size=1 if walled else settings.database_connections)
    try:
        await _schema_fits(database)
        await _wall_stands(database)
        vault = await keyring.open_vault(database, settings.data_dir / "keys")
        if walled:
            await database.close()
            database = await _connected(arguments, size=settings.database_connections, walled=True)
    except VaultKeyError as error:
        await database.close()
        raise StartError("vault_key", str(error)) from error
    except BaseException:
        await database.close()
        raise
    return database, vault


async def _connected(arguments: Arguments, *, size: int, walled: bool = False) -> Database:
    """Connect; a server that is just coming up, or coming back, is waited for."""
    deadline = monotonic() + DATABASE_SECONDS
    while True:
        try:
            return await Database.connect(arguments, size=size, walled=walled)
        except DatabaseUnavailableError:
            if monotonic() > deadline:
                raise
        except ServerTooOldError as error:
            raise StartError("postgres_too_old", str(error)) from error
        except schema.REFUSED as error:
            raise StartError("database_refused", f"The database answers, and refuses us: {error}") from error
        await asyncio.sleep(AGAIN_SECONDS)


async def _schema_fits(database: Database) -> None:
    if await database.revision() != schema.newest():
        raise StartError("schema_outdated", "The database has not the schema this version needs: evergrant migrate")


async def _wall_stands(database: Database) -> None:
    """Raises StartError where the database would show the doors every tenant's rows, or none."""
    missing = await database.unwalled()
    if missing:
        raise StartError(
            "walls_missing", f"The second wall between tenants does not stand: {missing}. Run: evergrant migrate"
        )


def _spool(settings: Settings) -> Spool:
    try:
        return Spool(settings.data_dir / "spool")
    except OSError as error:
        folder = settings.data_dir / "spool"
        raise StartError("data_dir_not_writable", f"{folder} cannot be written: {error.strerror}") from error
