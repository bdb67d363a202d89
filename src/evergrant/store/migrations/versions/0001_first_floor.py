"""The first floor: tenants and people, apps and merchants, links, connections with their tokens, flows and notices."""

from evergrant.store.migrations import script

revision = "0001"
down_revision = None


def upgrade() -> None:
    script.run(__file__)
