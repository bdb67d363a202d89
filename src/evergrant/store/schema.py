"""Brings a database to the schema this code needs, and says whether it is there. Runs outside any event loop."""

from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import DBAPIError

MIGRATIONS = Path(__file__).parent / "migrations"


class MigrationError(Exception):
    """The database cannot be brought to the schema this code needs."""


def migrate(connect_arguments: dict[str, Any]) -> None:
    """Apply every pending migration, in one transaction. `connect_arguments` are asyncpg's own.

    Raises:
        MigrationError: the database knows a revision this code does not, or a step failed; nothing was changed.
    """
    config = _config()
    config.attributes["connect_arguments"] = connect_arguments
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise MigrationError(f"The database is of another version of Evergrant: {error}") from error
    except (DBAPIError, asyncpg.PostgresError) as error:
        raise MigrationError(f"A migration failed, nothing was changed: {error}") from error


def newest() -> str:
    """The revision this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
