"""The sandbox as a program: start, refusals to start, kill -9 and races."""

import contextlib
import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kit import sha256
from tests.sandbox.program import Program, free_port, started

pytestmark = pytest.mark.processes


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "evergrant_sandbox", *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


# --- starting and stopping
def test_it_says_where_it_is_and_stops_when_asked(tmp_path: Path) -> None:
    """One line on its output, events on the other; SIGTERM and SIGINT end it with 0."""
    program = Program(folder=tmp_path)
    for number in (signal.SIGTERM, signal.SIGINT):
        program.start()
        greeting = program.greeting
        code, errors = program.stop(number)

        assert greeting.startswith(f"Sandbox ready at {program.base} (platform time 20")
        assert 0 == code
        assert "sandbox.started" in errors
        assert "sandbox.stopped" in errors
        assert "experimental" not in errors
        assert "Traceback" not in errors


def test_help_shows_an_example() -> None:
    """`--help`."""
    done = command("--help")

    assert 0 == done.returncode
    assert "python -m evergrant_sandbox --port 8090 --data" in done.stdout


def test_a_port_that_is_taken_is_not_shared(program: Program, tmp_path: Path) -> None:
    """A second start says so and ends with 2, though the server could bind beside the first."""
    done = command("--port", str(program.port), "--data", str(tmp_path))

    assert 2 == done.returncode
    assert done.stderr.startswith("port_in_use: ")
    assert "--port" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_it_does_not_listen_beyond_loopback_without_a_flag(tmp_path: Path, host: str) -> None:
    """Exit 2 and a sentence; whoever reaches it could turn its clock."""
    done = command("--host", host, "--port", str(free_port()), "--data", str(tmp_path))

    assert (2, "beyond_loopback") == (done.returncode, done.stderr.partition(":")[0])
    assert "--allow-remote" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--port", "70000"], "port_unusable"),
        (["--host", "no.such.host.invalid"], "unknown_host"),
        (["--data", "/proc/no"], "data_unusable"),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, arguments: list[str], code: str) -> None:
    """Exit 2 with a stable code."""
    usual = ["--port", str(free_port()), "--data", str(tmp_path)]
    done = command(*usual, *arguments)

    assert (2, code) == (done.returncode, done.stderr.partition(":")[0])
    assert "Traceback" not in done.stderr


def test_a_folder_in_use_is_not_shared(program: Program) -> None:
    """Two sandboxes over one book would be two truths."""
    done = command("--port", str(free_port()), "--data", str(program.folder))

    assert (2, "data_in_use") == (done.returncode, done.stderr.partition(":")[0])


@pytest.mark.parametrize("content", [b"not a book at all" * 100, b""])
def test_a_file_that_is_no_book_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """Junk is refused; an empty file is as good as none."""
    path = tmp_path / "sandbox.sqlite3"
    path.write_bytes(content)
    if not content:
        with started(tmp_path) as program:
            assert program.ask("world")["grants"] == 0
        return
    done = command("--port", str(free_port()), "--data", str(tmp_path))

    assert (2, "data_unknown") == (done.returncode, done.stderr.partition(":")[0])
    assert content == path.read_bytes()


def test_a_book_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """Neither read nor changed."""
    with contextlib.closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as book:
        book.execute("PRAGMA user_version = 99")
        book.execute("CREATE TABLE something (x)")
        book.commit()
    done = command("--port", str(free_port()), "--data", str(tmp_path))

    assert (2, "data_unknown") == (done.returncode, done.stderr.partition(":")[0])


# --- forgetting nothing
def test_kill_9_forgets_nothing(tmp_path: Path) -> None:
    """World, grants, codes, tokens, clock, switches, log, notices on their way and browser sessions."""
    with started(tmp_path) as program:
        app, pair = program.connect(period="90d")
        code = program.steer("authorize", app=app["key"], seller="logan@cedarridge.example")["code"]
        seller = program.steer("sellers", name="Kept Ltd")
        program.steer("apps", key=app["key"], webhook_url="http://127.0.0.1:9/hooks")
        program.steer("notices", type=99, app=app["key"], delay="1d")
        program.steer("switches", open_id_per="grant")
        program.steer("clock", advance="10m")
        before = (program.ask("world"), program.ask("grants"), program.ask("notices"), program.ask("log"))
        cookie = sign_in(program, "amelia@thamesandclay.example")
        program.kill()
        program.start()
        after = (program.ask("world"), program.ask("grants"), program.ask("notices"), program.ask("log"))

        assert {**before[0], "now": ""} == {**after[0], "now": ""}
        assert before[1:3] == after[1:3]
        assert before[3]["items"] == after[3]["items"][: len(before[3]["items"])]
        assert "Kept Ltd" == after[0]["sellers"][-1]["name"] == seller["name"]
        assert 599 < program.ask("clock")["offset_seconds"] <= 601
        assert "Signed in as amelia" in page(program, "/", cookie)
        assert 0 == json.loads(program.exchange(app, code)[1])["code"]
        assert 0 == json.loads(program.refresh(app, pair["refresh_token"])[1])["code"]


