"""Refresh the token pairs that are due: one presentation of each refresh token, kept before it is shown.

The protocol is the reliability reference's section 3. R0 and R1 are `take_due` (lease, fencing number, attempt), R2 and
R3 are `send`, R4 is the dialect's reading, R5 to R7 are `keep`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions import pace, stale
from evergrant.actions.ports import AnswerLostError, Doubt, NotSentError, Ports, Spooled, Taken
from evergrant.actions.suspects import Stored, Whose
from evergrant.core import connection, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.connection import Change
from evergrant.core.tokens import TokenPair
from evergrant.providers import dialects
from evergrant.providers.wire import (
    NO_END,
    Granted,
    Misconfigured,
    Refused,
    Suspect,
    Throttled,
    TokenAnswer,
    Unreadable,
)

AT_MOST = 100
AGAIN = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=5)
LEAST_REST, MOST_REST = timedelta(minutes=1), timedelta(hours=1)
"""When a fresh refresh token that came without a fresh access token is shown."""


async def one(taken: Taken, ports: Ports) -> str:
    """Refresh one pair that was taken; gives the outcome's class, as the attempt row has it."""
    try:
        return await _shown(taken, ports)
    finally:
        await ports.books.paces.left(taken.app_id)


async def _shown(taken: Taken, ports: Ports) -> str:
    try:
        app = await ports.books.apps.by_id(taken.app_id)
        is_ours = await ports.books.tokens.holds(taken)
    except Exception:
        await ports.books.tokens.give_back(taken, "not_sent", _back_off(taken))
        raise
    if not is_ours:
        await ports.books.tokens.give_back(taken, "not_sent", AGAIN)
        return "not_sent"
    dialect = dialects.named(app.provider)
    try:
        reply = await ports.platform.send(dialect.refresh_request(app, taken.refresh), once=True)
    except NotSentError:
        await ports.books.tokens.give_back(taken, "not_sent", _back_off(taken))
        await ports.books.paces.unreached(app.id)
        return "not_sent"
    except AnswerLostError:
        outcome = await _doubt(taken, app, ports)
        await ports.books.paces.unreached(app.id)
        return outcome
    now = await ports.clock.now(app.clock)
    answer = dialect.read_tokens(reply, now)
    outcome = await _settle(taken, app, answer, now, ports)
    await pace.heard(taken.app_id, answer, ports, troubled=taken.troubled)
    return outcome


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
            granted = _whole(answer, taken)
            due_at = tokens.due_at(issued=now, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
            spooled = await ports.books.tokens.spool(taken, granted, at=now, due_at=due_at)
            outcome = await _keep(spooled, taken, app, ports)
            if taken.troubled:
                await ports.books.apps.refused(app.id, False)
            return outcome
        case Suspect():
            stored = await ports.books.suspects.spool(_whose(taken), answer, now)
            return await _use(stored, answer, taken, app, ports)
        case Refused():
            return await _end(taken, app, now, ports)
        case Throttled(wait=wait):
            again = max(wait, _back_off(taken)) if taken.failures else wait
            await ports.books.tokens.give_back(taken, "told_to_wait", again)
            return "told_to_wait"
        case Misconfigured():
            await ports.books.apps.refused(app.id, True)
            await ports.books.tokens.give_back(taken, "misconfigured", LONGEST_WAIT)
            return "misconfigured"
        case Unreadable():
            return await _doubt(taken, app, ports)


def _whole(answer: Granted, taken: Taken) -> Granted:
    """A platform that does not rotate may leave the refresh token out of its answer: then the one at hand goes on."""
    if not answer.keeps_refresh:
        return answer
    ends = taken.refresh_ends if answer.pair.refresh_ends == NO_END else answer.pair.refresh_ends
    return replace(answer, pair=replace(answer.pair, refresh=taken.refresh, refresh_ends=ends))


async def _use(stored: Stored, answer: TokenAnswer, taken: Taken | None, app: App, ports: Ports) -> str:
    """Keep all of a suspect answer, then use what can be used. It stays on disk until that is done: a new refresh token in
    it is the only one that lives now.
    """
    await ports.books.suspects.keep(stored)
    spooled = await _usable(stored, answer, ports)
    if spooled is not None:
        outcome = await _keep(spooled, taken, app, ports)
        return "suspect" if outcome == "ok" else outcome
    outcome = await _doubt(taken, app, ports) if taken else "suspect"
    await ports.books.suspects.drop(stored)
    return outcome


async def _usable(stored: Stored, answer: TokenAnswer, ports: Ports) -> Spooled | None:
    """The pair in a suspect answer, under the answer's own name on disk; None if it brought no refresh token.

    What cannot be believed is as it was before: the access token, its end, the end of the authorization. An answer that was
    read by a newer version may be a whole one by now.
    """
    whose, at = stored.whose, stored.at
    if isinstance(answer, Granted) and not answer.keeps_refresh:
        due_at = tokens.due_at(issued=at, access_ends=answer.pair.access_ends, jitter=ports.dice.fraction())
        return _on_disk(stored, answer, due_at)
    if not isinstance(answer, Suspect) or answer.refresh is None:
        return None
    access, ends = answer.access, answer.access_ends
    if access is not None and ends is not None:
        due_at = tokens.due_at(issued=at, access_ends=ends, jitter=ports.dice.fraction())
    else:
        standing = await ports.books.tokens.access(whose.tenant_id, whose.owner_id)
        if standing is None:
            return None
        access, ends = standing
        due_at = at + min(max((ends - at) / 2, LEAST_REST), MOST_REST)
    known = await ports.books.connections.find(whose.tenant_id, whose.owner_id)
    refresh_ends = answer.refresh_ends or known.authorization.ends or at
    granted = Granted(
        pair=TokenPair(access=access, access_ends=ends, refresh=answer.refresh, refresh_ends=refresh_ends),
        open_id=answer.open_id or known.open_id,
        user_type=0,
        seller_name="",
        region="",
        scopes=frozenset(),
    )
    return _on_disk(stored, granted, due_at)


def _on_disk(stored: Stored, granted: Granted, due_at: datetime) -> Spooled:
    return Spooled(
        tenant_id=stored.whose.tenant_id,
        connection_id=stored.whose.owner_id,
        app_id=stored.whose.app_id,
        fence=stored.whose.fence,
        version=stored.whose.version,
        granted=granted,
        at=stored.at,
        due_at=due_at,
        key=stored.whose.key,
        name=stored.name,
    )


async def reprocess(tenant_id: str, connection_id: str, ports: Ports) -> str:
    """Read the newest suspect answer of a connection again, as the dialect reads by now, and keep the pair if it is one."""
    stored = await ports.books.suspects.newest(tenant_id, connection_id)
    if stored is None:
        return "nothing_kept"
    app = await ports.books.apps.by_id(stored.whose.app_id)
    answer = dialects.named(app.provider).read_tokens(stored.reply, stored.at)
    if not isinstance(answer, Granted) or answer.keeps_refresh:
        return "still_suspect"
    due_at = tokens.due_at(issued=stored.at, access_ends=answer.pair.access_ends, jitter=ports.dice.fraction())
    spooled = await ports.books.tokens.spool(stored.whose, answer, at=stored.at, due_at=due_at)
    outcome = await _keep(spooled, None, app, ports)
    await ports.books.suspects.settle(stored)
    return outcome


async def orphans(clock: str, ports: Ports) -> int:
    """Give pairs that came too late their one chance where the newer one was refused; gives how many."""
    return await ports.books.suspects.adopt_orphans(clock, await ports.clock.now(clock))


def _whose(taken: Taken) -> Whose:
    return Whose(
        tenant_id=taken.tenant_id,
        app_id=taken.app_id,
        owner_id=taken.connection_id,
        key=taken.key,
        fence=taken.fence,
        version=taken.version,
    )


async def heal(ports: Ports) -> int:
    """Bring answers a killed process left on this machine's disk to the books; gives how many."""
    healed, failed = 0, None
    found: list[Stored | Spooled] = [*await ports.books.suspects.spooled(), *await ports.books.tokens.spooled()]
    for left in found:
        try:
            healed += await _brought_home(left, ports)
        except Exception as error:  # noqa: BLE001  (it stays on disk, and keeps no other there; the worker logs it)
            failed = error
    if failed:
        raise failed
    return healed


async def _brought_home(left: Stored | Spooled, ports: Ports) -> bool:
    if isinstance(left, Stored) and not left.whose.fence:  # the answer to a code: nothing of it is used
        await ports.books.suspects.keep(left)
        await ports.books.suspects.drop(left)
        return True
    app = await ports.books.apps.by_id(left.whose.app_id if isinstance(left, Stored) else left.app_id)
    if isinstance(left, Spooled):
        return await _keep(left, None, app, ports) == "ok"
    await _use(left, dialects.named(app.provider).read_tokens(left.reply, left.at), None, app, ports)
    return True


async def _keep(spooled: Spooled, taken: Taken | None, app: App, ports: Ports) -> str:
    """Bring an answer that is on disk to the books. It stays on disk until they have it."""
    if await ports.books.tokens.keep_unchanged(spooled):
        return "ok"
    granted, now = spooled.granted, spooled.at
    news = lifecycle.News(
        kind=lifecycle.Kind.REFRESHED, at=now, ends=granted.pair.refresh_ends, scopes=granted.scopes or None
    )

    async def keep() -> str:
        known = await ports.books.connections.find(spooled.tenant_id, spooled.connection_id)
        if known.is_not(granted.open_id):
            await ports.books.tokens.set_aside(spooled, "identity_changed")
            return await _doubt(taken, app, ports) if taken else "identity_changed"
        needs = dialects.named(app.provider).FLOW_SCOPES
        return await ports.books.tokens.keep(spooled, connection.apply(known, news, needs=needs, now=now))

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


async def _doubt(doubt: Taken | Doubt, app: App, ports: Ports) -> str:
    """The outcome is lost. A refresh token whose one probe was lost too is not shown a third time; a platform that forgives
    that is asked again, later every time.
    """
    now = await ports.clock.now(app.clock)
    if doubt.probe and not app.rotation.forgives_a_second_use:
        return await _end(doubt, app, now, ports)
    probe_at = tokens.probe_at(issued=doubt.issued_at, access_ends=doubt.access_ends, rotation=app.rotation, now=now)
    wait = _back_off(doubt) if doubt.probe else None
    await ports.books.tokens.doubt(doubt, probe_at=probe_at, now=now, wait=wait)
    return "in_doubt"


def _back_off(taken: Taken | Doubt) -> timedelta:
    """Longer with every failure: nobody is helped by a refresh that fails every five seconds for a day."""
    return min(AGAIN * int(2 ** min(taken.failures, 10)), LONGEST_WAIT)
