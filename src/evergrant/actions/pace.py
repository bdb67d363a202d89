"""At what pace an app's calls go to the platform: a breaker, a wait the platform asked for, a budget; and how to call so.

Whoever makes a call of its own asks `enter`, or uses `send`; the refreshes are taken within the pace already.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from evergrant.actions.ports import AnswerLostError, NotSentError, Ports
from evergrant.core.errors import DatabaseUnavailableError
from evergrant.providers.wire import Misconfigured, Reply, Request, Suspect, Throttled, TokenAnswer, Unreadable

CREDENTIALS_WAIT = timedelta(seconds=60)
"""How long an app whose own credentials are refused rests before one call looks whether they are right by now."""


class Paces(Protocol):
    """The pace of every app, the same for all processes."""

    async def enter(self, app_id: str) -> bool:
        """Whether a call may be made now. If so it counts as in flight until `left`."""

    async def left(self, app_id: str) -> None:
        """A call that was let in is over."""

    async def reached(self, app_id: str) -> None:
        """The platform answered as it should: the breaker closes."""

    async def unreached(self, app_id: str) -> None:
        """The platform could not be reached, or answered with nothing it ever says: after some in a row the app rests."""

    async def rest(self, app_id: str, wait: timedelta, why: str) -> None:
        """The whole app rests, because the platform `told_to_wait` or its `credentials_refused`."""


async def send(app_id: str, request: Request, ports: Ports) -> Reply:
    """Send what must not be sent twice, within the app's pace.

    Raises:
        NotSentError: it never left; perhaps because the app rests.
        AnswerLostError: it may have arrived, and no whole answer came back.
    """
    paces = ports.books.paces
    if not await paces.enter(app_id):
        raise NotSentError("the app rests")
    try:
        return await ports.platform.send(request, once=True)
    except (NotSentError, AnswerLostError):
        await paces.unreached(app_id)
        raise
    finally:
        with suppress(DatabaseUnavailableError):  # the answer in hand is worth more; what is not counted off runs out
            await paces.left(app_id)


async def heard(app_id: str, answer: TokenAnswer, ports: Ports, *, troubled: bool = True) -> None:
    """What an answer about tokens says of the platform, whatever it says of a seller: it can be used, or has to rest.

    A success that brings no refresh token is a sign that it is unwell: each of them may have used one up. Of an app that
    is not `troubled` there is nothing to close.
    """
    paces = ports.books.paces
    match answer:
        case Throttled(wait=wait):
            await paces.rest(app_id, wait, "told_to_wait")
        case Misconfigured():
            await paces.rest(app_id, CREDENTIALS_WAIT, "credentials_refused")
        case Unreadable(answered=False) | Suspect(refresh=None):
            await paces.unreached(app_id)
        case _ if troubled:
            await paces.reached(app_id)
