"""Shops: which ones a link was answered with that was for another."""

from evergrant.store.migrations import script

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    script.run(__file__)
