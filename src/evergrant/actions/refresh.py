"""Refresh the token pairs that are due: one presentation of each refresh token, kept before it is shown.

The protocol is the reliability reference's section 3. R0 and R1 are `take_due` (lease, fencing number, attempt), R2 and
R3 are `send`, R4 is the dialect's reading, R5 to R7 are `keep`.
"""

from datetime import datetime, timedelta

from evergrant.actions import stale
from evergrant.actions.ports import AnswerLostError, Doubt, NotSentError, Ports, Taken
from evergrant.core import connection, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.connection import Change
from evergrant.providers import dialects
from evergrant.providers.wire import Granted, Misconfigured, Refused, Throttled, TokenAnswer, Unreadable

AT_MOST = 100
AGAIN = timedelta(seconds=5)
AGAIN_MISCONFIGURED = timedelta(minutes=5)


async def one(taken: Taken, ports: Ports) -> str:
    """Refresh one pair that was taken; gives the outcome's class, as the attempt row has it."""
    app = await ports.books.apps.by_id(taken.app_id)
    dialect = dialects.named(app.provider)
    try:
        reply = await ports.platform.send(dialect.refresh_request(app, taken.refresh), once=True)
    except NotSentError:
        await ports.books.tokens.give_back(taken, "not_sent", AGAIN)
        return "not_sent"
    except AnswerLostError:
        return await _doubt(_doubt_of(taken), app, ports)
    now = await ports.clock.now(app.clock)
    return await _settle(taken, app, dialect.read_tokens(reply, now), now, ports)


async def doubts(clock: str, ports: Ports) -> int:
    """Name what killed workers left open as in doubt; gives how many."""
    found = await ports.books.tokens.doubts(clock)
    for doubt in found:
        app = await ports.books.apps.by_id(doubt.app_id)
        await _doubt(doubt, app, ports)
    return len(found)


async def _settle(taken: Taken, app: App, answer: TokenAnswer, now: datetime, ports: Ports) -> str:
    match answer:
        case Granted():
            outcome = await _keep(taken, app, answer, now, ports)
            await ports.books.apps.refused(app.id, False)
            return outcome
        case Refused():
            return await _end(taken, app, now, ports)
        case Throttled(wait=wait):
            await ports.books.tokens.give_back(taken, "told_to_wait", wait)
            return "told_to_wait"
        case Misconfigured():
            await ports.books.apps.refused(app.id, True)
            await ports.books.tokens.give_back(taken, "misconfigured", AGAIN_MISCONFIGURED)
            return "misconfigured"
        case Unreadable():
            return await _doubt(_doubt_of(taken), app, ports)


async def _keep(taken: Taken, app: App, granted: Granted, now: datetime, ports: Ports) -> str:
    known = await ports.books.connections.find(taken.tenant_id, taken.connection_id)
    if known.open_id != granted.open_id:
        await ports.books.tokens.set_aside(taken, granted, "identity_changed")
        return await _doubt(_doubt_of(taken), app, ports)
    due_at = tokens.due_at(issued=now, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
    news = lifecycle.News(
        kind=lifecycle.Kind.REFRESHED, at=now, ends=granted.pair.refresh_ends, scopes=granted.scopes or None
    )

    async def keep() -> str:
        change = await _change(taken, app, news, now, ports)
        return await ports.books.tokens.keep(taken, granted, due_at=due_at, now=now, change=change)

    return await stale.until_kept(keep)


async def _end(taken: Taken | Doubt, app: App, now: datetime, ports: Ports) -> str:
    """A final refusal. "First re-read the row: if the version moved, a sibling won" (reliability reference, 3.2)."""
    kind = lifecycle.Kind.REFRESH_LOST if taken.probe else lifecycle.Kind.REFRESH_REFUSED
    news = lifecycle.News(kind=kind, at=now)

    async def end() -> str:
        return await ports.books.tokens.end(taken, await _change(taken, app, news, now, ports))

    return await stale.until_kept(end)


async def _change(taken: Taken | Doubt, app: App, news: lifecycle.News, now: datetime, ports: Ports) -> Change:
    known = await ports.books.connections.find(taken.tenant_id, taken.connection_id)
    return connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)


async def _doubt(doubt: Doubt, app: App, ports: Ports) -> str:
    """The outcome is lost. A refresh token whose one probe was lost too is not shown a third time."""
    now = await ports.clock.now(app.clock)
    if doubt.probe and not app.rotation.forgives_a_second_use:
        return await _end(doubt, app, now, ports)
    probe_at = tokens.probe_at(issued=doubt.issued_at, access_ends=doubt.access_ends, rotation=app.rotation, now=now)
    await ports.books.tokens.doubt(doubt, probe_at=probe_at, now=now)
    return "in_doubt"


def _doubt_of(taken: Taken) -> Doubt:
    return Doubt(
        tenant_id=taken.tenant_id,
        connection_id=taken.connection_id,
        app_id=taken.app_id,
        fence=taken.fence,
        issued_at=taken.issued_at,
        access_ends=taken.access_ends,
        probe=taken.probe,
    )
