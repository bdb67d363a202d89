"""Flows: more kinds of them, what waits to go out, what failed, what was missed and made good, at which pace."""

from evergrant.store.migrations import script

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    script.run(__file__)
