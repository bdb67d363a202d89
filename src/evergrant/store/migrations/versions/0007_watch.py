"""Watch: what the hub looks after by itself when no notice comes."""

from evergrant.store.migrations import script

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    script.run(__file__)
