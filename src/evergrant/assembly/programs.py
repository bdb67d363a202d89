"""The programs: serve, work, migrate, and the little that is done by command."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from evergrant import postgres
from evergrant.actions.reading import Person
from evergrant.assembly.house import Arguments, House, StartError, house, look
from evergrant.core.errors import EvergrantError
from evergrant.core.secret import Secret
from evergrant.jobs.worker import Worker
from evergrant.postgres.place import Place
from evergrant.settings import Settings
from evergrant.store import listener, schema
from evergrant.web import app
from evergrant.web.access import KEY_PREFIX, SCOPES
from evergrant.web.desk import Desk
from evergrant.web.live import Live


@contextmanager
def database(chosen: Settings, *, migrates: bool = False) -> Iterator[Arguments]:
    """The vendor's own database, or the embedded one for as long as the context lasts.

    The embedded one is brought to the schema by itself; the vendor's own only with `migrates`.

    Raises:
        PostgresError: the embedded server cannot be started.
        StartError: the schema cannot be made.
    """
    with started(chosen) as arguments:
        if migrates or chosen.database_url is None:
            migrate(arguments)
        yield arguments


def has_database(chosen: Settings) -> bool:
    """Whether there is one to look at: the vendor's own, or an embedded one that was started before."""
    return chosen.database_url is not None or Place(chosen.data_dir / "postgres").data.exists()


@contextmanager
def started(chosen: Settings) -> Iterator[Arguments]:
    """How to reach the vendor's own database, or the embedded one, running for as long as the context lasts.

    Raises:
        PostgresError: the embedded server cannot be started.
    """
    if chosen.database_url is not None:
        yield {"dsn": chosen.database_url.get_secret_value()}
        return
    log = structlog.get_logger("postgres")
    which: postgres.Binaries | Path = postgres.Binaries.EMBEDDED
    if chosen.postgres_bin is not None:
        which = postgres.Binaries.SYSTEM if chosen.postgres_bin == "system" else Path(chosen.postgres_bin)
    with postgres.running(chosen.data_dir / "postgres", tell=log.info, programs=which) as server:
        yield {"dsn": server.dsn}


def migrate(arguments: Arguments) -> None:
    """Bring the database to the schema this code needs.

    Raises:
        StartError: it cannot be reached, or something in it is in the way.
    """
    try:
        schema.migrate(dict(arguments))
    except (OSError, TimeoutError) as error:
        raise StartError("database_unavailable", f"The database cannot be reached: {error}") from error
    except schema.REFUSED as error:
        raise StartError("database_refused", f"The database answers, and refuses us: {error}") from error
    except schema.MigrationError as error:
        raise StartError("migration_failed", str(error)) from error


def newest_revision() -> str:
    """The schema revision this code needs."""
    return schema.newest()


async def work(settings: Settings, arguments: Arguments, stop: asyncio.Event, ready: Callable[[], None]) -> None:
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


def desk_of(parts: House, live: Live) -> Desk:
    """What the doors are given."""
    return Desk(
        ports=parts.ports,
        apps=parts.apps,
        merchants=parts.merchants,
        links=parts.links,
        connections=parts.connections,
        log=parts.events,
        records=parts.records,
        people=parts.people,
        keys=parts.keys,
        trail=parts.trail,
        inbox=parts.inbox,
        health=parts.database,
        live=live,
        origin=parts.settings.origin,
        sandbox_urls=parts.settings.sandbox_urls,
        return_urls=parts.settings.return_urls,
        schema_revision=schema.newest(),
    )


async def serve(settings: Settings, arguments: Arguments, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Serve the hub until `stop` is set."""
    live = Live()
    async with house(settings, arguments, clock_believed=0.1) as parts:
        heard = {listener.EVENTS: live.heard}
        async with listener.listening(arguments, heard):
            server = Server(
                app.build(desk_of(parts, live)),
                address=settings.host,
                port=settings.port,
                interface=Interfaces.ASGINL,
                log_enabled=False,
            )
            serving = asyncio.create_task(server.serve())
            ready()
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            live.close()
            server.stop()  # type: ignore[no-untyped-call]
            await serving
            stopping.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant as it was made; the secrets are shown once."""

    tenant_id: str
    person_id: str
    api_key: Secret


async def add_tenant(parts: House, *, name: str, email: str, person: str, password: Secret) -> NewTenant:
    """Make a tenant with its first owner and an API key that may do everything.

    Raises:
        ConflictError: somebody has this e-mail address.
    """
    dice = parts.ports.dice
    tenant_id, person_id = dice.identifier("ten"), dice.identifier("per")
    owner = Person(tenant_id=tenant_id, tenant_name=name, id=person_id, email=email, name=person, role="owner")
    await parts.people.found(owner, password)
    key = await add_key(parts, tenant_id, name="first key", scopes=SCOPES)
    return NewTenant(tenant_id=tenant_id, person_id=person_id, api_key=key)


async def add_key(parts: House, tenant_id: str, *, name: str, scopes: Sequence[str]) -> Secret:
    """Make an API key and give it, once.

    Raises:
        NotFoundError: there is no such tenant.
    """
    key = Secret(f"{KEY_PREFIX}{parts.ports.dice.secret().reveal()}")
    await parts.keys.add(tenant_id, parts.ports.dice.identifier("key"), key, name=name, scopes=scopes)
    return key


def standing(chosen: Settings, arguments: Arguments) -> tuple[str | None, str | None]:
    """What keeps the database from answering, and what keeps the house from opening, each in a sentence; None if nothing
    does. It only looks.
    """
    try:
        asyncio.run(look(chosen, arguments))
    except StartError as error:
        said = f"{error.code}: {error}"
        return (said, None) if error.code == "database_refused" else (None, said)
    except EvergrantError as error:
        return f"{error.code}: {error.sentence}", None
    return None, None
