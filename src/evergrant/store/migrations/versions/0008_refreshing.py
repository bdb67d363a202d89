"""Refreshing: what an app's refreshes share: a breaker and a rate."""

from evergrant.store.migrations import script

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    script.run(__file__)