def sign_in(program: Program, email: str) -> str:
    """The cookies of a signed-in browser."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/seller/login")
        answer = connection.getresponse()
        browser = (answer.getheader("set-cookie") or "").partition(";")[0]
        token = answer.read().decode().partition('name="form_token" value="')[2].partition('"')[0]
        body = f"form_token={token}&login={email}&password=sandbox"
        connection.request("POST", "/seller/login", body=body, headers={"Cookie": browser})
        session = (connection.getresponse().getheader("set-cookie") or "").partition(";")[0]
    return f"{browser}; {session}"


def page(program: Program, path: str, cookie: str) -> str:
    """A page, as the browser with these cookies sees it."""
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Cookie": cookie})
        return connection.getresponse().read().decode()


def test_kill_9_in_the_middle_of_refreshing_keeps_what_was_answered(tmp_path: Path) -> None:
    """Time and again: the newest pair a client got is the one the platform knows, or the platform is one ahead."""
    with started(tmp_path) as program:
        app, pair = program.connect()
        token = pair["refresh_token"]
        for wait in range(4):
            stopper = threading.Timer(0.02 + wait / 100, program.process.kill if program.process else print)
            stopper.start()
            with contextlib.suppress(OSError, http.client.HTTPException):
                while True:
                    token = json.loads(program.refresh(app, token)[1])["data"]["refresh_token"]
            stopper.join()
            program.kill()
            program.start()
            known = program.ask(f"grants/{pair['grant_id']}")["refresh_token_sha256"]
            if known != sha256(token):
                newest = max(program.ask("log")["last"] - 20, 0)
                last = program.ask("log", kind="token", after=str(newest))["items"][-1]
                assert (sha256(token), known) == (last["token_sha256"], last["gave_refresh_sha256"])
                app, pair = program.connect()
                token = pair["refresh_token"]


def test_a_hundred_thousand_grants_are_there_after_a_restart(tmp_path: Path) -> None:
    """And the clock turns among them. How quickly is for the bench to say."""
    with started(tmp_path) as program:
        app, _ = program.connect()
        program.stop()
        with contextlib.closing(sqlite3.connect(tmp_path / "sandbox.sqlite3")) as book:
            columns = [row[1] for row in book.execute("PRAGMA table_info(grants)")]
            (row,) = book.execute("SELECT * FROM grants").fetchall()
            given = dict(zip(columns, row, strict=True))
            rows = [
                tuple({**given, "id": 10**12 + n, "target": f"shop:{n}", "warn_at": None}.values())
                for n in range(100_000)
            ]
            book.executemany(f"INSERT INTO grants VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608
            pairs = [(10**12 + n, 1, 1, given["scopes"], 2 * 10**9, 2 * 10**9) for n in range(100_000)]
            book.executemany(
                "INSERT INTO pairs (grant_id, serial, consent, scopes, access_ends_at, refresh_ends_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                pairs,
            )
            book.commit()
        program.start()
        program.steer("clock", advance="1d")
        listed = program.ask("grants", limit="1000")

        assert 100_001 == program.ask("world")["grants"]
        assert 1000 == len(listed["items"])
        assert app["key"] == listed["items"][0]["app"]


# --- races
@pytest.mark.parametrize(
    ("mode", "winners", "alive"), [("retry_safe", 16, True), ("strict", 1, True), ("family", 1, False)]
)
@pytest.mark.parametrize("old", ["lives", "dies"])
def test_sixteen_uses_at_once_have_one_winner(
    program: Program,
    mode: str,
    winners: int,
    alive: bool,  # noqa: FBT001
    old: str,
) -> None:
    """One rotation in every mode that rotates: `retry_safe` gives all of them that one pair, `family` then revokes it."""
    app, pair = program.connect()
    program.steer(f"apps/{app['key']}/rotation", mode=mode, old_access_token=old)
    start = threading.Barrier(16)

    def use(_: int) -> Any:
        start.wait()
        return json.loads(program.refresh(app, pair["refresh_token"])[1])

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(use, range(16)))
    given = [answer["data"]["refresh_token"] for answer in answers if answer["code"] == 0]
    grant = program.ask(f"grants/{pair['grant_id']}")

    assert winners == len(given)
    assert 1 == len(set(given))
    assert sha256(given[0]) == grant["refresh_token_sha256"]
    assert {0, 36004005} >= {answer["code"] for answer in answers}
    assert alive == (grant["status"] == "active")


def test_sixteen_uses_of_a_code_have_one_winner(program: Program) -> None:
    """Single use means single."""
    app = program.ask("world")["apps"][0]
    code = program.steer("authorize", app=app["key"], seller="clara@kuechenliebe.example")["code"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: json.loads(program.exchange(app, code)[1])["code"], range(16)))

    assert [0] + [36004004] * 15 == sorted(answers)
