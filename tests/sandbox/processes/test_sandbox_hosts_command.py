"""The platform by its real host names: the command, the certificates it shows and the proxy that leads there."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evergrant_sandbox.world.hosts import NAMES
from tests.sandbox.processes.test_sandbox_hosts import API, SERVICES, TOKENS
from tests.sandbox.program import ROOT, Program, free_port, started


# --- the command
@dataclass(frozen=True, kw_only=True)
class Running:
    """A sandbox with its real names."""

    program: Program
    hosts: int
    proxy: int
    said: str

    @property
    def authority(self) -> Path:
        """What a client has to trust."""
        return self.program.folder / "hosts" / "authority.pem"

    def ask(self, name: str, path: str, *, by_proxy: bool = False) -> tuple[int, bytes]:
        """One call over TLS by a real name."""
        context = ssl.create_default_context(cafile=self.authority)
        with contextlib.ExitStack() as stack:
            plain = stack.enter_context(
                socket.create_connection(("127.0.0.1", self.proxy if by_proxy else self.hosts), timeout=10)
            )
            if by_proxy:
                plain.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
                assert plain.recv(1000).startswith(b"HTTP/1.1 200 ")
            secure = stack.enter_context(context.wrap_socket(plain, server_hostname=name))
            connection = http.client.HTTPConnection(name)
            connection.sock = secure
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One sandbox with real names for all tests here."""
    hosts, proxy = free_port(), free_port()
    options = ("--hosts", "--hosts-address", f"127.0.0.1:{hosts}", "--hosts-proxy", f"127.0.0.1:{proxy}")
    with started(tmp_path_factory.mktemp("hosts"), *options) as program:
        assert program.process
        assert program.process.stdout
        said = "".join(program.process.stdout.readline() for _ in range(len(NAMES) + 7))
        yield Running(program=program, hosts=hosts, proxy=proxy, said=said)


@pytest.mark.processes
def test_it_says_how_to_come_here_and_changes_nothing_itself(running: Running) -> None:
    """The lines for a hosts file, the authority, and how one process trusts it."""
    lines = running.said.splitlines()

    assert running.program.greeting.startswith(f"Sandbox ready at {running.program.base} ")
    assert [f"127.0.0.1 {name}" for name in NAMES] == lines[-len(NAMES) :]
    assert f"https://127.0.0.1:{running.hosts}" in lines[0]
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert f"{name}={running.authority}" in running.said
    assert f"HTTPS_PROXY=http://127.0.0.1:{running.proxy}" in running.said


@pytest.mark.processes
def test_the_three_kinds_of_hosts_answer_over_tls(running: Running) -> None:
    """Each by its name, with the authority alone trusted; and the plain address beside them goes on."""
    tokens, api = running.ask(TOKENS, "/api/v2/token/get"), running.ask(API, "/api/v2/token/get")
    app = running.program.ask("world")["apps"][0]
    link = running.ask(SERVICES, f"/open/authorize?service_id={app['service_id']}")

    assert (200, 36009004) == (tokens[0], json.loads(tokens[1])["code"])
    assert (404, 36009009) == (api[0], json.loads(api[1])["code"])
    assert 303 == link[0]
    assert 200 == running.program.call("GET", "/api/v2/token/get")[0]


@pytest.mark.processes
def test_one_world_is_behind_both_addresses(running: Running) -> None:
    """A code given out here is taken there, and both calls are in one log."""
    app = running.program.ask("world")["apps"][0]
    seller = running.program.ask("world")["sellers"][0]
    given = running.program.steer("authorize", app=app["key"], seller=seller["email"])
    query = f"app_key={app['key']}&app_secret={app['secret']}&auth_code={given['code']}&grant_type=authorized_code"
    before = running.program.ask("log")["last"]
    answer = json.loads(running.ask(TOKENS, f"/api/v2/token/get?{query}")[1])
    seen = [each["path"] for each in running.program.ask("log", after=str(before), kind="token")["items"]]

    assert 0 == answer["code"]
    assert ["/api/v2/token/get"] == seen


@pytest.mark.processes
def test_who_does_not_know_the_authority_does_not_trust_it(running: Running) -> None:
    """The machine's own trust store is untouched."""
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", running.hosts), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname=TOKENS)


@pytest.mark.processes
def test_the_proxy_leads_there(running: Running) -> None:
    """For a client with HTTPS_PROXY and no hosts file."""
    assert 200 == running.ask(TOKENS, "/api/v2/token/get", by_proxy=True)[0]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"CONNECT www.tiktok.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT auth.tiktok-shops.com:22 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT auth.tiktok-shops.com HTTP/1.1\r\n\r\n", b"403"),
        (b"GET http://auth.tiktok-shops.com/ HTTP/1.1\r\n\r\n", b"501"),
        (b"\r\n\r\n", b"501"),
        (b"CONNECT " + b"a" * 20_000 + b"\r\n\r\n", b"400"),
    ],
)
def test_the_proxy_leads_nowhere_else(running: Running, sent: bytes, status: bytes) -> None:
    """Not to other names, not to other ports, and nothing in the clear."""
    with socket.create_connection(("127.0.0.1", running.proxy), timeout=10) as connection:
        connection.sendall(sent)
        answer = connection.recv(1000)

    assert answer.startswith(b"HTTP/1.1 " + status)


def command(*arguments: str) -> Any:
    """The command, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "evergrant_sandbox", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.processes
@pytest.mark.parametrize("option", ["--hosts-address", "--hosts-proxy"])
def test_a_port_that_is_taken_is_named_with_its_option(tmp_path: Path, option: str) -> None:
    """Which of the ports it is, and what to change."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        usual = ["--port", str(free_port()), "--data", str(tmp_path), "--hosts-address", f"127.0.0.1:{free_port()}"]
        done = command(*usual, option, taken)

    assert (2, "port_in_use") == (done.returncode, done.stderr.partition(":")[0])
    assert taken in done.stderr
    assert option in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--hosts-address", "0.0.0.0:8443"], "beyond_loopback"),
        (["--hosts-address", "[::]:8443"], "beyond_loopback"),
        (["--hosts-address", "127.0.0.1:18443", "--hosts-proxy", "0.0.0.0:8491"], "beyond_loopback"),
        (["--hosts-address", "127.0.0.1:70000"], "port_unusable"),
        (["--hosts-address", "127.0.0.1:https"], "address_unusable"),
        (["--hosts-address", ":8443"], "address_unusable"),
        (["--hosts-address", "no.such.host.invalid:8443"], "unknown_host"),
    ],
)
def test_what_cannot_be_had_is_said(tmp_path: Path, arguments: list[str], code: str) -> None:
    """Exit 2 with a stable code; nothing listens beyond loopback without the flag."""
    done = command("--port", str(free_port()), "--data", str(tmp_path), *arguments)

    assert (2, code) == (done.returncode, done.stderr.partition(":")[0])
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "hosts").exists()
