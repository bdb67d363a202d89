"""Ask the platform whether a consent still stands, and destroy or resume by its answer, never by hearsay."""

from datetime import datetime, timedelta

from evergrant.actions.ports import AnswerLostError, NotSentError, Ports, StaleError
from evergrant.core import connection, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.authorization import State
from evergrant.core.connection import Connection
from evergrant.providers import dialects
from evergrant.providers.wire import CallRefused, Trouble

AGAIN = timedelta(seconds=5)


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
    if kind is None:
        return "not_yet"
    news = lifecycle.News(kind=kind, at=now)
    change = connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)
    try:
        await ports.books.connections.keep(change, actor="verify")
    except StaleError:
        return "changed_meanwhile"
    return kind


async def _verdict(known: Connection, app: App, now: datetime, ports: Ports) -> lifecycle.Kind | None:
    """What the platform says to the cheapest authorized call; None when only a refresh can tell, or nobody can yet."""
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
        return None
    if not isinstance(answer, CallRefused):
        return lifecycle.Kind.DEAUTHORIZATION_REFUTED
    if answer.trouble is Trouble.TOKEN_EXPIRED:
        return await _by_refresh(known, now, now - tokens.FRESH, ports)
    if answer.trouble is not Trouble.AUTHORIZATION_GONE:
        return None
    standing = await ports.books.tokens.access(known.tenant_id, known.id)
    if standing is not None and not standing[0].same_as(token):
        return None  # a refresh came between: it was the old token that the platform no longer knows
    return lifecycle.Kind.DEAUTHORIZATION_CONFIRMED


async def _by_refresh(
    known: Connection, now: datetime, issued_before: datetime | None, ports: Ports
) -> lifecycle.Kind | None:
    """The access token is over, so a refresh has to tell; where one was refused for good, it has told already."""
    if known.authorization.state is State.REAUTHORIZATION_REQUIRED:
        return lifecycle.Kind.DEAUTHORIZATION_CONFIRMED
    await ports.books.tokens.want(known.tenant_id, known.id, now, issued_before=issued_before)
    return None
