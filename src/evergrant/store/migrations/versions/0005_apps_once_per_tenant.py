"""Apps once per tenant: who keeps a platform app keeps it from no other tenant, and learns of no other's."""

from evergrant.store.migrations import script

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    script.run(__file__)
