"""Brings a database to the schema this code needs, and says whether it is there. Runs outside any event loop."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connect_arguments: dict[str, Any]) -> None:
    """Apply every pending migration, in one transaction. `connect_arguments` are asyncpg's own."""
    config = _config()
    config.attributes["connect_arguments"] = connect_arguments
    command.upgrade(config, "head")


def newest() -> str:
    """The revision this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
