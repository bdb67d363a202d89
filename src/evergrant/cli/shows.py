"""`evergrant demo` and `evergrant tour`: a whole Evergrant on this machine, to play with or to be shown."""

import signal
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from evergrant.cli import running
from evergrant.stage import cast

HUB_PORT, SANDBOX_PORT = 8080, 8090


def show_demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its world.")] = Path(".evergrant/demo"),
    port: Annotated[int, typer.Option(help="Port of the hub.")] = HUB_PORT,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox.")] = SANDBOX_PORT,
    browser: Annotated[bool, typer.Option(help="Open a browser where there is one.")] = True,
) -> None:
    """Start PostgreSQL, sandbox, hub and worker with a seeded world. Ctrl-C stops all.

    Example: [bold]evergrant demo --no-browser[/bold]
    """
    console = Console()
    for each in (port, sandbox_port):
        running.check_port("127.0.0.1", each)
    places = cast.Places(folder=folder.resolve(), hub_port=port, sandbox_port=sandbox_port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with (
            running.reported(),
            cast.stage(
                places, told=_told(console), login=cast.Login(email="a@b.c", password="x"), name="Demo vendor"
            ) as stage,
        ):
            if browser:
                webbrowser.open(stage.hub)
            stop.wait()
            console.print("Stopping …")
    except cast.StageError as error:
        running.fail("stage_failed", str(error))


def _told(console: Console) -> cast.Told:
    return lambda what, who: console.print(f"  [dim]{what} {who}[/dim]")
