"""Secrets: keys rotate, connections are erased, tokens are imported."""

from evergrant.store.migrations import script

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    script.run(__file__)
