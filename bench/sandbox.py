"""The sandbox: rotations and signed reads for each second of its processor time, and how soon it is back after a restart."""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import psutil

from bench import sandbox_calls, sandbox_world
from bench.asks import Order
from bench.figures import Goal, Line, ratios
from bench.ground import Ground, command
from bench.load import Seen
from bench.sandbox_calls import Ask
from bench.sandbox_world import World
from evergrant.stage.cast import free_port

GRANTS = 100_000
CLIENTS = 32
WARM_SECONDS = 0.5
LIKELY_AT_MOST = 10_000
"""Rotations a second that the grants suffice for: each shows a refresh token nobody has used."""
RESTARTS = 5

STATIC = "static JSON, processor"
ROTATION, SHOPS, ORDERS = "rotation", "signed read: shops", "signed read: 20 orders"
EMPTY, FULL = "restart, seeded world", f"restart, {GRANTS:,} grants or more"

GOALS = {ROTATION: 1_700, SHOPS: 2_500, ORDERS: 2_500}


@dataclass(slots=True, kw_only=True)
class Sandbox:
    """The program over one folder, started and stopped."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    def start(self) -> float:
        """Start it; gives the seconds until it says that it is ready."""
        begun = perf_counter()
        arguments = ("--port", str(self.port), "--data", str(self.folder))
        self.process = subprocess.Popen(
            command("evergrant_sandbox", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        if "ready" not in self.process.stdout.readline():
            raise RuntimeError("The sandbox did not start.")
        return perf_counter() - begun

    @property
    def spent(self) -> float:
        """The seconds it has spent on a processor."""
        assert self.process
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """Stop it in order."""
        if self.process:
            self.process.terminate()
            self.process.communicate(timeout=30)
            self.process = None

    def count(self, what: str) -> int:
        """How many rows there are of something, read from the book of the stopped program."""
        with contextlib.closing(sqlite3.connect(self.folder / "sandbox.sqlite3")) as book:
            return int(book.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608  (our own words)


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of the load generator against one process."""

    seen: Seen
    spent: float

    @property
    def per_second(self) -> float:
        """Right answers for each second of the process's time on a processor."""
        return self.seen.answers / self.spent


Turns = dict[str, list[Turn]]


def measure(ground: Ground, *, seconds: float, rounds: int) -> list[Line]:
    """The lines of the sandbox."""
    bare = ground.bare()
    folder = ground.folder / "sandbox"
    used_up = int(LIKELY_AT_MOST * (WARM_SECONDS + seconds * rounds)) + sandbox_calls.READ_MADE_BEFORE
    world = asyncio.run(sandbox_world.fill(folder, max(GRANTS, used_up), ground.told))
    sandbox = Sandbox(folder=folder)
    try:
        restarts = _restarts(ground, sandbox)
        sandbox.start()
        turns, everything = _turns(ground, sandbox, world, bare, seconds=seconds, rounds=rounds)
    finally:
        sandbox.stop()
    logged = {
        ROTATION: sandbox.count("log WHERE kind = 'token' AND status = 200 AND code = 0"),
        SHOPS: sandbox.count("log WHERE path = '/authorization/202309/shops' AND status = 200 AND code = 0"),
        ORDERS: sandbox.count("log WHERE path = '/order/202309/orders/search' AND status = 200 AND code = 0"),
    }
    return [*_lines(turns, everything, logged), *restarts]


def _restarts(ground: Ground, full: Sandbox) -> list[Line]:
    """Start to readiness, in turns with a world that holds next to nothing."""
    empty = Sandbox(folder=ground.folder / "sandbox-seeded")
    empty.start()
    empty.stop()
    spent: dict[str, list[float]] = {EMPTY: [], FULL: []}
    busy: dict[str, list[float]] = {EMPTY: [], FULL: []}
    for _ in range(RESTARTS):
        for name, each in ((EMPTY, empty), (FULL, full)):
            spent[name].append(each.start())
            busy[name].append(each.spent)
            each.stop()
    ground.told(" · ".join(f"{name} {some[-1]:.2f} s" for name, some in spent.items()))
    there = full.count("grants")
    return [
        Line(
            name=EMPTY,
            unit="s",
            values=tuple(spent[EMPTY]),
            notes=f"{median(busy[EMPTY]):.2f} s of it on a processor",
        ),
        Line(
            name=FULL,
            unit="s",
            values=tuple(spent[FULL]),
            against=EMPTY,
            ratios=ratios(spent[FULL], spent[EMPTY]),
            goal=Goal(bound=2, at_most=True, of_ratio=False),
            notes=f"{there:,} grants are there after it; {median(busy[FULL]):.2f} s of it on a processor",
            troubles=() if there >= GRANTS else (f"{there:,} grants",),
        ),
    ]


