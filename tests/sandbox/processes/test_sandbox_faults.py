"""The sandbox as a program: faults on real sockets."""

import contextlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.kit import DAY, sha256
from tests.sandbox.program import Program, eventually, received

pytestmark = pytest.mark.processes


# --- faults
def presented(program: Program, token: str) -> list[Any]:
    """What the log says of a token that was presented."""
    return [each for each in program.ask("log", kind="token")["items"] if each["token_sha256"] == sha256(token)]


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"status": 503}, 503, {"code": 36009003, "data": None, "message": "Internal error."}),
        ({"status": 429, "retry_after": 7}, 429, {"code": 36009002, "data": None, "message": "Too many requests."}),
        ({"status": 200, "code": 36009033, "message": "IP"}, 200, {"code": 36009033, "data": None, "message": "IP"}),
    ],
)
def test_a_status_can_be_forced(program: Program, fault: Any, status: int, body: Any) -> None:
    """In the platform's envelope; the work was not done, so the token is still good."""
    app, pair = program.connect()
    set_fault = program.steer("faults", action="status", kind="token", times=1, **fault)
    got, said = program.refresh(app, pair["refresh_token"])
    after = json.loads(program.refresh(app, pair["refresh_token"])[1])
    line = presented(program, pair["refresh_token"])

    assert (status, body) == (got, {key: value for key, value in json.loads(said).items() if key != "request_id"})
    assert 0 == after["code"]
    assert 1 == len(line)
    assert (1, 2) == tuple(program.ask("faults")["items"][0][name] for name in ("hits", "seen"))
    spoilt = [each for each in program.ask("log", kind="token")["items"] if each["fault"]]
    assert (f"{set_fault['id']}:status", status) == (spoilt[-1]["fault"], spoilt[-1]["status"])


def test_retry_after_is_a_header(program: Program) -> None:
    """Seconds, as the platform sends it."""
    program.steer("faults", action="status", status=429, retry_after=7)
    connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/authorization/202309/shops")
        assert "7" == connection.getresponse().getheader("retry-after")


def test_a_status_without_the_envelope_is_a_proxys(program: Program) -> None:
    """A bare 502 in HTML; and with HTML and 200, a wrong type."""
    app, pair = program.connect()
    program.steer("faults", action="status", status=502, envelope=False, times=1)
    program.steer("faults", action="wrong_type", nth=2, times=1, moment="after_work")
    bare = program.refresh(app, pair["refresh_token"])
    wrong = program.refresh(app, pair["refresh_token"])
    lost = json.loads(program.refresh(app, pair["refresh_token"])[1])

    assert (502, b"<!doctype html>") == (bare[0], bare[1][:15])
    assert (200, b"<!doctype html>") == (wrong[0], wrong[1][:15])
    assert 36004005 == lost["code"]


def waiting(program: Program) -> Any:
    """The first fault, as soon as a call waits at its barrier."""
    return eventually(lambda: next((each for each in program.ask("faults")["items"][:1] if each["waiting"]), None))


@pytest.mark.parametrize("moment", ["before_work", "after_work"])
def test_an_answer_can_be_late(program: Program, moment: str) -> None:
    """Before or after the work."""
    app, pair = program.connect()
    program.steer("faults", action="delay", seconds=0.4, moment=moment)
    begun = time.monotonic()
    answer = json.loads(program.refresh(app, pair["refresh_token"])[1])
    took = time.monotonic() - begun
    line = presented(program, pair["refresh_token"])[0]

    assert 0 == answer["code"]
    assert took >= 0.4
    assert line["ended_wall"] - line["wall"] >= 0.4


def test_a_reply_can_be_lost(program: Program) -> None:
    """The work is done, the connection is cut, not one byte is answered; the log knows."""
    app, pair = program.connect()
    program.steer("faults", action="lose_reply", grant=pair["grant_id"])
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        program.refresh(app, pair["refresh_token"])
    program.call("DELETE", "/_sandbox/faults")
    line = presented(program, pair["refresh_token"])[0]
    grant = program.ask(f"grants/{pair['grant_id']}")

    assert (0, None) == (line["code"], line["status"])
    assert line["gave_refresh_sha256"] == grant["refresh_token_sha256"] != sha256(pair["refresh_token"])
    assert 36004005 == json.loads(program.refresh(app, pair["refresh_token"])[1])["code"]


@pytest.mark.parametrize("count", [0, 1, 100])
def test_an_answer_can_be_cut_short(program: Program, count: int) -> None:
    """The head promises the whole, so many bytes come, then the connection ends."""
    app, pair = program.connect()
    program.steer("faults", action="truncate", after_bytes=count)
    with pytest.raises(http.client.IncompleteRead) as cut:
        program.refresh(app, pair["refresh_token"])

    assert count == len(cut.value.partial)
    assert 0 == presented(program, pair["refresh_token"])[0]["code"]


