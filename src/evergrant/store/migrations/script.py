"""Runs the SQL file that stands beside a migration, all its statements, inside the migration's transaction."""

from pathlib import Path

from alembic import op
from sqlalchemy.util import await_only


def run(migration: str) -> None:
    """Run `<migration>.sql`. The driver's own connection is used, since a prepared statement holds one command only."""
    statements = Path(migration).with_suffix(".sql").read_text(encoding="utf-8")
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    await_only(driver.execute(statements))
