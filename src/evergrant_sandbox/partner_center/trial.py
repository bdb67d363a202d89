"""One try of the API Testing Tool: the signed call it makes, how it is shown, and what the platform answers."""

import json
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from starlette.types import ASGIApp

from evergrant_sandbox import signing
from evergrant_sandbox.wire import read_query
from evergrant_sandbox.world.app import App

# What stands where a secret or a token would.
SECRET = "{app_secret}"  # noqa: S105  (a placeholder)
TOKEN = "{access_token}"  # noqa: S105  (a placeholder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A signed call, ready to be made."""

    app: App
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    token: str
    base: str

    @property
    def sign(self) -> str:
        """Its signature."""
        return signing.sign_request(secret=self.app.secret, path=self.path, query=self.query, body=self.body)

    @property
    def string_to_sign(self) -> str:
        """What is signed, with a placeholder for the secret."""
        flat = "".join(name + self.query[name] for name in sorted(self.query) if name not in signing.UNSIGNED)
        return f"{SECRET}{self.path}{flat}{self.body.decode()}{SECRET}"

    @property
    def url(self) -> str:
        """The whole address; the signature in it is good for five minutes."""
        return f"{self.base}{self.path}?{self._signed_query()}"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The headers, with a placeholder for the token."""
        return (("content-type", "application/json"), ("x-tts-access-token", TOKEN))

    @property
    def curl(self) -> str:
        """The same call for a shell, with a placeholder for the token."""
        parts = ["curl", "-X", self.method, shlex.quote(self.url)]
        for name, value in self.headers:
            parts += ["-H", shlex.quote(f"{name}: {value}")]
        if self.body:
            parts += ["-d", shlex.quote(self.body.decode())]
        return " ".join(parts)

    def scope(self, address: str) -> dict[str, Any]:
        """The call as the server would hand it on. Port 0: no connection may be cut for a fault but this call's."""
        host, _, _ = self.base.partition("://")[2].partition("/")
        return {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "raw_path": quote(self.path).encode(),
            "query_string": self._signed_query().encode(),
            "headers": [
                (b"host", host.encode()),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(self.body)).encode()),
                (b"x-tts-access-token", self.token.encode()),
            ],
            "client": (address, 0),
            "scheme": self.base.partition("://")[0],
            "http_version": "1.1",
            "root_path": "",
        }

    def _signed_query(self) -> str:
        return urlencode({**self.query, "sign": self.sign})


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the platform answered."""

    # None: the connection was closed without an answer.
    status: int | None
    body: str
    code: int | None = None
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_success(self) -> bool:
        """Success is `code` 0 in the body, whatever the HTTP status."""
        return self.code == 0


async def ask(signed_api: ASGIApp, trial: Trial, *, address: str) -> Heard:
    """Make the call through the platform's own signed API, as any other is made."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": trial.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await signed_api(trial.scope(address), receive, send)
    if not sent:
        return Heard(status=None, body="")
    raw = b"".join(message.get("body", b"") for message in sent[1:])
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return _heard(sent[0]["status"], raw, headers)


def parameters(text: str) -> tuple[dict[str, str], str | None]:
    """Parameters out of lines `name=value`, and the first line that is none."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not name and not equals:
            continue
        if not equals or not name.strip():
            return found, line.strip()
        found[name.strip()] = value.strip()
    # The wire reads its query so: what does not come back the same cannot be sent.
    return (found, None) if read_query(urlencode(found)) == found else (found, text.strip())


def _heard(status: int, raw: bytes, headers: tuple[tuple[str, str], ...]) -> Heard:
    text = raw.decode("utf-8", errors="replace")
    try:
        document = json.loads(text)
    except ValueError:
        return Heard(status=status, body=text, headers=headers)
    shown = json.dumps(document, indent=2, ensure_ascii=False)
    envelope = document if isinstance(document, dict) else {}
    code, message = envelope.get("code"), envelope.get("message")
    return Heard(
        status=status,
        body=shown,
        code=code if isinstance(code, int) else None,
        message=message if isinstance(message, str) else "",
        headers=headers,
    )
