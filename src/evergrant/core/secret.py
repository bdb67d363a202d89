"""A value that must not be seen: it does not print, compare, hash or travel by accident."""

import hmac
from typing import Never


class Secret:
    """Text that is revealed only where it is used: in a request to the platform, in the vault, in a token answer.

    `repr` and `str` show nothing of it. `==` is refused, because comparing in ordinary time tells an attacker how
    much of a guess was right; `same_as` compares in constant time.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself. Who calls this is listed in tests/architecture."""
        return self._value

    def same_as(self, other: "Secret") -> bool:
        """Whether both hold the same text, in time that does not depend on where they differ."""
        return hmac.compare_digest(self._value.encode(), other.reveal().encode())

    def __eq__(self, other: object) -> bool:
        raise TypeError("a secret is compared with same_as, never with ==")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> Never:
        raise TypeError("a secret is not pickled")
