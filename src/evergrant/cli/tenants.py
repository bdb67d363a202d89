"""`evergrant tenants`: whose workspaces are on this hub, and which one a command is about."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from evergrant.assembly import database, provisioning
from evergrant.assembly.house import Arguments, House, house
from evergrant.cli import running
from evergrant.core.errors import InvalidRequestError, NotFoundError
from evergrant.core.secret import Secret

Result = TypeVar("Result")


def in_house(work: Callable[[House], Awaitable[Result]]) -> Result:
    """Open everything, do one thing, close everything; errors become one clear line."""
    settings = running.read_settings()

    async def done(arguments: Arguments) -> Result:
        async with house(settings, arguments) as parts:
            return await work(parts)

    with running.reported(), database.ready(settings) as arguments:
        return asyncio.run(done(arguments))


def create(name: str, email: str, person: str) -> None:
    """Make a workspace with its first owner and an API key, and show password and key once."""

    async def make(parts: House) -> tuple[provisioning.NewTenant, Secret]:
        password = parts.ports.dice.secret()
        made = await provisioning.add_tenant(parts, name=name, email=email, person=person, password=password)
        return made, password

    made, password = in_house(make)
    print(f"tenant    {made.tenant_id}")
    print(f"login     {email}")
    print(f"password  {password.reveal()}")
    print(f"API key   {made.api_key.reveal()}")
    print("Keep both now: they are not shown again.")


def show() -> None:
    """List the workspaces, one a line: id and name."""
    for tenant_id, name in in_house(lambda parts: parts.people.tenants()):
        print(f"{tenant_id}  {name}")


async def chosen(parts: House, given: str | None) -> str:
    """The workspace a command is about: the one named, or the only one there is.

    Raises:
        NotFoundError: there is none, or not the one named.
        InvalidRequestError: there are several and none was named.
    """
    known = [tenant_id for tenant_id, _ in await parts.people.tenants()]
    if given is not None and given not in known:
        raise NotFoundError("There is no such tenant; evergrant tenants list shows them.")
    if not known:
        raise NotFoundError("There is no tenant yet: evergrant tenants create")
    if given is None and len(known) > 1:
        raise InvalidRequestError(
            "There are several tenants: name one with --tenant; evergrant tenants list shows them."
        )
    return given or known[0]
