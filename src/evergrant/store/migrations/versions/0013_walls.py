"""Walls: row-level security, the second wall between tenants."""

from evergrant.store.migrations import script

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    script.run(__file__)
