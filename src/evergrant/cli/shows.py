"""`evergrant demo` and `evergrant tour`: a whole Evergrant on this machine, to play with or to be shown."""

import json
import signal
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from evergrant import logs
from evergrant.cli import running
from evergrant.stage import cast, ground, seeding
from evergrant.stage.hands import UNREACHABLE, RefusedError

if TYPE_CHECKING:
    from evergrant.stage.children import Told
    from evergrant.tour.promises import Promise

LOOK_SECONDS = 0.5


def demo(*, folder: Path, port: int, sandbox_port: int, browser: bool) -> None:
    """Set the stage, seed it, say where everything is, and stay until Ctrl-C or a signal to end."""
    console = Console()
    logs.configure(level="warning", form="auto")
    if port == sandbox_port:
        running.fail("invalid_request", "Hub and sandbox need a port each: --port and --sandbox-port.")
    places = cast.Places(folder=folder.resolve(), hub_port=port, sandbox_port=sandbox_port)
    with _until_stopped(console), _reported(), ground.taken(places) as own:
        own.fits()
        for each, option in ((port, "--port"), (sandbox_port, "--sandbox-port")):
            another = f'Choose another with {option}, or make demo ARGS="{option} …".'
            running.check_port("127.0.0.1", each, otherwise=another)
        own.clear(lambda what: console.print(f"  [dim]{what}[/dim]"))
        with cast.stage(places, told=_told(console), login=seeding.LOGIN, name="Acme Sync") as stage:
            if not own.is_seeded:
                seeding.seed(stage, lambda what: console.print(f"  [dim]{what}[/dim]"))
                own.keep_seeded()
            console.print(seeding.greeting(stage))
            if browser:
                webbrowser.open(places.hub)
            while not stage.children.failure:
                sleep(LOOK_SECONDS)
            running.fail("stage_failed", str(stage.children.failure))


@contextmanager
def _until_stopped(console: Console) -> Iterator[None]:
    """Stay until Ctrl-C, SIGTERM or SIGHUP: that is how a demo ends well. A second one does not disturb the stopping."""

    def stop(*_: object) -> None:
        for number in running.STOPS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in running.STOPS:
        signal.signal(number, stop)
    try:
        yield
    except KeyboardInterrupt:
        console.print("Stopped.")


def tour(*, as_json: bool, rotation: str, folder: Path | None) -> int:
    """Set a stage, keep the promises on it one after the other, show each; gives the exit code."""
    from evergrant.tour import story

    logs.configure(level="error", form="auto")
    console = Console(stderr=as_json)
    begun, broken, told = monotonic(), 0, 0
    with TemporaryDirectory(prefix="evergrant-tour-") as temporary, _reported():
        where = (folder or Path(temporary)).resolve()
        ground.check_empty(where)
        places = cast.Places(folder=where, hub_port=cast.free_port(), sandbox_port=cast.free_port())
        with (
            console.status("Setting the stage: PostgreSQL, sandbox, hub, worker") as status,
            cast.stage(places, told=lambda *_: None, login=seeding.LOGIN, name="Tour") as stage,
        ):
            for promise in story.tell(stage, rotation=rotation):
                broken, told = broken + (not promise.held), told + 1
                _show(promise, as_json=as_json, console=console)
                status.update(f"[dim]{monotonic() - begun:.0f} s[/dim]")
                if stage.children.failure:
                    raise cast.StageError(str(stage.children.failure))
    summary = f"{broken} of {told} promises did not hold" if broken else "All promises held"
    if told < len(story.PROMISES):
        summary = "The first promise did not hold, and all others rest on it"
    console.print(f"{summary}, {monotonic() - begun:.1f} s.")
    return 1 if broken else 0


@contextmanager
def _reported() -> Iterator[None]:
    with running.reported():
        try:
            yield
        except (cast.StageError, RefusedError, UNREACHABLE) as error:
            running.fail("stage_failed", str(error))


def _told(console: Console) -> "Told":
    return lambda what, who: console.print(f"  [dim]{what} {who}[/dim]")


def _show(promise: "Promise", *, as_json: bool, console: Console) -> None:
    from evergrant.tour import words

    if as_json:
        line = {"name": promise.name, "held": promise.held, "evidence": promise.evidence}
        print(json.dumps(line, default=str), flush=True)
        return
    mark = "[green]✓[/green]" if promise.held else "[red]✗[/red]"
    console.print(f"{mark} {escape(promise.sentence)}")
    console.print(f"  [dim]{escape(words.seen(promise))}[/dim]")
