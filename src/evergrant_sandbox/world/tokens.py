"""Token values. They are sealed, not stored: a value names its grant and its pair, under a secret of this world.

So the book keeps no token and no hash of one, a lost pair can be given out again in the modes that ask for it, and
whatever was not made here is recognised without looking anything up. Every value carries the data region's prefix, as the
platform's do (`ROW_`, `TTP_`, `GCP_`), and then `sbx`, by which a production app knows a sandbox's token and refuses it.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

MARK = "sbx"

_TAG = 16
_NAME = 12
_FILL = 47


class Half(StrEnum):
    """The two tokens of a pair."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Seal:
    """What a token value names: a grant, and the number of a pair given out for it."""

    grant_id: int
    serial: int


def sha256(value: str) -> bytes:
    """What the log keeps of a token."""
    return hashlib.sha256(value.encode()).digest()


class Mint:
    """Makes and reads token values of one world; a reset gives it another secret, so that no token outlives its world."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def token(self, half: Half, *, prefix: str, seal: Seal) -> str:
        """One half of a pair: 107 characters, always the same for the same pair."""
        name = seal.grant_id.to_bytes(8, "big") + seal.serial.to_bytes(4, "big")
        tag = self._tag(half, prefix, name)
        stream = self._bytes(tag, _NAME + _FILL)
        made = tag + _mixed(name, stream[:_NAME]) + stream[_NAME:]
        return f"{prefix}_{MARK}{base64.urlsafe_b64encode(made).decode()}"

    def read(self, half: Half, value: str) -> Seal | None:
        """The pair a token value names; None if this world has not made it, to the last character, as this half."""
        prefix, _, rest = value.partition(f"_{MARK}")
        try:
            raw = base64.b64decode(rest, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != _TAG + _NAME + _FILL:
            return None
        stream = self._bytes(raw[:_TAG], _NAME + _FILL)
        name = _mixed(raw[_TAG : _TAG + _NAME], stream[:_NAME])
        made = self._tag(half, prefix, name) + stream[_NAME:]
        if not hmac.compare_digest(made, raw[:_TAG] + raw[_TAG + _NAME :]):
            return None
        return Seal(int.from_bytes(name[:8], "big"), int.from_bytes(name[8:], "big"))

    def code(self, *, prefix: str, throw: bytes) -> str:
        """An auth code: short, and different with every throw."""
        return f"{prefix}_{MARK}{self._text(f'code:{throw.hex()}', 27)}"

    def open_id(self, *, app_key: str, whose: str) -> str:
        """The id of a seller for one app: 54 characters of base64url."""
        return self._text(f"open_id:{app_key}:{whose}", 40)

    def proof(self, purpose: str) -> str:
        """A value only this world can have made, such as a form's token."""
        return self._text(f"proof:{purpose}", 24)

    def _text(self, name: str, size: int) -> str:
        return base64.urlsafe_b64encode(self._bytes(name.encode(), size)).rstrip(b"=").decode()

    def _tag(self, half: Half, prefix: str, name: bytes) -> bytes:
        return self._bytes(f"{half.value}:{prefix}:".encode() + name, _TAG)

    def _bytes(self, name: bytes, size: int) -> bytes:
        return hashlib.blake2b(name, digest_size=size, key=self.secret).digest()


def _mixed(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
