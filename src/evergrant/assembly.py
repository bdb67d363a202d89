"""Puts the parts together: the one place that reads the clock, throws dice, opens the vault and knows every implementation."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from evergrant.actions.ports import Books, Ports
from evergrant.core.app import WALL
from evergrant.core.errors import PlatformUnavailableError
from evergrant.core.secret import Secret
from evergrant.jobs.worker import Worker
from evergrant.net.platform import HttpPlatform
from evergrant.net.sandbox_clock import ClockUnreadableError, SandboxClock
from evergrant.settings import Settings
from evergrant.store import keyring, listener, schema
from evergrant.store.apps import Apps, Merchants
from evergrant.store.audit import Trail
from evergrant.store.clocks import Clocks as RememberedClocks
from evergrant.store.connections import Connections
from evergrant.store.database import Database
from evergrant.store.events import Events
from evergrant.store.exchanges import Exchanges
from evergrant.store.flows import Flows
from evergrant.store.inbox import Inbox
from evergrant.store.keys import Keys
from evergrant.store.links import Links
from evergrant.store.people import People
from evergrant.store.records import Records
from evergrant.store.spool import Spool
from evergrant.store.tokens import Tokens

ARGUMENTS = Mapping[str, Any]
"""How to reach the database, as asyncpg takes it."""


class SystemDice:
    """The operating system's randomness."""

    def identifier(self, prefix: str) -> str:
        """A new id: prefix, underscore, 128 random bits in hex."""
        return f"{prefix}_{secrets.token_hex(16)}"

    def secret(self) -> Secret:
        """256 random bits as URL-safe text."""
        return Secret(secrets.token_urlsafe(32))

    def fraction(self) -> float:
        """A number in [0, 1); it spreads due times, so it need not be unguessable."""
        return random.random()  # noqa: S311


class PlatformClock:
    """Platform time: wall time for production apps; for a sandbox's apps its own time, read again when it has aged.

    An offset once read is remembered, so that a sandbox that is away does not make time jump.
    """

    def __init__(self, reader: SandboxClock, remembered: RememberedClocks, *, believed: float) -> None:
        self._reader = reader
        self._remembered = remembered
        self._believed = believed
        self._read: dict[str, tuple[float, float]] = {}
        self._reading: dict[str, asyncio.Task[float]] = {}

    async def now(self, clock: str) -> datetime:
        """The time of that clock, aware and in UTC.

        Raises:
            PlatformUnavailableError: the sandbox does not tell its time, and never did.
        """
        wall = datetime.now(UTC)  # noqa: TID251  (the one clock)
        if clock == WALL:
            return wall
        return datetime.fromtimestamp(wall.timestamp() + await self._offset(clock), UTC)

    async def _offset(self, clock: str) -> float:
        read = self._read.get(clock)
        if read is not None and monotonic() - read[0] <= self._believed:
            return read[1]
        if clock not in self._reading:
            task = asyncio.create_task(self._fresh(clock))
            self._reading[clock] = task
            task.add_done_callback(lambda _done: self._reading.pop(clock, None))
        return await asyncio.shield(self._reading[clock])

    async def _fresh(self, clock: str) -> float:
        known = self._read.get(clock)
        try:
            theirs = await self._reader.unix(clock)
        except ClockUnreadableError as error:
            offset = known[1] if known else await self._remembered.remembered(clock)
            if offset is None:
                raise PlatformUnavailableError(f"The sandbox at {clock} does not tell its time.") from error
            return offset
        offset = theirs - datetime.now(UTC).timestamp()  # noqa: TID251  (the one clock)
        if known is None or abs(known[1] - offset) > 1:
            await self._remembered.remember(clock, offset)
        self._read[clock] = (monotonic(), offset)
        return offset


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything, connected. What the doors and the worker are given is taken from here."""

    settings: Settings
    arguments: ARGUMENTS
    database: Database
    ports: Ports
    apps: Apps
    merchants: Merchants
    links: Links
    connections: Connections
    events: Events
    records: Records
    people: People
    keys: Keys
    trail: Trail
    inbox: Inbox


@asynccontextmanager
async def house(settings: Settings, arguments: ARGUMENTS, *, clock_believed: float = 0.02) -> AsyncIterator[House]:
    """Open everything; close it in reverse order.

    Raises:
        DatabaseUnavailableError: the database does not answer.
        VaultKeyError: the vault's key is missing or not the one.
    """
    async with AsyncExitStack() as stack:
        database = await Database.connect(arguments, size=settings.database_connections)
        stack.push_async_callback(database.close)
        vault = await keyring.open_vault(database, settings.data_dir / "keys")
        spool = Spool(settings.data_dir / "spool")
        platform = await HttpPlatform.open(at_once=settings.refresh_at_once + settings.sync_at_once)
        stack.push_async_callback(platform.close)
        reader = await SandboxClock.open()
        stack.push_async_callback(reader.close)
        apps, links = Apps(database, vault, monotonic), Links(database, vault)
        connections, inbox = Connections(database), Inbox(database)
        books = Books(
            apps=apps,
            links=links,
            exchanges=Exchanges(database, vault, spool),
            connections=connections,
            tokens=Tokens(database, vault, spool),
            flows=Flows(database),
            inbox=inbox,
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
            records=Records(database),
            people=People(database),
            keys=Keys(database, vault),
            trail=Trail(database),
            inbox=inbox,
        )


def migrate(arguments: ARGUMENTS) -> None:
    """Bring the database to the schema this code needs."""
    schema.migrate(dict(arguments))


async def work(settings: Settings, arguments: ARGUMENTS, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run a worker until `stop` is set, then let what is in flight land."""
    at_once = {"refresh": settings.refresh_at_once, "sync": settings.sync_at_once}
    async with house(settings, arguments) as parts:
        worker = Worker(parts.ports, at_once=at_once)
        async with listener.listening(arguments, {listener.WORK: worker.wake}):
            running = asyncio.create_task(worker.run())
            ready()
            await stop.wait()
            worker.stop()
            await running


def database_arguments(settings: Settings) -> ARGUMENTS:
    """How to reach the database the settings name by URL."""
    assert settings.database_url is not None
    return {"dsn": settings.database_url.get_secret_value()}
