"""The sandbox as a process of its own, on a free loopback port."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@dataclass(kw_only=True)
class Program:
    """One sandbox process after another, over the same folder and port."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    greeting: str = ""
    # What is added to the command line.
    options: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        command = [sys.executable, "-m", "evergrant_sandbox", "--port", str(self.port), "--data", str(self.folder)]
        command += self.options
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
        )
        assert self.process.stdout
        self.greeting = self.process.stdout.readline().strip()
        if not self.greeting:
            _, errors = self.process.communicate(timeout=10)
            raise AssertionError(f"it did not start: {errors}")

    def kill(self) -> None:
        """Kill -9."""
        assert self.process
        self.process.kill()
        self.process.communicate(timeout=10)
        self.process = None

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to stop; gives its exit code and what it logged."""
        assert self.process
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=15)
        code = self.process.returncode
        self.process = None
        return code, errors

    def call(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, bytes]:
        """One call; a cut connection raises."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        tail = f"?{urlencode(query)}" if query else ""
        raw = None if body is None else json.dumps(body).encode()
        with contextlib.closing(connection):
            connection.request(method, path + tail, body=raw)
            response = connection.getresponse()
            return response.status, response.read()

    def steer(self, path: str, /, **body: Any) -> Any:
        """A steering call that must succeed."""
        status, said = self.call("POST", f"/_sandbox/{path}", body)
        assert status < 300, said
        return json.loads(said)

    def ask(self, path: str, **query: str) -> Any:
        """A steering question."""
        status, said = self.call("GET", f"/_sandbox/{path}", **query)
        assert status == 200, said
        return json.loads(said)

    def connect(self, **consent: Any) -> tuple[Any, Any]:
        """The seeded app and a first pair, with the grant's id in it."""
        world = self.ask("world")
        app, seller = world["apps"][0], world["sellers"][0]
        given = self.steer("authorize", app=app["key"], seller=seller["email"], **consent)
        answer = json.loads(self.exchange(app, given["code"])[1])
        assert answer["code"] == 0, answer
        return app, {**answer["data"], "grant_id": given["grant_id"]}

    def exchange(self, app: Any, code: str) -> tuple[int, bytes]:
        """The answer to a code."""
        return self.call(
            "GET",
            "/api/v2/token/get",
            app_key=app["key"],
            app_secret=app["secret"],
            auth_code=code,
            grant_type="authorized_code",
        )

    def refresh(self, app: Any, token: str) -> tuple[int, bytes]:
        """The answer to a refresh token."""
        return self.call("GET", self.refresh_path(app, token))

    @staticmethod
    def refresh_path(app: Any, token: str) -> str:
        """The path and query of a refresh."""
        query = {
            "app_key": app["key"],
            "app_secret": app["secret"],
            "refresh_token": token,
            "grant_type": "refresh_token",
        }
        return f"/api/v2/token/refresh?{urlencode(query)}"

    def raw(self, path: str) -> socket.socket:
        """A GET on a bare socket, for reading an answer byte by byte."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {urlsplit(self.base).netloc}\r\n\r\n".encode())
        return connection


@contextlib.contextmanager
def started(folder: Path, *options: str) -> Iterator[Program]:
    """A running program, stopped at the end."""
    program = Program(folder=folder, options=options)
    program.start()
    try:
        yield program
    finally:
        if program.process:
            program.kill()


def eventually(look: Callable[[], Any], *, within: float = 20.0) -> Any:
    """What is found, as soon as there is something."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, "nothing came in time"
        time.sleep(0.02)
    return found


def received(connection: socket.socket, *, wait: float) -> bytes:
    """What has arrived on a socket, until nothing more comes for so long or it is closed."""
    connection.settimeout(wait)
    whole = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while part := connection.recv(65536):
            whole += part
    return whole
