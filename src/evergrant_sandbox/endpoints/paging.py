"""Page tokens: opaque, good for one search of one world, in base64 with `+`, `/` and at times `=`.

"next_page_token can contain + and /: percent-encode on the wire, sign decoded" (wire sheet 6.1); a client that forgets
either fails here as it would at home.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from evergrant_sandbox import errors
from evergrant_sandbox.book.goods import Page, Place
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.world.tokens import Mint

_CHECK = 4
_VALUE = 8
_LONGEST = 64


def write(mint: Mint, place: Place, *, search: str) -> str:
    """The token of the page that begins after a place."""
    # Up to two bytes of padding, so that some tokens end in `=` and some do not.
    padding = bytes(place.value % 3)
    payload = place.value.to_bytes(_VALUE, "big", signed=True) + place.id.encode() + padding
    check = _digest(mint, search.encode() + payload, _CHECK)
    return base64.b64encode(check + _mixed(payload, _digest(mint, check, len(payload)))).decode()


def read(mint: Mint, token: str, *, search: str) -> Place | None:
    """The place a token names, or None if it is none of ours or of another search."""
    try:
        raw = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None
    check, hidden = raw[:_CHECK], raw[_CHECK:]
    if not _VALUE < len(hidden) <= _LONGEST:
        return None
    payload = _mixed(hidden, _digest(mint, check, len(hidden)))
    if check != _digest(mint, search.encode() + payload, _CHECK):
        return None
    return Place(value=int.from_bytes(payload[:_VALUE], "big", signed=True), id=payload[_VALUE:].rstrip(b"\0").decode())


@dataclass(frozen=True, slots=True)
class Pager:
    """Turns page tokens into places and pages into the data of an answer."""

    mint: Mint

    def place(self, token: str | None, search: str) -> Place | None:
        """Where the page begins; no token means at the beginning.

        Raises:
            RefusalError: the token is none of this search.
        """
        if not token:
            return None
        found = read(self.mint, token, search=search)
        if found is None:
            raise RefusalError(errors.INVALID_PARAMETER, name="page_token")
        return found

    def data(self, page: Page, name: bytes, search: str) -> bytes:
        """One page as it is answered."""
        token = write(self.mint, page.next, search=search) if page.next else ""
        return b'{"total_count":%d,"next_page_token":"%b","%b":[%b]}' % (
            page.total,
            token.encode(),
            name,
            b",".join(page.documents),
        )


def _mixed(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _digest(mint: Mint, what: bytes, length: int) -> bytes:
    return hashlib.blake2b(what, digest_size=length, key=mint.secret, person=b"page").digest()
