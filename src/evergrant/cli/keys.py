"""`evergrant tenants` and `evergrant keys`: who may use this hub."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from evergrant.assembly import programs
from evergrant.assembly.house import Arguments, House, house
from evergrant.cli import running
from evergrant.core.secret import Secret
from evergrant.web.access import SCOPES

Result = TypeVar("Result")


def in_house(work: Callable[[House], Awaitable[Result]]) -> Result:
    """Open everything, do one thing, close everything; errors become one clear line."""
    chosen = running.read_settings()

    async def done(arguments: Arguments) -> Result:
        async with house(chosen, arguments) as parts:
            return await work(parts)

    with running.reported(), programs.database(chosen) as arguments:
        return asyncio.run(done(arguments))


def create_tenant(name: str, email: str, person: str) -> None:
    """Make a workspace with its first owner and an API key, and show password and key once."""

    async def make(parts: House) -> tuple[programs.NewTenant, Secret]:
        password = parts.ports.dice.secret()
        made = await programs.add_tenant(parts, name=name, email=email, person=person, password=password)
        return made, password

    made, password = in_house(make)
    print(f"tenant    {made.tenant_id}")
    print(f"login     {email}")
    print(f"password  {password.reveal()}")
    print(f"API key   {made.api_key.reveal()}")
    print("Keep both now: they are not shown again.")


def create_key(tenant: str, name: str, scopes: Sequence[str]) -> None:
    """Make an API key, and show it once."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        running.fail("invalid_request", f"There is no scope {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")
    made = in_house(lambda parts: programs.add_key(parts, tenant, name=name, scopes=scopes))
    print(made.reveal())
