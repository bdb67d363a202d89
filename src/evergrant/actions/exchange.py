"""A code on its way to a grant: shown to the platform once, its answer kept, its shops listed.

Each step is kept before the next begins, so that a worker can finish what a killed process began (reliability
reference, crash points C1 to C7). Whose connection it becomes, `connect` and `adopt` decide.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from evergrant.actions import pace
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports, SealingKey
from evergrant.actions.quarantine import Proved
from evergrant.actions.suspects import Stored, Whose
from evergrant.core import errors
from evergrant.core.app import App
from evergrant.core.connection import Shop
from evergrant.core.link import Claimed, Returned
from evergrant.providers import dialects
from evergrant.providers.wire import (
    CallRefused,
    Granted,
    Misconfigured,
    Refused,
    Suspect,
    Throttled,
    TokenAnswer,
    Trouble,
    Unreadable,
)

AT_MOST = 20
AGAIN_SOON = timedelta(seconds=2)
MAY_TELL_LATER = frozenset({Trouble.UNAVAILABLE, Trouble.THROTTLED, Trouble.MISCONFIGURED, Trouble.CLOCK_WRONG})
"""Refusals a second try may cure. Of the others none does: the seller withheld the permission, or took it all back."""


async def proved(returned: Returned, app: App, ports: Ports) -> Proved:
    """The grant a kept code brings, and the shops it proves.

    Raises:
        PlatformError: the platform cannot be used just now; a worker tries again.
        LinkError: it cannot become a connection.
    """
    kept = await ports.books.exchanges.answer(returned)
    if kept is None:
        kept = await _exchange(returned, app, ports)
    granted, granted_at = kept
    dialect = dialects.named(app.provider)
    if granted.user_type not in dialect.SELLER_USER_TYPES:
        raise await aside(returned, granted, errors.WrongUserTypeError(), granted_at, ports)
    shops = await _shops(returned, app, granted, granted_at, ports)
    if any(not dialect.sells_in(app.region, shop.region) for shop in shops):
        raise await aside(returned, granted, errors.WrongRegionError(), granted_at, ports)
    return Proved(granted=granted, at=granted_at, shops=shops)


async def resumed(returned: Returned, stage: str, finish: Callable[[], Awaitable[None]], ports: Ports) -> str:
    """Finish what a killed process left; gives the code of what came of it.

    Raises:
        PlatformError: the platform cannot be used just now; the return will be taken again.
    """
    match stage:
        case "sent":
            return await _lost(returned, ports)
        case "empty":
            return (await failed(returned, errors.CodeMissingError(), ports)).code
        case "overdue":
            return (await failed(returned, errors.PlatformUnavailableError(), ports)).code
        case "unplaced":
            return await _unplaced(returned, ports)
        case _:
            try:
                await finish()
            except errors.LinkError as error:
                return error.code
            return "finished"


async def failed(returned: Returned, error: errors.EvergrantError, ports: Ports) -> errors.EvergrantError:
    """End a return that brought nothing; gives the error that says so."""
    app = await ports.books.apps.by_id(returned.app_id)
    await ports.books.exchanges.fail(returned, error.code, await ports.clock.now(app.clock))
    if isinstance(error, errors.LinkError) and isinstance(returned, Claimed):
        error.session_id = returned.session_id
    return error


async def aside(
    returned: Returned, granted: Granted, error: errors.LinkError, now: datetime, ports: Ports
) -> errors.LinkError:
    """Keep a pair that is no connection's, and end its return; gives the error that says why."""
    await ports.books.exchanges.set_aside(returned, granted, error.code, now)
    return error


async def _lost(returned: Returned, ports: Ports) -> str:
    """The code was shown, and its answer is not in the books: on this machine's disk, perhaps, or nowhere."""
    await ports.books.exchanges.heal()
    for stored in await ports.books.suspects.spooled():
        if stored.whose.owner_id == returned.request_id:
            await _keep_whole(stored, ports)
    error = errors.ExchangeOutcomeLostError()
    app = await ports.books.apps.by_id(returned.app_id)
    await ports.books.exchanges.lost(returned, error.code, await ports.clock.now(app.clock))
    return error.code


