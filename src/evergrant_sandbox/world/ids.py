"""Identifiers in the platform's styles, thrown with the dice the caller holds."""

import base64
from collections.abc import Callable

# A number of bytes in, that many random bytes out: real dice from the assembly, repeatable ones for a seeded world.
Dice = Callable[[int], bytes]

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"


def digits(dice: Dice, *, prefix: str, length: int) -> str:
    """A decimal id of the given length, such as shop 7495… or product 1729…; always below 2^63."""
    rest = length - len(prefix)
    return prefix + str(int.from_bytes(dice(10), "big") % 10**rest).zfill(rest)


def capitals(dice: Dice, count: int) -> str:
    """Capital letters, as in a shop code."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in dice(count))


def lower(dice: Dice, count: int) -> str:
    """Lower-case letters and digits, as in an app key."""
    return "".join(_LOWER[byte % len(_LOWER)] for byte in dice(count))


def request_id(dice: Dice, stamp: str) -> str:
    """A request id: 14 digits of local date and time, then 20 hex digits (UTC here; to be read as opaque)."""
    return stamp + dice(10).hex().upper()


def base64url(dice: Dice, size: int) -> str:
    """Random bytes as unpadded base64url, as in a shop cipher."""
    return base64.urlsafe_b64encode(dice(size)).rstrip(b"=").decode()
