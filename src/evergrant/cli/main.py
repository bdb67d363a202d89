"""The commands."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from evergrant.assembly import programs
from evergrant.cli import keys, look, running, shows

app = typer.Typer(
    name="evergrant",
    help="Keeps a seller's yes alive: TikTok Shop authorizations, their whole life, for integration vendors.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(keys.keys_app, name="keys")
app.add_typer(keys.tenants_app, name="tenants")
app.add_typer(look.connections_app, name="connections")
app.add_typer(look.links_app, name="links")
app.command("doctor")(look.doctor)
app.command("tour")(shows.tour)
app.command("demo")(shows.show_demo)

Port = Annotated[int | None, typer.Option(help="Port to listen on (EVERGRANT_PORT, 8080).")]
DataDir = Annotated[Path | None, typer.Option(help="Where database, vault key and spool are (EVERGRANT_DATA_DIR).")]


@app.command()
def serve(
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (EVERGRANT_HOST, 127.0.0.1).")] = None,
    data_dir: DataDir = None,
) -> None:
    """Serve the hub: API, callbacks, notices, Dashboard.

    Example: [bold]evergrant serve --port 8080[/bold]
    """
    chosen = running.read_settings(port=port, host=host, data_dir=data_dir)
    running.check_port(chosen.host, chosen.port)
    running.run(programs.serve, chosen, told="hub.started")


@app.command()
def work(data_dir: DataDir = None) -> None:
    """Work: refresh tokens, watch the ends, understand notices, sync. Start as many as you like.

    Example: [bold]evergrant work[/bold]
    """
    running.run(programs.work, running.read_settings(data_dir=data_dir), told="worker.ready")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Start the platform itself on this machine: TikTok's side, with a clock you can turn.

    Example: [bold]evergrant sandbox --port 8090 --data /tmp/sandbox[/bold]
    """
    arguments = [sys.executable, "-m", "evergrant_sandbox", *context.args]
    os.execv(sys.executable, arguments)  # noqa: S606  (a process of its own: the hub never imports the sandbox)


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to the schema this version needs.

    Example: [bold]EVERGRANT_DATABASE_URL=postgresql://… evergrant migrate[/bold]
    """
    chosen = running.read_settings(data_dir=data_dir)
    with running.reported(), programs.database(chosen, migrates=True):
        print(f"The schema is at revision {programs.newest_revision()}.")


def main() -> None:
    """The entry point."""
    app()
