"""Things in their order: events and records by commit, deauthorizations first, and each platform app once."""

from evergrant.store.migrations import script

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    script.run(__file__)
