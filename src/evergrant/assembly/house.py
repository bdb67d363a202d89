"""Everything, connected."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

from evergrant.actions.ports import Books, Ports
from evergrant.assembly.chance import PlatformClock, SystemDice
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.net.platform import HttpPlatform
from evergrant.net.sandbox_clock import SandboxClock
from evergrant.settings import Settings
from evergrant.store import keyring, schema
from evergrant.store import vault as vaults
from evergrant.store.apps import Apps, Merchants
from evergrant.store.audit import Trail
from evergrant.store.chain import Chain
from evergrant.store.clocks import Clocks as RememberedClocks
from evergrant.store.connections import Connections
from evergrant.store.database import Database, ServerTooOldError
from evergrant.store.events import Events
from evergrant.store.exchanges import Exchanges
from evergrant.store.flows import Flows
from evergrant.store.generations import Generations
from evergrant.store.history import Histories
from evergrant.store.inbox import Inbox
from evergrant.store.keys import Keys
from evergrant.store.links import Links
from evergrant.store.people import People
from evergrant.store.records import Records
from evergrant.store.recovery import Recovery
from evergrant.store.signing import Signer
from evergrant.store.spool import Spool
from evergrant.store.tokens import Tokens
from evergrant.store.upkeep import Upkeep
from evergrant.store.vault import Vault, VaultKeyError

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


@asynccontextmanager
async def house(settings: Settings, arguments: Arguments, *, clock_believed: float = 0.02) -> AsyncIterator[House]:
    """Open everything; close it in reverse order.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        StartError: it refuses us, is too old or has not the schema; the vault's key is missing or not the one; the spool is closed.
    """
    async with AsyncExitStack() as stack:
        database, vault = await _opened(settings, arguments)
        stack.push_async_callback(database.close)
        spool, signer = _spool(settings), Signer(lambda: vaults.read_keys(settings.data_dir / "keys"))
        generations, recovery = Generations(database, settings.data_dir / "recovery"), Recovery(database)
        upkeep = Upkeep(chain=Chain(database, signer), generations=generations, recovery=recovery)
        await generations.compare()
        platform = await HttpPlatform.open(at_once=settings.refresh_at_once + settings.sync_at_once)
        stack.push_async_callback(platform.close)
        reader = await SandboxClock.open()
        stack.push_async_callback(reader.close)
        apps, links = Apps(database, vault, monotonic), Links(database, vault)
        connections, inbox = Connections(database), Inbox(database)
        books = Books(
            apps=apps,
            links=links,
            exchanges=Exchanges(database, vault, spool, generations),
            connections=connections,
            tokens=Tokens(database, vault, spool, generations),
            flows=Flows(database),
            inbox=inbox,
            upkeep=upkeep,
        )
        clock = PlatformClock(reader, RememberedClocks(database), believed=clock_believed)
        yield House(
            settings=settings,
            arguments=arguments,
            database=database,
            ports=Ports(books=books, platform=platform, clock=clock, dice=SystemDice()),
            apps=apps,
            merchants=Merchants(database),
            links=links,
            connections=connections,
            events=Events(database),
            histories=Histories(database),
            signer=signer,
            recovery=recovery,
            records=Records(database),
            people=People(database),
            keys=Keys(database, vault),
            trail=Trail(database),
            inbox=inbox,
        )


async def look(settings: Settings, arguments: Arguments) -> None:
    """Look whether everything could be opened, and make nothing.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        StartError: it refuses us, is too old or has not the schema; the vault's key is missing or not the one.
    """
    database = await _connected(settings, arguments)
    try:
        await _schema_fits(database)
        await keyring.check(database, settings.data_dir / "keys")
    except VaultKeyError as error:
        raise StartError("vault_key", str(error)) from error
    finally:
        await database.close()


async def _opened(settings: Settings, arguments: Arguments) -> tuple[Database, Vault]:
    database = await _connected(settings, arguments)
    try:
        await _schema_fits(database)
        return database, await keyring.open_vault(database, settings.data_dir / "keys")
    except VaultKeyError as error:
        await database.close()
        raise StartError("vault_key", str(error)) from error
    except BaseException:
        await database.close()
        raise


async def _connected(settings: Settings, arguments: Arguments) -> Database:
    """Connect; a server that is just coming up, or coming back, is waited for."""
    deadline = monotonic() + DATABASE_SECONDS
    while True:
        try:
            return await Database.connect(arguments, size=settings.database_connections)
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


def _spool(settings: Settings) -> Spool:
    try:
        return Spool(settings.data_dir / "spool")
    except OSError as error:
        folder = settings.data_dir / "spool"
        raise StartError("data_dir_not_writable", f"{folder} cannot be written: {error.strerror}") from error
