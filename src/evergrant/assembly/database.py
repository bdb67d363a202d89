"""The database: the vendor's own or the embedded one, brought to the schema, and what is wrong with it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from evergrant import postgres
from evergrant.assembly.house import Arguments, StartError, look
from evergrant.core.errors import EvergrantError
from evergrant.postgres.place import Place
from evergrant.settings import Settings
from evergrant.store import schema
from evergrant.store.database import Database
from evergrant.store.recovery import Recovery


@contextmanager
def ready(chosen: Settings, *, migrates: bool = False) -> Iterator[Arguments]:
    """The vendor's own database, or the embedded one for as long as the context lasts.

    The embedded one is brought to the schema by itself; the vendor's own only with `migrates`.

    Raises:
        PostgresError: the embedded server cannot be started.
        StartError: the schema cannot be made.
    """
    with running(chosen) as arguments:
        if migrates or chosen.database_url is None:
            migrate(arguments)
        yield arguments


def exists(chosen: Settings) -> bool:
    """Whether there is one to look at: the vendor's own, or an embedded one that was started before."""
    return chosen.database_url is not None or Place(chosen.data_dir / "postgres").data.exists()


@contextmanager
def running(chosen: Settings) -> Iterator[Arguments]:
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


def held(arguments: Arguments) -> int:
    """How many connections are held because the database was put back to an older state."""

    async def count() -> int:
        opened = await Database.connect(arguments, size=2)
        try:
            return await Recovery(opened).held()
        finally:
            await opened.close()

    return asyncio.run(count())
