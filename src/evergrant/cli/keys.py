"""`evergrant keys`: what a vendor's programs show to be let in."""

from collections.abc import Sequence

from evergrant.actions.reading import KEY_SCOPES
from evergrant.assembly import provisioning
from evergrant.assembly.house import House
from evergrant.cli import running, tenants
from evergrant.core.secret import Secret


def create_key(given: str | None, name: str, scopes: Sequence[str]) -> None:
    """Make an API key, and show it once."""
    unknown = sorted(set(scopes) - set(KEY_SCOPES))
    if unknown:
        running.fail("invalid_request", f"There is no scope {', '.join(unknown)}. There are: {', '.join(KEY_SCOPES)}.")

    async def make(parts: House) -> Secret:
        return await provisioning.add_key(parts, await tenants.chosen(parts, given), name=name, scopes=scopes)

    print(tenants.in_house(make).reveal())
