"""`evergrant tenants` and `evergrant keys`: who may use this hub."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from evergrant.assembly import programs
from evergrant.assembly.house import House, house
from evergrant.cli import running
from evergrant.core.errors import EvergrantError
from evergrant.core.secret import Secret
from evergrant.web.access import SCOPES

tenants_app = typer.Typer(help="Workspaces of vendors.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys.", no_args_is_help=True)

Result = TypeVar("Result")


def in_house(work: Callable[[House], Awaitable[Result]]) -> Result:
    """Open everything, do one thing, close everything; errors become one clear line."""
    chosen = running.read_settings()

    async def done() -> Result:
        async with house(chosen, arguments) as parts:
            return await work(parts)

    with running.reported(), programs.database(chosen) as arguments:
        try:
            return asyncio.run(done())
        except EvergrantError as error:
            running.fail(error.code, error.sentence)


@tenants_app.command("create")
def create_tenant(
    name: Annotated[str, typer.Argument(help="Name of the workspace.")],
    email: Annotated[str, typer.Option(help="E-mail address of its first owner.")],
    person: Annotated[str, typer.Option(help="Name of that person.")] = "",
) -> None:
    """Make a workspace with its first owner and an API key. Password and key are shown once.

    Example: [bold]evergrant tenants create "Acme Sync" --email owner@acme.example[/bold]
    """

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


@keys_app.command("create")
def create_key(
    tenant: Annotated[str, typer.Option(help="Id of the workspace (ten_…).")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help=f"May be given again: {', '.join(SCOPES)}.")],
) -> None:
    """Make an API key. It is shown once.

    Example: [bold]evergrant keys create --tenant ten_… --name orders --scope read --scope tokens[/bold]
    """
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        running.fail("invalid_request", f"There is no scope {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")
    made = in_house(lambda parts: programs.add_key(parts, tenant, name=name, scopes=scope))
    print(made.reveal())
