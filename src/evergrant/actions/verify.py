"""Ask the platform whether a consent still stands, and destroy or resume by its answer, never by hearsay."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from evergrant.actions.ports import AnswerLostError, NotSentError, Ports, StaleError
from evergrant.core import connection, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.authorization import Reason, State
from evergrant.core.connection import Connection
from evergrant.core.secret import Secret
from evergrant.providers import dialects
from evergrant.providers.wire import CallRefused, Trouble

AGAIN = timedelta(seconds=20)
"""Where nobody said anything: the lease `take_unverified` gives."""
NOT_SOON = timedelta(minutes=5)
"""Where the next try will not cure it. A refresh that brings something, and a notice, ask at once all the same."""
NEVER_BY_ITSELF = None
"""Where nobody can tell: until somebody casts doubt anew."""

WAITS: Mapping[Trouble, timedelta] = {Trouble.MISCONFIGURED: NOT_SOON, Trouble.OUR_MISTAKE: NOT_SOON}

Silence = timedelta | None
"""The platform did not say; when to ask again."""


async def one(tenant_id: str, connection_id: str, ports: Ports) -> str:
    """Verify one connection somebody cast doubt on; gives the verdict in a word for the log."""
    known = await ports.books.connections.find(tenant_id, connection_id)
    if known.authorization.state not in lifecycle.VERIFIABLE:
        return "settled_already"
    app = await ports.books.apps.by_id(known.app_id)
    now = await ports.clock.now(app.clock)
    if known.authorization.is_past_end(now):
        return "past_end"
    kind = await _verdict(known, app, now, ports)
    if not isinstance(kind, lifecycle.Kind):
        await ports.books.connections.ask_again(known, kind)
        return "not_yet"
    news = lifecycle.News(kind=kind, at=now)
    change = connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)
    try:
        await ports.books.connections.keep(change, actor="verify")
    except StaleError:
        return "changed_meanwhile"
    return kind


async def _verdict(known: Connection, app: App, now: datetime, ports: Ports) -> lifecycle.Kind | Silence:
    """What the platform says to the cheapest authorized call, if it says anything about the consent."""
    found = await ports.books.tokens.access(known.tenant_id, known.id)
    if found is None:
        return lifecycle.Kind.DEAUTHORIZATION_CONFIRMED
    token, ends = found
    if ends <= now:
        return await _by_refresh(known, now, None, ports)
    dialect = dialects.named(app.provider)
    try:
        answer = dialect.read_shops(await ports.platform.send(dialect.shops_request(app, token, now)))
    except (NotSentError, AnswerLostError):
        return AGAIN
    if not isinstance(answer, CallRefused):
        return lifecycle.Kind.DEAUTHORIZATION_REFUTED
    match answer.trouble:
        case Trouble.SCOPE_MISSING:  # only a living token is told what it may not do
            return lifecycle.Kind.DEAUTHORIZATION_REFUTED
        case Trouble.TOKEN_EXPIRED:
            return await _by_refresh(known, now, now - tokens.FRESH, ports)
        case Trouble.AUTHORIZATION_GONE:
            return await _gone(known, token, ports)
        case _:
            return answer.wait or WAITS.get(answer.trouble, AGAIN)


async def _gone(known: Connection, token: Secret, ports: Ports) -> lifecycle.Kind | Silence:
    """The platform does not know the token any more: a consent that ended, or a rotation whose answer is not here."""
    if known.authorization.reason is Reason.REFRESH_OUTCOME_LOST:
        return NEVER_BY_ITSELF
    if await ports.books.connections.is_refreshing(known.tenant_id, known.id):
        return NOT_SOON if known.in_doubt_since else AGAIN
    standing = await ports.books.tokens.access(known.tenant_id, known.id)
    if standing is not None and not standing[0].same_as(token):
        return AGAIN  # a refresh came between: it was the old token that the platform no longer knows
    return lifecycle.Kind.DEAUTHORIZATION_CONFIRMED


async def _by_refresh(
    known: Connection, now: datetime, issued_before: datetime | None, ports: Ports
) -> lifecycle.Kind | Silence:
    """The access token is over, so a refresh has to tell; where one was refused for good, it has told already."""
    if known.authorization.reason is Reason.REFRESH_REFUSED:
        return lifecycle.Kind.DEAUTHORIZATION_CONFIRMED
    if known.authorization.state is State.REAUTHORIZATION_REQUIRED:
        return NEVER_BY_ITSELF
    await ports.books.tokens.want(known.tenant_id, known.id, now, issued_before=issued_before)
    return AGAIN
