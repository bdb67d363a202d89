"""`evergrant keys`: what a vendor's programs show to be let in."""

from collections.abc import Sequence

from evergrant.assembly import programs
from evergrant.assembly.house import House
from evergrant.cli import running, tenants
from evergrant.core.secret import Secret
from evergrant.web.access import SCOPES


def create_key(given: str | None, name: str, scopes: Sequence[str]) -> None:
    """Make an API key, and show it once."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        running.fail("invalid_request", f"There is no scope {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")

    async def make(parts: House) -> Secret:
        return await programs.add_key(parts, await tenants.chosen(parts, given), name=name, scopes=scopes)

    print(tenants.in_house(make).reveal())
