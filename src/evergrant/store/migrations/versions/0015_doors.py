"""Doors: what a door sets off for all tenants at once, and how many strangers an app lets in."""

from evergrant.store.migrations import script

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    script.run(__file__)
