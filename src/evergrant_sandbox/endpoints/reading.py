"""What several endpoints read alike: bodies, choices, page sizes and lists."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.errors import Code, RefusalError

LARGEST_PAGE = 100

Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Body = TypeVar("Body")


def read(decoder: msgspec.json.Decoder[Body], body: bytes, *, wrong: Code = errors.INVALID_PARAMETER) -> Body:
    """A JSON body; no body is an empty one. `wrong` is what a field of another kind answers.

    Raises:
        RefusalError: a field is wrong, or it is no JSON at all.
    """
    try:
        return decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        # "... - at `$.create_time_ge`": the platform names the field the same way, as body.create_time_ge.
        _, _, field = str(error).partition("`$.")
        raise RefusalError(wrong, name=f"body.{field.rstrip('`')}".rstrip(".")) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusalError(errors.INVALID_BODY) from error


def page_size(given: str | None) -> int:
    """Required, say the documents, and name a default all the same; a missing one is refused here."""
    if given is None:
        raise RefusalError(errors.MISSING_PARAMETER, name="page_size")
    if not is_page_size(given):
        raise RefusalError(errors.INVALID_PARAMETER, name="page_size")
    return int(given)


def is_page_size(given: str) -> bool:
    """Whether it is a number from 1 to 100."""
    return given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= LARGEST_PAGE


def one_of(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """The value of a parameter, the first choice when it is absent."""
    given = query.get(name, choices[0])
    if given not in choices:
        raise RefusalError(errors.INVALID_PARAMETER, name=name)
    return given


def json_list(values: Sequence[str] | None, *, most: int, else_: Code, name: str = "") -> str | None:
    """A list of a filter as the book wants it; one that is too long answers `else_`."""
    if values is None:
        return None
    if len(values) > most:
        raise RefusalError(else_, name=name)
    return msgspec.json.encode(values).decode()
