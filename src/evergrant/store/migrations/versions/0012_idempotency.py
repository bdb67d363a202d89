"""Idempotency: an answer is kept under the key its caller gave."""

from evergrant.store.migrations import script

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    script.run(__file__)