@pytest.mark.parametrize(
    ("barrier", "logged", "rotated", "bytes_seen"),
    [
        ("before_rotate", 0, False, "none"),
        ("after_rotate", 1, True, "none"),
        ("half_body", 1, True, "half"),
        ("full_body", 1, True, "all"),
    ],
)
def test_a_call_can_be_held_at_every_barrier(
    program: Program,
    barrier: str,
    logged: int,
    rotated: bool,  # noqa: FBT001
    bytes_seen: str,
) -> None:
    """Before the work, after it, in the middle of the answer and at its end, until it is released."""
    app, pair = program.connect()
    fault = program.steer("faults", action="hold", barrier=barrier, grant=pair["grant_id"], kind="token")
    with program.raw(Program.refresh_path(app, pair["refresh_token"])) as connection:
        held = waiting(program)
        early = received(connection, wait=0.3)
        lines = presented(program, pair["refresh_token"])
        known = program.ask(f"grants/{pair['grant_id']}")["refresh_token_sha256"]
        released = program.steer(f"faults/{fault['id']}/release")
        whole = early + received(connection, wait=1)
    body = whole.partition(b"\r\n\r\n")[2]

    assert (1, 1) == (len(held["waiting"]), held["hits"])
    assert (pair["grant_id"], "/api/v2/token/refresh") == (held["waiting"][0]["grant"], held["waiting"][0]["path"])
    assert logged == len(lines)
    assert rotated == (known != sha256(pair["refresh_token"]))
    assert {"count": 1} == released
    assert 0 == json.loads(body)["code"]
    early_body = early.partition(b"\r\n\r\n")[2]
    assert {"none": 0, "half": len(body) // 2, "all": len(body)}[bytes_seen] == len(early_body)
    assert [] == program.ask("faults")["items"][0]["waiting"]


def test_a_held_call_can_be_cut(program: Program) -> None:
    """Released with the verdict `cut`: the connection ends without an answer."""
    app, pair = program.connect()
    fault = program.steer("faults", action="hold", barrier="after_rotate")
    with program.raw(Program.refresh_path(app, pair["refresh_token"])) as connection:
        waiting(program)
        program.steer(f"faults/{fault['id']}/release", verdict="cut")

        assert b"" == received(connection, wait=2)


def test_a_client_that_goes_away_while_it_is_held_changes_nothing(program: Program) -> None:
    """Released later, the platform still does what it was asked, as it would at home."""
    app, pair = program.connect()
    fault = program.steer("faults", action="hold", barrier="before_rotate")
    with program.raw(Program.refresh_path(app, pair["refresh_token"])):
        waiting(program)
    program.steer(f"faults/{fault['id']}/release")
    program.call("DELETE", "/_sandbox/faults")
    eventually(lambda: presented(program, pair["refresh_token"]))

    assert 36004005 == json.loads(program.refresh(app, pair["refresh_token"])[1])["code"]


def test_a_fault_hits_the_calls_it_names(program: Program) -> None:
    """By app, grant, kind, path, and the number of the call."""
    app, pair = program.connect()
    other = program.steer("apps")
    program.steer("faults", action="status", app=other["key"])
    program.steer("faults", action="status", grant="1")
    program.steer("faults", action="status", kind="api")
    program.steer("faults", action="status", path="/api/v2/token/get")
    program.steer("faults", action="status", path="/api/*/refresh", nth=2, times=2, status=504)
    token, seen = pair["refresh_token"], []
    for _ in range(5):
        status, said = program.refresh(app, token)
        seen.append(status)
        token = json.loads(said)["data"]["refresh_token"] if status == 200 else token

    assert [200, 504, 504, 200, 200] == seen
    assert 503 == program.call("GET", "/authorization/202309/shops")[0]
    assert [0, 0, 1, 0, 2] == [fault["hits"] for fault in program.ask("faults")["items"]]
    assert {"count": 5} == json.loads(program.call("DELETE", "/_sandbox/faults")[1])


def test_a_notice_can_be_lost_on_its_way(program: Program) -> None:
    """The platform believes it delivered."""
    app, pair = program.connect()
    program.steer("apps", key=app["key"], webhook_url="http://127.0.0.1:9/hooks")
    program.steer("faults", action="drop", kind="notice", grant=pair["grant_id"])
    program.steer(f"grants/{pair['grant_id']}/cancel")
    program.steer("clock", advance="1d")
    program.steer("apps", key=app["key"], webhook_url="")
    lines = [each for each in program.ask("log", kind="notice")["items"] if each["grant"] == pair["grant_id"]]

    assert ["dropped_by_fault"] == [each["notice"]["answer"] for each in lines]


def test_time_is_turned_while_others_call(program: Program) -> None:
    """Calls during a turn are answered, at the platform's time of that moment."""
    before = program.ask("clock")["unix"]
    with ThreadPoolExecutor(4) as pool:
        turned = pool.submit(program.steer, "clock", advance="400d")
        statuses = {program.call("GET", "/_sandbox/clock")[0] for _ in range(20)}
        after = turned.result()["unix"]

    assert {200} == statuses
    assert 400 * DAY <= after - before < 400 * DAY + 60
