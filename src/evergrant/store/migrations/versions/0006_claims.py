"""Claims: grants without a proven owner wait in quarantine until a person claims them."""

from evergrant.store.migrations import script

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    script.run(__file__)
