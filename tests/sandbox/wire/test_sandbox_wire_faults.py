"""Every fault on a real socket, for token calls and for signed calls alike, by app, authorization and number."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from evergrant_sandbox import signing
from tests.sandbox.program import Program, eventually, received, started

pytestmark = pytest.mark.processes

SHOPS = "/authorization/202309/shops"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for all of them."""
    with started(tmp_path_factory.mktemp("shared")) as program:
        yield program


@pytest.fixture
def program(shared: Program) -> Iterator[Program]:
    """The same, without faults."""
    yield shared
    shared.call("DELETE", "/_sandbox/faults")


@pytest.fixture(params=["token", "api"])
def called(request: pytest.FixtureRequest, program: Program) -> tuple[str, str, str]:
    """A kind of call, the authorization it is about, and its address; the refresh token answers again and again."""
    app = program.ask("world")["apps"][0]
    program.steer(f"apps/{app['key']}/rotation", mode="stable")
    app, pair = program.connect()
    if request.param == "token":
        return "token", pair["grant_id"], Program.refresh_path(app, pair["refresh_token"])
    query = {"app_key": app["key"], "timestamp": str(program.ask("clock")["unix"])}
    query["sign"] = signing.sign_request(secret=app["secret"], path=SHOPS, query=query, body=b"")
    return "api", pair["grant_id"], f"{SHOPS}?{urlencode(query | {'access_token': pair['access_token']})}"


def get(program: Program, address: str) -> tuple[int, bytes]:
    """The answer."""
    return program.call("GET", address)


def test_the_call_is_answered_without_a_fault(program: Program, called: tuple[str, str, str]) -> None:
    """Otherwise the tests below would prove nothing."""
    status, body = get(program, called[2])

    assert (200, 0) == (status, json.loads(body)["code"])


@pytest.mark.parametrize(
    ("fault", "status", "begins"),
    [
        ({"action": "status", "status": 500}, 500, b'{"code":36009003'),
        ({"action": "status", "status": 429, "moment": "after_work"}, 429, b'{"code":36009002'),
        ({"action": "status", "status": 502, "envelope": False}, 502, b"<!doctype html>"),
        ({"action": "wrong_type"}, 200, b"<!doctype html>"),
    ],
)
def test_another_answer_comes(
    program: Program, called: tuple[str, str, str], fault: dict[str, Any], status: int, begins: bytes
) -> None:
    """Once, for this authorization; the next call is answered again."""
    kind, grant, address = called
    program.steer("faults", kind=kind, grant=grant, times=1, **fault)
    spoilt, after = get(program, address), get(program, address)

    assert (status, begins) == (spoilt[0], spoilt[1][: len(begins)])
    assert (200, 0) == (after[0], json.loads(after[1])["code"])


def test_an_answer_is_late(program: Program, called: tuple[str, str, str]) -> None:
    """By as much as was said, then it is what it would have been."""
    kind, _, address = called
    program.steer("faults", kind=kind, action="delay", seconds=0.3)
    begun = time.monotonic()
    status, body = get(program, address)

    assert time.monotonic() - begun >= 0.3
    assert (200, 0) == (status, json.loads(body)["code"])


def test_an_answer_is_cut_short(program: Program, called: tuple[str, str, str]) -> None:
    """The head promises more than comes."""
    kind, _, address = called
    program.steer("faults", kind=kind, action="truncate", after_bytes=7)
    with pytest.raises(http.client.IncompleteRead) as cut:
        get(program, address)

    assert 7 == len(cut.value.partial)
    assert cut.value.expected


def test_a_reply_is_lost(program: Program, called: tuple[str, str, str]) -> None:
    """Not one byte; the log knows what was done."""
    kind, grant, address = called
    program.steer("faults", kind=kind, action="lose_reply", grant=grant)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        get(program, address)
    line = program.ask("log", kind=kind, grant=grant)["items"][-1]

    assert (0, None) == (line["code"], line["status"])


@pytest.mark.parametrize("barrier", ["before_rotate", "after_rotate", "half_body", "full_body"])
@pytest.mark.parametrize("verdict", ["continue", "cut"])
def test_a_call_is_held_until_it_is_released(
    program: Program, called: tuple[str, str, str], barrier: str, verdict: str
) -> None:
    """At every barrier; then the rest comes, or the connection ends where it stood."""
    kind, grant, address = called
    whole = len(get(program, address)[1])
    fault = program.steer("faults", kind=kind, grant=grant, action="hold", barrier=barrier)
    last = str(program.ask("log")["last"])
    with program.raw(address) as connection:
        eventually(lambda: program.ask("faults")["items"][0]["waiting"])
        early = received(connection, wait=0.3)
        under_way = program.ask("log", grant=grant, kind=kind, status="none", after=last)["items"]
        program.steer(f"faults/{fault['id']}/release", verdict=verdict)
        late = received(connection, wait=1)
    seen, rest = len(early.partition(b"\r\n\r\n")[2]), len((early + late).partition(b"\r\n\r\n")[2])

    here = {"before_rotate": 0, "after_rotate": 0, "half_body": 1, "full_body": 2}[barrier] * whole // 2
    assert abs(here - seen) <= 1
    assert (whole if verdict == "continue" else seen) == rest
    assert (0 if barrier == "before_rotate" else 1) == len(under_way)


def test_the_number_of_the_call_counts(program: Program, called: tuple[str, str, str]) -> None:
    """The second and third of this app, and no other."""
    kind, _, address = called
    app = program.ask("world")["apps"][0]
    program.steer("faults", kind=kind, app=app["key"], action="status", status=503, nth=2, times=2)
    program.steer("faults", kind=kind, app="somebody else", action="status", status=504)

    assert [200, 503, 503, 200] == [get(program, address)[0] for _ in range(4)]
