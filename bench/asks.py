"""What the load generator is told to ask for, and the requests it makes of that."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle
from random import Random
from typing import Any

from bench import sandbox_calls

READS_MADE_BEFORE = 20_000
NOTICE = (
    b'{"type":1,"tts_notification_id":"%d","shop_id":"7495540735365777507","timestamp":1718305585,"data":'
    b'{"is_on_hold_order":true,"order_id":"576653688135258178","order_status":"UNPAID","update_time":1718305585}}'
)
"""The platform's own published sample of an order notice; each one sent carries an id of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run of the load generator.

    With `notice_key` every request is a signed notice posted to the path; with `connections` the path is asked with
    ids of that many connections in the place of `{}`; otherwise the path is asked as it stands.
    """

    port: int
    path: str
    clients: int
    seconds: float
    bearer: str = ""
    connections: int = 0
    notice_key: str = ""
    notice_secret: str = ""
    first_notice: int = 0
    seed: int = 0
    sandbox: sandbox_calls.Ask | None = None
    """What is asked of the sandbox; the path then says nothing."""


def decode(given: dict[str, Any]) -> Order:
    """An order as it was written to JSON."""
    sandbox = given.pop("sandbox", None)
    return Order(**given, sandbox=sandbox_calls.Ask(**sandbox) if sandbox else None)


def connection_id(number: int) -> str:
    """The id of the bench's nth connection."""
    return f"con_{number:032x}"


def requests(order: Order) -> Iterator[bytes]:
    """Requests without end."""
    if order.sandbox:
        return sandbox_calls.requests(order.sandbox)
    if order.notice_key:
        return _notices(order)
    if order.connections:
        dice = Random(order.seed)
        numbers = (dice.randrange(order.connections) for _ in range(READS_MADE_BEFORE))
        return cycle([_get(order.path.format(connection_id(number)), order.bearer) for number in numbers])
    return cycle([_get(order.path, order.bearer)])


def _get(path: str, bearer: str) -> bytes:
    shown = f"authorization: Bearer {bearer}\r\n" if bearer else ""
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{shown}\r\n".encode()


def _notices(order: Order) -> Iterator[bytes]:
    """Each with a notification id nobody has sent before, and its signature over the raw bytes."""
    key, secret, path = order.notice_key.encode(), order.notice_secret.encode(), order.path.encode()
    for number in count(order.first_notice):
        body = NOTICE % number
        yield (
            b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: %b\r\ncontent-length: %d\r\n\r\n%b"
            % (
                path,
                hmac.digest(secret, key + body, hashlib.sha256).hex().encode(),
                len(body),
                body,
            )
        )
