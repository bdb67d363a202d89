"""The bench's own arithmetic, report and load generator. Its figures are no matter for tests: they belong to the machine."""

import asyncio
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import pytest
from rich.console import Console

from bench import asks, report, sandbox, sandbox_calls, sandbox_world
from bench.asks import Order
from bench.figures import Goal, Line, missed, percentile, ratios, spread
from bench.load import Seen, drive, together
from bench.sandbox import Turn
from evergrant.core.secret import Secret
from evergrant.providers import tiktok_shop

ROOT = Path(__file__).resolve().parents[2]


def line(*values: float, base: tuple[float, ...] = (), goal: Goal | None = None, trouble: str = "") -> Line:
    """A line of the report."""
    troubles = (trouble,) if trouble else ()
    shares = ratios(values, base) if base else ()
    return Line(
        name="reads",
        unit="/s",
        values=values,
        against="bare",
        ratios=shares,
        goal=goal,
        notes="a note",
        troubles=troubles,
    )


def test_a_ratio_is_taken_round_by_round() -> None:
    """A round in which the machine was slow is slow for both, and does not move the ratio."""
    assert (0.5, 0.5, 0.5) == ratios((100, 10, 50), (200, 20, 100))


def test_a_figure_is_its_median_with_its_spread() -> None:
    """Neither the best nor the worst round decides."""
    found = spread((3, 1, 100))

    assert (3, 1, 100) == (found.middle, found.least, found.most)
    assert 99 == percentile(range(100), 0.99)
    assert 0 == percentile((), 0.99)


@pytest.mark.parametrize(
    ("goal", "values", "base", "held"),
    [
        (Goal(bound=0.3), (30, 40, 50), (100, 100, 100), True),
        (Goal(bound=0.3), (30, 20, 10), (100, 100, 100), False),
        (Goal(bound=1.5, at_most=True), (10, 15, 20), (10, 10, 10), True),
        (Goal(bound=1.5, at_most=True), (10, 16, 20), (10, 10, 10), False),
        (Goal(bound=200, of_ratio=False), (250, 199, 201), (1000, 1000, 1000), True),
        (Goal(bound=200, of_ratio=False), (150, 199, 201), (1000, 1000, 1000), False),
    ],
)
def test_the_median_decides_whether_a_goal_is_held(
    goal: Goal, values: tuple[float, ...], base: tuple[float, ...], *, held: bool
) -> None:
    """Of the ratio or of the figure itself, at least or at most."""
    judged = line(*values, base=base, goal=goal)

    assert held == judged.held
    assert (() if held else ("reads",)) == missed([judged])


def test_a_wrong_answer_voids_a_figure_however_fast_it_was() -> None:
    """Speed of refusals is no speed."""
    assert not line(1000, trouble="3 wrong answers").held


def test_the_report_names_what_was_missed_and_the_file_holds_every_round(tmp_path: Path) -> None:
    """For people a table with a word as the verdict, for programs JSON."""
    lines = [line(10, 20, 30, base=(100, 100, 100), goal=Goal(bound=0.3)), line(5)]
    written = tmp_path / "below" / "bench.json"
    paper = io.StringIO()
    report.show(Console(file=paper, width=130), lines)
    report.write(written, {"cores": "2"}, lines)
    read = json.loads(written.read_text(encoding="utf-8"))

    assert "20.00 /s (10.00 to 30.00)" in paper.getvalue()
    assert "0.20 (0.10 to 0.30)" in paper.getvalue()
    assert "≥ 0.30" in paper.getvalue()
    assert "Missed: reads." in paper.getvalue()
    assert ["reads"] == read["missed"]
    assert [10, 20, 30] == read["lines"][0]["values"]
    assert "2" == read["machine"]["cores"]


def test_every_notice_is_signed_as_the_platform_signs_and_is_a_new_one() -> None:
    """The hub checks them as it checks real ones."""
    order = Order(port=0, path="/hooks", clients=1, seconds=1, notice_key="key", notice_secret="secret", first_notice=7)
    sent = [request.partition(b"\r\n\r\n") for request in islice(asks.requests(order), 3)]
    ids = {tiktok_shop.read_notice(body).id for _, _, body in sent}

    assert {"7", "8", "9"} == ids
    for head, _, body in sent:
        signature = head.split(b"authorization: ")[1].split(b"\r\n")[0]
        assert tiktok_shop.is_notice_signed("key", Secret("secret"), body, signature)


