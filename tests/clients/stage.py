"""What the tests of published clients share: a client in a process of its own, and a seller who opens its link."""

import contextlib
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from tests.sandbox.kit import Client, Sandbox
from tests.sandbox.program import Program
from tests.sandbox.visiting import Visitor
from tools.clients import INSTALLED, node_command

HERE = Path(__file__).resolve().parent


class RefusedError(Exception):
    """What a client raised, in its own words."""

    def __init__(self, name: str, code: object, message: str) -> None:
        self.name = name
        self.code = code
        super().__init__(f"{name} {code}: {message}")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A running sandbox and the two ways to its real names."""

    program: Program
    hosts: int
    proxy: int

    @property
    def authority(self) -> str:
        """The certificate a client is told to trust."""
        return str(self.program.folder / "hosts" / "authority.pem")


class Dialogue:
    """A client's process: one question a line, one answer a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, verb: str, **given: Any) -> Any:
        """What the client gives.

        Raises:
            RefusedError: it raised.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"verb": verb, "given": given}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the client's process is gone"
        said = json.loads(line)
        if "raised" in said:
            raise RefusedError(**said["raised"])
        return said["gave"]


@contextlib.contextmanager
def speaking(script: str, app: Mapping[str, Any], *before: str, **environment: str) -> Iterator[Dialogue]:
    """A client's process with its keys, and of this machine's environment only what a program needs to start."""
    if script.endswith(".py"):
        command = [sys.executable]
    else:
        environment["NODE_PATH"] = str(INSTALLED / "node_modules")
        assert Path(environment["NODE_PATH"]).is_dir(), "run .venv/bin/python -m tools.clients first"
        command = node_command()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    keys = {"APP_KEY": app["key"], "APP_SECRET": app["secret"], "SERVICE_ID": app["service_id"]}
    with subprocess.Popen(
        [*command, *before, str(HERE / script)],
        env={**kept, **keys, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Dialogue(process)
        finally:
            process.terminate()


@dataclass(frozen=True)
class Wire:
    """Takes the requests of a test's visitor to the sandbox by the host name they carry, over TLS."""

    platform: Platform

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = (await receive())["body"]
        context = ssl.create_default_context(cafile=self.platform.authority)
        with (
            socket.create_connection(("127.0.0.1", self.platform.hosts), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=headers["host"]) as secure,
        ):
            connection = http.client.HTTPConnection(headers["host"])
            connection.sock = secure
            target = f"{scope['path']}?{scope['query_string'].decode()}"
            connection.request(scope["method"], target, body=body, headers=headers)
            answer = connection.getresponse()
            whole = answer.read()
        lines = [(name.encode(), value.encode()) for name, value in answer.getheaders()]
        await send({"type": "http.response.start", "status": answer.status, "headers": lines})
        await send({"type": "http.response.body", "body": whole})


async def consent(platform: Platform, link: str, *, email: str) -> dict[str, str]:
    """A seller opens a client's link at the host it names and says yes; gives what the app is called back with."""
    parts = urlsplit(link)
    client = Client(Wire(platform), host=parts.netloc)
    visitor = Visitor(cast("Sandbox", None), client=client)
    await visitor.open("/seller/login")
    await visitor.sign_in(email)
    await visitor.open(f"{parts.path}?{parts.query}")
    if "Next for United Kingdom" in visitor.buttons:
        await visitor.press("Next for United Kingdom")
    visitor.fill("Authorization period", "365")
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to Install")
    visitor.fill("I have reviewed", "yes")
    await visitor.press("Authorize")
    assert visitor.is_away, visitor.text
    return visitor.query
