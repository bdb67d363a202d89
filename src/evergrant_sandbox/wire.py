"""Calls as they come in and answers as they go out, for the doors that must be lean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from starlette.types import Receive, Scope, Send

# A call bigger than this is no call of this API. Files may have ten megabytes ("Max size: 10MB", image upload 202309);
# so much more is read of them that one can be seen to be too large.
LARGEST_BODY = 1024 * 1024
LARGEST_FILE = 10 * 1024 * 1024
_LARGEST_UPLOAD = LARGEST_FILE + 64 * 1024

# What must never reach the log.
_SECRETS = frozenset({"app_secret", "auth_code", "refresh_token", "access_token", "sign", "state", "code"})

_JSON = b"application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One call, read to its end."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[bytes, bytes]
    body: bytes
    client: tuple[str, int]
    begun: float

    def header(self, name: bytes) -> str | None:
        """A header by its lower-case name, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def is_multipart(self) -> bool:
        """Whether the body is a form with files; such a body is not signed."""
        return self.headers.get(b"content-type", b"").startswith(b"multipart/form-data")

    def open_query(self) -> str:
        """The query as the log may keep it."""
        return "&".join([f"{name}={value}" for name, value in self.query.items() if name not in _SECRETS])


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    body: bytes
    content_type: bytes = _JSON
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())


async def read(scope: Scope, receive: Receive, *, begun: float) -> Call:
    """The call of an ASGI request, its body included; what is too long is cut off and so will not verify."""
    method = scope["method"]
    headers = dict(scope["headers"])
    file = headers.get(b"content-type", b"").startswith(b"multipart/form-data")
    body = b"" if method == "GET" else await _body(receive, _LARGEST_UPLOAD if file else LARGEST_BODY)
    text = scope["query_string"].decode("latin-1")
    client = scope.get("client") or ("", 0)
    return Call(
        method,
        scope["path"],
        read_query(text),
        headers,
        body,
        (client[0], int(client[1])),
        begun,
    )


def read_query(text: str) -> dict[str, str]:
    """A query string's parameters, decoded; of a parameter given twice the last counts.

    As in Go's parser, a `+` is a space: a client that does not percent-encode its page token fails, as it would at home.
    """
    query: dict[str, str] = {}
    for part in text.split("&"):
        name, _, value = part.partition("=")
        if name:
            query[_decoded(name)] = _decoded(value)
    return query


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


async def send(answer: Answer, to: Send) -> None:
    """The whole answer, as it should be."""
    await to(start_of(answer))
    await to({"type": "http.response.body", "body": answer.body})


def start_of(answer: Answer) -> dict[str, object]:
    """The status line and the headers, with the length of the whole body."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


async def _body(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        part: bytes = message.get("body", b"")
        length += len(part)
        if length <= most:
            parts.append(part)
        if not message.get("more_body"):
            break
    return b"".join(parts)
