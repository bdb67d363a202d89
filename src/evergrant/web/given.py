"""What may be given at any door: text a database can keep, instants on a calendar, counts in plain digits, small bodies."""

from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import unquote_to_bytes

from pydantic import AfterValidator
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from evergrant.core.errors import EvergrantError, InvalidRequestError
from evergrant.web import problems

LARGEST_BODY = 1024 * 1024
FIRST_YEAR, LAST_YEAR = 2, 9998
"""A day away from the ends of the calendar, so that no time zone leads beyond them."""


class BodyTooLargeError(HTTPException):
    """More came than was declared, or than is read. As an HTTPException it passes through whoever was reading."""

    def __init__(self) -> None:
        super().__init__(413)


def is_text(given: str) -> bool:
    """Whether it can be kept and sent on: PostgreSQL keeps no NUL, UTF-8 has no lone surrogates."""
    return "\0" not in given and not any("\ud800" <= character <= "\udfff" for character in given)


def _text(given: str) -> str:
    if not is_text(given):
        raise ValueError("may not hold NUL characters or lone surrogates")
    return given


def _instant(given: datetime) -> datetime:
    if not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise ValueError(f"has to lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return given if given.tzinfo else given.replace(tzinfo=UTC)


Text = Annotated[str, AfterValidator(_text)]
"""Every string of a body or a form; addresses are looked at before they are taken apart."""

Instant = Annotated[datetime, AfterValidator(_instant)]
"""An instant; one without a time zone is UTC."""


def number(given: str, *, digits: int) -> int | None:
    """A count in so many ASCII digits at most; None if it is none. `²` is a digit to Python, but no number."""
    return int(given) if given.isascii() and given.isdigit() and len(given) <= digits else None


def refusal(scope: Scope) -> EvergrantError | None:
    """Why a request is refused before anybody reads it, if it is."""
    if not is_text(scope["path"]) or b"\0" in unquote_to_bytes(scope["query_string"]):
        return InvalidRequestError("The address may not hold NUL characters or lone surrogates.")
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0").decode("latin-1")
    if (number(declared, digits=18) or 0) > LARGEST_BODY:
        return problems.TooLargeError()
    return None


def limited(receive: Receive) -> Receive:
    """A body as it comes, cut off where it grows larger than anything expected."""
    read = 0

    async def receiving() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > LARGEST_BODY:
            raise BodyTooLargeError
        return message

    return receiving
