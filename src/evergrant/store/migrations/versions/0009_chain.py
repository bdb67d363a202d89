"""Chain: audit rows hold the hash of the one before, per tenant."""

from evergrant.store.migrations import script

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    script.run(__file__)
