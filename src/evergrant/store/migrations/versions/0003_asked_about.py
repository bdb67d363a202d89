"""Asked about: the index of connections the platform is to be asked about, whatever their state."""

from evergrant.store.migrations import script

revision = "0003"
down_revision = "0001"


def upgrade() -> None:
    script.run(__file__)
