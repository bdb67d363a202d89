"""The commands and their words. Each imports what it does only when it is run, so that help and complaints come at once."""

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from evergrant.cli import vault
from evergrant.core.tokens import Rotation

app = typer.Typer(
    name="evergrant",
    help="Keeps a seller's yes alive: TikTok Shop authorizations, their whole life, for integration vendors.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="API keys.", no_args_is_help=True)
tenants_app = typer.Typer(help="Workspaces of vendors.", no_args_is_help=True)
connections_app = typer.Typer(help="What is connected.", no_args_is_help=True)
links_app = typer.Typer(help="Hosted links.", no_args_is_help=True)
for name, group in (
    ("keys", keys_app),
    ("tenants", tenants_app),
    ("connections", connections_app),
    ("links", links_app),
    ("vault", vault.app),
):
    app.add_typer(group, name=name)

DataDir = Annotated[Path | None, typer.Option(help="Where database, vault key and spool are (EVERGRANT_DATA_DIR).")]
Tenant = Annotated[
    str | None, typer.Option(help="Id of the workspace (ten_…), where there are several: evergrant tenants list.")
]


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on (EVERGRANT_PORT, 8080).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (EVERGRANT_HOST, 127.0.0.1).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the hub: API, callbacks, notices, Dashboard.

    Example: [bold]evergrant serve --port 8080[/bold]
    """
    from evergrant.cli import running

    running.serve(running.read_settings(port=port, host=host, data_dir=data_dir))


@app.command()
def work(data_dir: DataDir = None) -> None:
    """Work: refresh tokens, watch the ends, understand notices, sync. Start as many as you like.

    Example: [bold]evergrant work[/bold]
    """
    from evergrant.cli import running

    running.work(running.read_settings(data_dir=data_dir))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Start the platform itself on this machine: TikTok's side, with a clock you can turn.

    Everything behind the command goes to the sandbox; [bold]evergrant sandbox -- --help[/bold] shows what it takes.

    Example: [bold]evergrant sandbox --port 8090 --data /tmp/sandbox[/bold]
    """
    arguments = [sys.executable, "-m", "evergrant_sandbox", *context.args]
    os.execv(sys.executable, arguments)  # noqa: S606  (a process of its own: the hub never imports the sandbox)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the schema this version needs.

    Example: [bold]EVERGRANT_DATABASE_URL=postgresql://… evergrant migrate[/bold]
    """
    from evergrant.cli import running

    running.migrate(running.read_settings(data_dir=data_dir))


@app.command()
def doctor(data_dir: DataDir = None) -> None:
    """Say what is wrong with this configuration before a seller finds out. Exit 1 if something is.

    Example: [bold]evergrant doctor[/bold]
    """
    from evergrant.cli import doctor as asked
    from evergrant.cli import running

    raise typer.Exit(asked.doctor(running.read_settings(data_dir=data_dir)))


@app.command()
def selfcheck(
    as_json: Annotated[bool, typer.Option("--json", help="One object with all of it.")] = False,
    whole_chain: Annotated[
        bool, typer.Option("--all", help="Check every audit row, not only the newest 300,000.")
    ] = False,
    history: Annotated[
        Path | None, typer.Option(help="Only say whether this hub signed the life history in a file.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check a live hub against the fifteen invariants, as far as they can be seen from inside. Reads only.

    Exit 1 if one is violated. Example: [bold]evergrant selfcheck --json[/bold]
    """
    from evergrant.cli import running
    from evergrant.cli import selfcheck as asked

    chosen = running.read_settings(data_dir=data_dir)
    if history is not None:
        raise typer.Exit(asked.history(chosen, history))
    raise typer.Exit(asked.check(chosen, as_json=as_json, whole_chain=whole_chain))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    keys: Annotated[
        Path | None, typer.Option(help="Copy the vault's keys to this folder, which is not the file's.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the database into a file, as it stands at one moment, while everything runs. Without keys.

    Example: [bold]evergrant backup /backup/evergrant.dump --keys /media/keys[/bold]
    """
    from evergrant.cli import backup as made
    from evergrant.cli import running

    made.backup(running.read_settings(data_dir=data_dir), file, keys)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `evergrant backup` wrote.")],
    data_dir: DataDir = None,
) -> None:
    """Put a backup in the place of what the database holds. Stop serve and work first.

    Example: [bold]evergrant restore /backup/evergrant.dump[/bold]
    """
    from evergrant.cli import backup as made
    from evergrant.cli import running

    made.restore(running.read_settings(data_dir=data_dir), file)


@app.command()
def recover(
    probe: Annotated[bool, typer.Option("--probe", help="Show each held refresh token once.")] = False,
    ask_sellers: Annotated[bool, typer.Option("--ask-sellers", help="Show none: ask for new consents.")] = False,
) -> None:
    """After a restore: say what is held back because the database is older than its tokens, or decide what becomes of it.

    Example: [bold]evergrant recover --probe[/bold]
    """
    from evergrant.cli import recover as decided
    from evergrant.cli import running

    if probe and ask_sellers:
        running.fail("invalid_request", "Choose one: --probe or --ask-sellers.")
    (decided.probe if probe else decided.ask_sellers if ask_sellers else decided.show)()


@app.command()
def tour(
    as_json: Annotated[bool, typer.Option("--json", help="One object per promise: name, held, evidence.")] = False,
    rotation: Annotated[Rotation, typer.Option(help="How the platform treats a used refresh token.")] = Rotation.STRICT,
    folder: Annotated[Path | None, typer.Option(help="Where it stands; kept. Otherwise a temporary folder.")] = None,
) -> None:
    """Show one authorization's whole life against the sandbox, in a minute. Exit 0 only if every promise held.

    Example: [bold]evergrant tour --json[/bold]
    """
    from evergrant.cli import shows

    raise typer.Exit(shows.tour(as_json=as_json, rotation=rotation, folder=folder))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its world.")] = Path(".evergrant/demo"),
    port: Annotated[int, typer.Option(help="Port of the hub.")] = 8080,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox.")] = 8090,
    browser: Annotated[bool, typer.Option(help="Open a browser where there is one.")] = True,
) -> None:
    """Start PostgreSQL, sandbox, hub and worker with a seeded world. Ctrl-C stops all.

    Example: [bold]evergrant demo --no-browser[/bold]
    """
    from evergrant.cli import shows

    shows.demo(folder=folder, port=port, sandbox_port=sandbox_port, browser=browser)


@tenants_app.command("create")
def create_tenant(
    name: Annotated[str, typer.Argument(help="Name of the workspace.")],
    email: Annotated[str, typer.Option(help="E-mail address of its first owner.")],
    person: Annotated[str, typer.Option(help="Name of that person.")] = "",
) -> None:
    """Make a workspace with its first owner and an API key. Password and key are shown once.

    Example: [bold]evergrant tenants create "Acme Sync" --email owner@acme.example[/bold]
    """
    from evergrant.cli import tenants

    tenants.create(name, email, person)


@tenants_app.command("list")
def list_tenants() -> None:
    """List the workspaces of this hub: id and name.

    Example: [bold]evergrant tenants list[/bold]
    """
    from evergrant.cli import tenants

    tenants.show()


@tenants_app.command("erase")
def erase_tenant(
    tenant: Annotated[str, typer.Argument(help="Id of the workspace (ten_…).")],
    yes: Annotated[bool, typer.Option("--yes", help="Yes, everything of it; there is no way back.")] = False,
) -> None:
    """Erase a workspace with all its connections, people, apps and keys, and print the signed record of it.

    Example: [bold]evergrant tenants erase ten_… --yes[/bold]
    """
    from evergrant.cli import erasing

    erasing.erase(tenant, yes=yes)


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="May be given again: read, tokens, manage, webhooks.")],
    days: Annotated[
        int | None, typer.Option(min=1, max=3650, help="It ends after so many days; otherwise never.")
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Make an API key. It is shown once.

    Example: [bold]evergrant keys create --name orders --scope read --scope tokens[/bold]
    """
    from evergrant.cli import keys

    keys.create_key(tenant, name, scope, days)


@keys_app.command("list")
def list_keys(tenant: Tenant = None) -> None:
    """List a workspace's API keys: scopes, ends, and when each was last used. The keys themselves are not kept.

    Example: [bold]evergrant keys list[/bold]
    """
    from evergrant.cli import keys

    keys.list_keys(tenant)


@keys_app.command("rotate")
def rotate_key(
    key: Annotated[str, typer.Argument(help="Id of the key to be replaced (key_…).")],
    overlap_hours: Annotated[int, typer.Option(min=0, max=2160, help="How long the old one goes on working.")] = 24,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="It ends after so many days; otherwise after as long as the old one."),
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Make an API key with the same scopes and life in the place of another. It is shown once; both work during the overlap.

    Example: [bold]evergrant keys rotate key_… --overlap-hours 24[/bold]
    """
    from evergrant.cli import keys

    keys.rotate_key(tenant, key, overlap_hours, days)


@keys_app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Id of the key to end (key_…).")],
    tenant: Tenant = None,
) -> None:
    """End an API key at once, everywhere.

    Example: [bold]evergrant keys revoke key_…[/bold]
    """
    from evergrant.cli import keys

    keys.revoke_key(tenant, key)


@connections_app.command("list")
def list_connections(tenant: Tenant = None) -> None:
    """List a workspace's connections, with the days they have left.

    Example: [bold]evergrant connections list[/bold]
    """
    from evergrant.cli import connections

    connections.list_connections(tenant)


@connections_app.command("reprocess")
def reprocess(
    connection: Annotated[str, typer.Argument(help="Id of the connection (con_…).")], tenant: Tenant = None
) -> None:
    """Read a stored answer that could not be believed again, as this version reads, and keep its pair if it is one.

    Example: [bold]evergrant connections reprocess con_…[/bold]
    """
    from evergrant.cli import connections

    connections.reprocess(tenant, connection)


@links_app.command("create")
def create_link(
    connection: Annotated[str, typer.Option(help="Id of the connection to renew (con_…).")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long the link works.")] = 7,
    tenant: Tenant = None,
) -> None:
    """Make a hosted link that renews one connection.

    Example: [bold]evergrant links create --connection con_…[/bold]
    """
    from evergrant.cli import connections

    connections.create_link(tenant, connection, days)


def main() -> None:
    """The entry point. SIGTERM and SIGHUP end a command in order, as Ctrl-C does.

    Whatever is started writes no core dump, and nothing it starts does: memory holds keys and open tokens (TS-13).
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    app()


def _leave(number: int, _frame: Any) -> None:
    sys.exit(128 + number)