class Answering(BaseHTTPRequestHandler):
    """Says 200 to `/good` and 404 to everything else, keeping the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path == "/good" else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.mark.parametrize(("path", "right"), [("/good", True), ("/bad", False)])
def test_the_load_generator_counts_right_and_wrong_answers(path: str, *, right: bool) -> None:
    """Against a real server, over connections that are kept."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        order = Order(port=server.server_port, path=path, clients=3, seconds=0.2)
        seen = drive(order.port, asks.requests(order), clients=order.clients, seconds=order.seconds)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()

    assert (right, not right) == (seen.answers > 0, seen.wrong > 0)
    assert (seen.first_wrong == "") == right
    assert 0 < seen.p50_ms <= seen.p99_ms


def test_turns_of_a_round_are_counted_as_one() -> None:
    """Answers and seconds add up, and the worst wait is the round's."""
    seen = together(
        [Seen(answers=10, seconds=1, p99_ms=5), Seen(answers=50, seconds=2, p99_ms=9, wrong=1, first_wrong="x")]
    )

    assert (20, 9, 1, "x") == (seen.per_second, seen.p99_ms, seen.wrong, seen.first_wrong)


def test_help_shows_how_it_is_typed() -> None:
    """`python -m bench --help` ends well, with an example."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )

    assert (0, "") == (done.returncode, done.stderr)
    for option in ("--seconds", "--rounds", "--only", "--json", "Example: python -m bench"):
        assert option in done.stdout


def test_fewer_rounds_than_a_median_needs_are_refused() -> None:
    """Two figures have no middle."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--rounds", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert 2 == done.returncode
    assert "fewer than 3" in done.stderr


# --- the sandbox


@pytest.mark.processes
def test_the_sandbox_takes_every_call_the_bench_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens sealed here and signatures made here are real ones, and every call is a line in the log."""
    monkeypatch.setattr(sandbox_calls, "READ_MADE_BEFORE", 40)
    world = asyncio.run(sandbox_world.fill(tmp_path, 40, lambda _: None))
    ask = sandbox_calls.Ask(kind="", app_key=world.app_key, app_secret=world.app_secret, mint=world.mint)
    running = sandbox.Sandbox(folder=tmp_path)
    running.start()
    try:
        seen = {
            kind: drive(running.port, few_of(replace(ask, kind=kind, ciphers=world.ciphers)), clients=2, seconds=0.05)
            for kind in ("rotations", "shops", "orders")
        }
    finally:
        running.stop()

    assert {""} == {each.first_wrong for each in seen.values()}
    assert all(each.answers for each in seen.values())
    assert sum(each.answers for each in seen.values()) == running.count(
        "log WHERE code = 0 AND kind IN ('token', 'api')"
    )


def few_of(ask: sandbox_calls.Ask) -> Iterator[bytes]:
    """Requests of a world so small that rotations would run out of it: after the last of them, reads."""
    yield from islice(sandbox_calls.requests(ask), 30)
    yield from sandbox_calls.requests(replace(ask, kind="shops"))


def test_an_answer_without_its_line_in_the_log_voids_the_figure() -> None:
    """Every call is logged, or the speed is no speed."""
    turns = [Turn(Seen(answers=3_000, seconds=1.0), 1.0)] * 3
    names = (sandbox.STATIC, *sandbox.GOALS)
    answers = dict.fromkeys(sandbox.GOALS, 9_000)
    logged = {**answers, sandbox.ROTATION: 8_999}
    lines = {each.name: each for each in sandbox._lines(dict.fromkeys(names, turns), answers, logged)}

    assert ("9,000 answers and 8,999 lines in the log",) == lines[sandbox.ROTATION].troubles
    assert not lines[sandbox.ROTATION].held
    assert lines[sandbox.SHOPS].held
    assert 3_000 == lines[sandbox.SHOPS].judged


def test_a_rate_is_of_processor_time() -> None:
    """A machine shared with others does not make the sandbox slower."""
    assert 2_000 == Turn(Seen(answers=1_000, seconds=10.0), 0.5).per_second