async def _unplaced(returned: Returned, ports: Ports) -> str:
    """For a day the platform did not tell which shops the grant covers: keep the pair, and let the seller try again."""
    kept = await ports.books.exchanges.answer(returned)
    if kept is None:
        return "finished"
    granted, granted_at = kept
    return (await aside(returned, granted, errors.ShopsNotReadableError(), granted_at, ports)).code


async def _exchange(returned: Returned, app: App, ports: Ports) -> tuple[Granted, datetime]:
    dialect = dialects.named(app.provider)
    shown = await ports.books.exchanges.begin(returned)
    if shown is None:
        raise errors.PlatformUnavailableError("This authorization is being finished already. Wait a moment.")
    try:
        reply = await pace.send(app.id, dialect.exchange_request(app, shown.code), ports)
    except NotSentError as error:
        await ports.books.exchanges.put_back(returned, AGAIN_SOON)
        raise errors.PlatformUnavailableError from error
    except AnswerLostError as error:
        raise await failed(returned, errors.ExchangeOutcomeLostError(), ports) from error
    now = await ports.clock.now(app.clock)
    answer = dialect.read_tokens(reply, now)
    try:
        granted = await _read(returned, app, answer, now, shown.key, ports)
        await ports.books.exchanges.keep_answer(returned, shown.key, granted, now)
    finally:  # whatever it is worth to the seller, it came from the platform; and it is kept before anything else
        await pace.heard(app.id, answer, ports)
    await ports.books.apps.refused(app.id, False)
    return granted, now


async def _read(
    returned: Returned, app: App, answer: TokenAnswer, now: datetime, key: SealingKey, ports: Ports
) -> Granted:
    dialect = dialects.named(app.provider)
    match answer:
        case Granted() as granted if app.is_production and granted.pair.access.reveal().partition("_")[2].startswith(
            dialect.SANDBOX_MARK
        ):
            raise await failed(returned, errors.SandboxTokenError(), ports)
        case Granted(keeps_refresh=True):  # a first pair has none that could be kept
            raise await failed(returned, errors.ExchangeOutcomeLostError(), ports)
        case Granted() as granted:
            return granted
        case Suspect() as suspect:
            whose = Whose(tenant_id=returned.tenant_id, app_id=app.id, owner_id=returned.request_id, key=key)
            await _keep_whole(await ports.books.suspects.spool(whose, suspect, now), ports)
            raise await failed(returned, errors.ExchangeOutcomeLostError(), ports)
        case Throttled(wait=wait):
            await ports.books.exchanges.put_back(returned, wait)
            raise errors.PlatformThrottledError
        case Misconfigured():
            await ports.books.apps.refused(app.id, True)
            raise await failed(returned, errors.AppCredentialsError(), ports)
        case Refused():
            raise await failed(returned, errors.CodeRefusedError(), ports)
        case Unreadable():
            raise await failed(returned, errors.ExchangeOutcomeLostError(), ports)


async def _keep_whole(stored: Stored, ports: Ports) -> None:
    """Keep a suspect answer, before the key it lies on disk under is destroyed with its request."""
    await ports.books.suspects.keep(stored)
    await ports.books.suspects.drop(stored)


async def _shops(
    returned: Returned, app: App, granted: Granted, granted_at: datetime, ports: Ports
) -> tuple[Shop, ...]:
    """The shops the grant covers. A grant that cannot tell is set aside; a platform that cannot tell is asked again."""
    dialect = dialects.named(app.provider)
    request = dialect.shops_request(app, granted.pair.access, await ports.clock.now(app.clock))
    try:
        found = dialect.read_shops(await ports.platform.send(request))
    except (NotSentError, AnswerLostError) as error:
        await ports.books.exchanges.again(returned, AGAIN_SOON)
        raise errors.PlatformUnavailableError from error
    if not isinstance(found, CallRefused):
        return found
    if found.trouble not in MAY_TELL_LATER:
        raise await aside(returned, granted, errors.ShopsNotReadableError(), granted_at, ports)
    await ports.books.exchanges.again(returned, found.wait or AGAIN_SOON)
    raise errors.PlatformThrottledError if found.trouble is Trouble.THROTTLED else errors.PlatformBadResponseError
