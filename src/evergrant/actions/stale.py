"""Read, decide, keep; and if somebody else was quicker, read and decide anew."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from evergrant.actions.ports import StaleError
from evergrant.core.errors import ConflictError

TRIES = 5

Result = TypeVar("Result")


async def until_kept(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """What the first attempt gives that nobody overtook.

    Raises:
        ConflictError: others were quicker every time.
    """
    for _ in range(TRIES):
        try:
            return await attempt()
        except StaleError:
            continue
    raise ConflictError("This is being changed by others just now. Try again in a moment.")
