"""Guessing: who tried which password how often; and who holds a refresh token under the same app of the platform."""

from evergrant.store.migrations import script

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    script.run(__file__)
