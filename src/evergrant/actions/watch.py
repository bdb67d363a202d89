"""Look after connections nobody has heard of: one cheap call proves that the consent stands, and tells its shops.

A revocation whose notice never came is found here, and by it the existing path begins: suspended at once, verified, told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions.ports import AnswerLostError, NotSentError, Ports, StaleError
from evergrant.actions.watching import Look
from evergrant.core import connection, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.connection import Change, Connection, Event, Shop
from evergrant.providers import dialects
from evergrant.providers.wire import CallRefused, Trouble

AT_MOST = 20
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)
WAITS: Mapping[Trouble, timedelta] = {Trouble.MISCONFIGURED: LONGEST_WAIT, Trouble.OUR_MISTAKE: LONGEST_WAIT}


async def one(look: Look, ports: Ports) -> str:
    """Look at one connection that was taken; gives what was found, in a word for the log."""
    known = await ports.books.connections.find(look.tenant_id, look.connection_id)
    if not known.is_watched:
        return "not_active"
    app = await ports.books.apps.by_id(known.app_id)
    now = await ports.clock.now(app.clock)
    found = await ports.books.tokens.access(known.tenant_id, known.id)
    if found is None or found[1] <= now:
        return await _without_token(look, known, now, ports)
    dialect = dialects.named(app.provider)
    try:
        answer = dialect.read_shops(await ports.platform.send(dialect.shops_request(app, found[0], now)))
    except (NotSentError, AnswerLostError):
        answer = CallRefused(trouble=Trouble.UNAVAILABLE)
    if isinstance(answer, CallRefused):
        return await _refused(look, known, app, answer, now, ports)
    await ports.books.apps.refused(app.id, False)
    if not answer:  # "treated as a failure by every client read" (wire sheet 3.4): it says nothing of any one shop
        await ports.books.watches.later(look, LONGEST_WAIT)
        return "no_shops"
    return await _compare(look, known, answer, now, ports)


async def pass_over(clock: str, ports: Ports) -> int:
    """Spare those the call whose own polls have proven them; gives how many."""
    return await ports.books.watches.pass_over(clock, await ports.clock.now(clock))


async def missed(clock: str, ports: Ports) -> int:
    """Count the notices that never came; gives how many."""
    return await ports.books.watches.missed(clock, await ports.clock.now(clock))


async def _without_token(look: Look, known: Connection, now: datetime, ports: Ports) -> str:
    """The access token is over: the refresh is the proof then, and it is due."""
    if known.in_doubt_since is None:
        await ports.books.tokens.want(known.tenant_id, known.id, now)
    await ports.books.watches.later(look, _back_off(look))
    return Trouble.TOKEN_EXPIRED


async def _refused(look: Look, known: Connection, app: App, refusal: CallRefused, now: datetime, ports: Ports) -> str:
    match refusal.trouble:
        case Trouble.SCOPE_MISSING:  # only a living token is told what it may not do
            await ports.books.watches.looked(look, now)
            return refusal.trouble
        case Trouble.TOKEN_EXPIRED:
            await ports.books.tokens.want(known.tenant_id, known.id, now, issued_before=now - tokens.FRESH)
        case Trouble.AUTHORIZATION_GONE:
            return await _suspend(look, known, now, ports)
        case Trouble.MISCONFIGURED:
            await ports.books.apps.refused(app.id, True)
        case _:
            pass
    await ports.books.watches.later(look, refusal.wait or WAITS.get(refusal.trouble, _back_off(look)))
    return refusal.trouble


async def _suspend(look: Look, known: Connection, now: datetime, ports: Ports) -> str:
    """The platform says the authorization is gone: stop everything at once, and let `verify` find out."""
    news = lifecycle.News(kind=lifecycle.Kind.CALL_REFUSED, at=now)
    change = connection.apply(known, news, needs=dialects.named(known.provider).FLOW_SCOPES, now=now)
    return "suspended" if await _kept(look, change, ports) else "changed_meanwhile"


async def _compare(look: Look, known: Connection, shops: Sequence[Shop], now: datetime, ports: Ports) -> str:
    """Ours against the platform's: a shop that is gone pauses alone, one that joined begins, names are brought along."""
    elsewhere = await _elsewhere(known, shops, ports)
    told = connection.regranted(known, [shop for shop in shops if shop.id not in elsewhere])
    if told == known:
        await ports.books.watches.looked(look, now)
        return "proven"
    event = Event(type="connection.shops_changed", data=_differences(known, told))
    needs = dialects.named(known.provider).FLOW_SCOPES
    if not await _kept(look, connection.settle(known, told, events=(event,), needs=needs, now=now), ports):
        return "changed_meanwhile"
    await ports.books.watches.looked(look, now)
    return "shops_changed"


async def _elsewhere(known: Connection, shops: Sequence[Shop], ports: Ports) -> frozenset[str]:
    """Shops that joined the grant here and belong to another connection of the app: they stay where they are."""
    ours = {shop.id for shop in known.shops}
    found = set()
    for shop in shops:
        if shop.id not in ours and set(await ports.books.connections.holders(known.app_id, [shop.id])):
            found.add(shop.id)
    return frozenset(found)


def _differences(known: Connection, told: Connection) -> Mapping[str, list[str]]:
    before = {shop.id: shop for shop in known.shops}
    after = {shop.id: shop for shop in told.shops}
    had = {shop.id for shop in known.shops if shop.authorized}
    has = {shop.id for shop in told.shops if shop.authorized}
    moved = {key for key in had & has if replace(before[key], authorized=True) != after[key]}
    return {"joined": sorted(has - had), "gone": sorted(had - has), "changed": sorted(moved)}


async def _kept(look: Look, change: Change, ports: Ports) -> bool:
    """Whether the change was kept; where somebody else was quicker, the next look reads anew."""
    try:
        await ports.books.connections.keep(change, actor="watch")
    except StaleError:
        await ports.books.watches.later(look, FIRST_WAIT)
        return False
    return True


def _back_off(look: Look) -> timedelta:
    return min(FIRST_WAIT * int(2 ** min(look.failures, 10)), LONGEST_WAIT)
