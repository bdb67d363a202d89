"""Requests to the sandbox: refresh tokens that nobody has used, and signed reads, made as they are sent.

Tokens of this world are sealed under its secret, so they can be made here without asking for each.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, cycle

from evergrant_sandbox import signing
from evergrant_sandbox.world.tokens import Half, Mint, Seal

_PREFIX = "GCP"
READ_MADE_BEFORE = 5_000
"""Grants a run of reads goes round in."""
_BODY = b'{"create_time_ge":1}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for (`rotations`, `shops` or `orders`), by which app, and the secret of the world of its tokens."""

    kind: str
    app_key: str
    app_secret: str
    mint: str
    first: int = 1
    ciphers: tuple[str, ...] = ()

    def token(self, half: Half, grant: int) -> str:
        """One half of a grant's first pair."""
        return Mint(bytes.fromhex(self.mint)).token(half, prefix=_PREFIX, seal=Seal(grant, 1))


def requests(ask: Ask) -> Iterator[bytes]:
    """Requests without end."""
    makers = {"rotations": _rotations, "shops": _shops, "orders": _orders}
    return makers[ask.kind](ask)


def _rotations(ask: Ask) -> Iterator[bytes]:
    """One refresh after the other, each of another grant."""
    tail = f"&app_key={ask.app_key}&app_secret={ask.app_secret}&grant_type=refresh_token"
    for grant in count(ask.first):
        target = f"/api/v2/token/refresh?refresh_token={ask.token(Half.REFRESH, grant)}{tail}"
        yield f"GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()


def _shops(ask: Ask) -> Iterator[bytes]:
    """The authorized shops of one grant after the other."""
    path = "/authorization/202309/shops"
    tokens = [ask.token(Half.ACCESS, grant) for grant in range(ask.first, ask.first + READ_MADE_BEFORE)]
    for token in cycle(tokens):
        yield _signed(ask, "GET", path, {}, token, b"")


def _orders(ask: Ask) -> Iterator[bytes]:
    """A page of twenty orders of one shop after the other; grant and shop have the same number."""
    path = "/order/202309/orders/search"
    asked = [(cipher, ask.token(Half.ACCESS, number)) for number, cipher in enumerate(ask.ciphers, start=1)]
    for cipher, token in cycle(asked):
        yield _signed(ask, "POST", path, {"page_size": "20", "shop_cipher": cipher}, token, _BODY)


def _signed(ask: Ask, method: str, path: str, query: dict[str, str], token: str, body: bytes) -> bytes:
    now = str(int(time.time()))  # noqa: TID251  (a client has a clock of its own)
    full = {**query, "app_key": ask.app_key, "timestamp": now}
    sign = signing.sign_request(secret=ask.app_secret, path=path, query=full, body=body)
    target = "&".join(f"{name}={value}" for name, value in {**full, "sign": sign}.items())
    head = (
        f"{method} {path}?{target} HTTP/1.1\r\nhost: localhost\r\nx-tts-access-token: {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
