"""Brings a database to the schema this code needs, and says whether it is there. Runs outside any event loop.

Alembic and what it brings take a second and a half to import, so they are imported only when there is something to
migrate: once per version, not at every start.
"""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg

from evergrant.store import walls

MIGRATIONS = Path(__file__).parent / "migrations"

REFUSED = (asyncpg.PostgresError, asyncpg.InterfaceError)
"""What asyncpg raises when a server answers, and will not have us: a wrong password, no such database, no right."""


class MigrationError(Exception):
    """The database cannot be brought to the schema this code needs."""


def newest() -> str:
    """The revision this code needs: the number its newest migration's file begins with."""
    return max(path.name.split("_", 1)[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def migrate(connect_arguments: dict[str, Any]) -> None:
    """Apply every pending migration, in one transaction; and put up the wall between tenants where a restored database has
    it no more. `connect_arguments` are asyncpg's own.

    Raises:
        MigrationError: the database knows a revision this code does not, or a step failed; nothing was changed.
    """
    try:
        if asyncio.run(_stands(connect_arguments)):
            return
    except asyncpg.exceptions.RaiseError as error:
        raise MigrationError(f"The wall between tenants cannot be put up: {error}") from error
    from alembic import command  # noqa: PLC0415  (see above)
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connect_arguments"] = connect_arguments
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationError(f"The database is of another version of Evergrant: {error}") from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        raise MigrationError(f"A migration failed, nothing was changed: {error}") from error


async def _stands(connect_arguments: dict[str, Any]) -> bool:
    """Whether the schema is the one this code needs; then its wall is made whole."""
    connection = await asyncpg.connect(**connect_arguments)
    try:
        if not await connection.fetchval("select to_regclass('evergrant.alembic_version')"):
            return False
        if await connection.fetchval("select version_num from evergrant.alembic_version") != newest():
            return False
        if await walls.missing(connection):
            await connection.execute("select evergrant.raise_walls()")
        return True
    finally:
        await connection.close()
