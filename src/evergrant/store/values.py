"""How values are written and read: JSON columns as text, hashes as bytes."""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it stands in the database: sealed by the wrapping key of that number."""

    number: int
    wrapped: bytes


def json_text(value: Any) -> str:
    """A value for a jsonb column."""
    return msgspec.json.encode(value).decode()


def from_json(text: str) -> Any:
    """The value of a jsonb column."""
    return msgspec.json.decode(text)


def digest(text: str) -> bytes:
    """SHA-256: how keys, states, handles and cookies of 256 random bits are kept."""
    return hashlib.sha256(text.encode()).digest()
