"""`evergrant demo` and `evergrant tour`: a whole Evergrant on this machine, to play with or to be shown."""

import json
import signal
import threading
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from evergrant import logs
from evergrant.cli import running
from evergrant.stage import cast, demo
from evergrant.tour import story
from evergrant.tour.promises import Promise

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
    logs.configure(level="warning", form="auto")
    for each in (port, sandbox_port):
        running.check_port("127.0.0.1", each)
    places = cast.Places(folder=folder.resolve(), hub_port=port, sandbox_port=sandbox_port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with running.reported(), cast.stage(places, told=_told(console), login=demo.LOGIN, name="Acme Sync") as stage:
            demo.seed(stage, lambda what: console.print(f"  [dim]{what}[/dim]"))
            console.print(demo.greeting(stage))
            if browser:
                webbrowser.open(stage.hub)
            stop.wait()
            console.print("Stopping …")
    except cast.StageError as error:
        running.fail("stage_failed", str(error))


def _told(console: Console) -> cast.Told:
    return lambda what, who: console.print(f"  [dim]{what} {who}[/dim]")


def tour(
    as_json: Annotated[bool, typer.Option("--json", help="One object per promise: name, held, evidence.")] = False,
    rotation: Annotated[str, typer.Option(help="How the platform treats a used refresh token.")] = "strict",
    folder: Annotated[
        Path | None, typer.Option(help="Where it stands; kept afterwards. Otherwise a temporary one.")
    ] = None,
) -> None:
    """Show one authorization's whole life against the sandbox, in a minute. Exit 0 only if every promise held.

    Example: [bold]evergrant tour --json[/bold]
    """
    logs.configure(level="error", form="auto")
    console = Console(stderr=as_json)
    begun = monotonic()
    with TemporaryDirectory(prefix="evergrant-tour-") as temporary:
        places = cast.Places(folder=folder or Path(temporary), hub_port=cast.free_port(), sandbox_port=cast.free_port())
        broken = 0
        try:
            with (
                running.reported(),
                console.status("Setting the stage: PostgreSQL, sandbox, hub, worker") as status,
                cast.stage(places, told=lambda *_: None, login=demo.LOGIN, name="Tour") as stage,
            ):
                for promise in story.tell(stage, rotation=rotation):
                    broken += not promise.held
                    _show(promise, as_json, console)
                    status.update(f"[dim]{monotonic() - begun:.0f} s[/dim]")
        except cast.StageError as error:
            running.fail("stage_failed", str(error))
    console.print(
        f"{'All promises held' if not broken else f'{broken} of the promises did not hold'}, {monotonic() - begun:.1f} s."
    )
    raise typer.Exit(1 if broken else 0)


def _show(promise: Promise, as_json: bool, console: Console) -> None:
    if as_json:
        print(
            json.dumps({"name": promise.name, "held": promise.held, "evidence": promise.evidence}, default=str),
            flush=True,
        )
        return
    mark = "[green]✓[/green]" if promise.held else "[red]✗[/red]"
    console.print(f"{mark} {escape(promise.sentence)}")
    console.print(f"  [dim]{escape(', '.join(f'{name}: {value}' for name, value in promise.evidence.items()))}[/dim]")