def _turns(
    ground: Ground, sandbox: Sandbox, world: World, bare: int, *, seconds: float, rounds: int
) -> tuple[Turns, Mapping[str, int]]:
    """Every round of each, and how many right answers there were in all, those that warmed up included."""
    assert sandbox.process
    keys = Ask(kind="", app_key=world.app_key, app_secret=world.app_secret, mint=world.mint, ciphers=world.ciphers)
    plain = Order(port=bare, path="/static", clients=CLIENTS, seconds=seconds)
    asks = {ROTATION: "rotations", SHOPS: "shops", ORDERS: "orders"}
    processes = {name: psutil.Process(sandbox.process.pid) for name in asks}
    processes[STATIC] = _listening_at(bare)
    turns: Turns = {name: [] for name in (STATIC, *asks)}
    answers = dict.fromkeys(asks, 0)
    used = 1
    for number in range(rounds + 1):
        lasts = seconds if number else WARM_SECONDS
        for name in turns:
            order = replace(plain, seconds=lasts)
            if name in asks:
                order = replace(order, port=sandbox.port, sandbox=replace(keys, kind=asks[name], first=used))
            turn = _run(order, processes[name])
            if name in asks:
                answers[name] += turn.seen.answers
            used += turn.seen.answers + turn.seen.wrong + CLIENTS if name == ROTATION else 0
            if number:
                turns[name].append(turn)
        if number:
            told = " · ".join(f"{name} {some[-1].per_second:,.0f}" for name, some in turns.items())
            ground.told(f"sandbox, round {number} of {rounds}, for each second of processor time: {told}")
    return turns, answers


def _listening_at(port: int) -> psutil.Process:
    """The process of ours that serves a port."""
    for child in psutil.Process().children(recursive=True):
        if any(each.laddr.port == port for each in child.net_connections(kind="tcp")):
            return child
    raise RuntimeError(f"None of our processes listens at {port}.")


def _run(order: Order, process: psutil.Process) -> Turn:
    before = process.cpu_times()
    done = subprocess.run(
        command("bench.load"), input=json.dumps(asdict(order)), capture_output=True, text=True, check=False
    )
    after = process.cpu_times()
    if done.returncode:
        raise RuntimeError(f"The load generator failed:\n{done.stderr}")
    spent = (after.user + after.system) - (before.user + before.system)
    return Turn(Seen(**json.loads(done.stdout)), max(spent, 0.01))


def _lines(turns: Turns, answers: Mapping[str, int], logged: Mapping[str, int]) -> list[Line]:
    rates = {name: tuple(turn.per_second for turn in some) for name, some in turns.items()}
    lines = [Line(name=STATIC, unit="/CPU s", values=rates[STATIC])]
    for name, bound in GOALS.items():
        wrong = sum(turn.seen.wrong for turn in turns[name])
        first = next((turn.seen.first_wrong for turn in turns[name] if turn.seen.first_wrong), "")
        troubles = [f"{wrong} wrong answers, the first: {first}"] if wrong else []
        if logged[name] != answers[name]:
            troubles.append(f"{answers[name]:,} answers and {logged[name]:,} lines in the log")
        lines.append(
            Line(
                name=name,
                unit="/CPU s",
                values=rates[name],
                against=STATIC,
                ratios=ratios(rates[name], rates[STATIC]),
                goal=Goal(bound=bound, of_ratio=False),
                notes=f"{logged[name]:,} lines in the log for {answers[name]:,} answers; {_clock(turns[name])}",
                troubles=tuple(troubles),
            )
        )
    return lines


def _clock(some: Sequence[Turn]) -> str:
    """The same by the wall: what the generator and the other processes leave of the machine."""
    rate = sum(turn.seen.answers for turn in some) / sum(turn.seen.seconds for turn in some)
    return f"{rate:,.0f}/s by the clock"
