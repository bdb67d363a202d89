"""Recovery: a database older than its tokens is noticed."""

from evergrant.store.migrations import script

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    script.run(__file__)
