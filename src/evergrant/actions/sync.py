"""Pull one flow of one shop: ask the gate before every call, keep every page, and say how far it has come."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions.polls import Brought, Run
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports, StaleError
from evergrant.core import chosen, connection, flows, gate, lifecycle, tokens
from evergrant.core.app import App
from evergrant.core.connection import Connection
from evergrant.core.secret import Secret
from evergrant.providers import dialects
from evergrant.providers.wire import Access, CallRefused, Page, Trouble

AT_MOST = 20
AT_ONCE = 100
"""Products whose stock is asked for in one call (wire sheet 6.3)."""
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
NEVER_BY_ITSELF = timedelta(minutes=15)

FOR_A_TOKEN = timedelta(seconds=2)

WAITS: Mapping[Trouble, timedelta] = {
    Trouble.SCOPE_MISSING: NEVER_BY_ITSELF,
    Trouble.WRONG_SHOP: NEVER_BY_ITSELF,
    Trouble.OUR_MISTAKE: NEVER_BY_ITSELF,
    Trouble.MISCONFIGURED: timedelta(minutes=5),
}
"""How long a poll waits after a refusal that the next try will not cure; anything else backs off from two seconds."""


async def one(run: Run, ports: Ports) -> str:
    """Run one poll that was taken; gives how it ended, in a word for the log."""
    known = await ports.books.connections.find(run.tenant_id, run.connection_id)
    app = await ports.books.apps.by_id(known.app_id)
    begun = await ports.clock.now(app.clock)
    plan = chosen.plan(run.kind, known.chosen)
    window = flows.window(plan, run.cursor, begun)
    page_token, kept, unreadable = "", 0, list[str]()
    seen = {page_token}
    while True:
        wait = await ports.books.shop_paces.take(_shop(run))
        if wait:
            await ports.books.flows.rest(run, wait)
            return "paced"
        now = await ports.clock.now(app.clock)
        access = await _access(run, app, now, ports)
        if isinstance(access, str):
            return access
        answer = await _ask(run, app, access, window, page_token, now, ports)
        if not isinstance(answer, Page):
            return await _refused(run, app, answer, now, ports)
        unreadable += answer.unreadable
        if answer.records or answer.next_token or run.catching_up:  # a page without records renews the lease
            # Whoever goes on behind a row nobody can read never tells the vendor of it.
            reached = None if unreadable or answer.reached is None else min(answer.reached, window.until)
            kept += await ports.books.flows.keep_records(run, answer.records, reached, answer.total)
        page_token = answer.next_token
        if not page_token:
            next_run_at = flows.next_run(plan, begun, ports.dice.fraction())
            brought = Brought(cursor=window.until, kept=kept, unreadable=tuple(unreadable))
            await ports.books.apps.refused(app.id, False)
            await ports.books.flows.done(run, brought, next_run_at=next_run_at, now=begun)
            return "done"
        if page_token in seen:  # the platform goes in circles: what is behind them was not read
            return await _refused(run, app, CallRefused(trouble=Trouble.UNAVAILABLE), now, ports)
        seen.add(page_token)


def _shop(run: Run) -> tuple[str, str, str]:
    return (run.tenant_id, run.connection_id, run.shop_id)


async def _access(run: Run, app: App, now: datetime, ports: Ports) -> Access | str:
    """The token for this call, if the gate is open at this very moment."""
    known = await ports.books.connections.find(run.tenant_id, run.connection_id)
    shop = next(shop for shop in known.shops if shop.id == run.shop_id)
    flow = known.flow(run.shop_id, run.kind)
    decided = gate.for_flow(
        known.authorization,
        required=dialects.named(app.provider).FLOW_SCOPES[run.kind],
        shop_authorized=shop.authorized,
        paused_by_vendor=flow is None or flow.paused_by_vendor,
        now=now,
    )
    if not decided.open:
        await ports.books.flows.shut(run)
        return f"shut: {decided.why}"
    token = await _token(run, known, now, ports)
    if token is None:
        await ports.books.flows.failed(run, Trouble.TOKEN_EXPIRED, FOR_A_TOKEN)
        return Trouble.TOKEN_EXPIRED
    return Access(token=token, cipher=shop.cipher)


async def _token(run: Run, known: Connection, now: datetime, ports: Ports) -> Secret | None:
    found = await ports.books.tokens.access(run.tenant_id, run.connection_id)
    if found is None:
        return None
    token, ends = found
    if ends <= now:
        if known.in_doubt_since is None:
            await ports.books.tokens.want(run.tenant_id, run.connection_id, now)
        return None
    return token


async def _ask(
    run: Run, app: App, access: Access, window: flows.Window, page_token: str, now: datetime, ports: Ports
) -> Page | CallRefused:
    if run.kind is flows.Kind.INVENTORY:
        return await _count(run, app, access, page_token, now, ports)
    dialect = dialects.named(app.provider)
    request = dialect.pull_request(app, run.kind, access, window, page_token, now)
    try:
        return dialect.read_page(run.kind, await ports.platform.send(request))
    except (NotSentError, AnswerLostError):
        return CallRefused(trouble=Trouble.UNAVAILABLE)


async def _count(run: Run, app: App, access: Access, after: str, now: datetime, ports: Ports) -> Page | CallRefused:
    """The stock of the next products that are known; the platform is asked by their ids, and has no pages."""
    products = await ports.books.flows.products(run, after=after, limit=AT_ONCE)
    if not products:
        return Page(records=(), next_token="")
    dialect = dialects.named(app.provider)
    try:
        reply = await ports.platform.send(dialect.inventory_request(app, access, products, now))
    except (NotSentError, AnswerLostError):
        return CallRefused(trouble=Trouble.UNAVAILABLE)
    page = dialect.read_inventory(reply, now)
    if isinstance(page, Page) and len(products) == AT_ONCE:
        return replace(page, next_token=products[-1])
    return page


async def _refused(run: Run, app: App, refusal: CallRefused, now: datetime, ports: Ports) -> str:
    match refusal.trouble:
        case Trouble.TOKEN_EXPIRED:
            await ports.books.tokens.want(run.tenant_id, run.connection_id, now, issued_before=now - tokens.FRESH)
        case Trouble.AUTHORIZATION_GONE | Trouble.WRONG_SHOP:  # a dead token may say either (wire sheet 3.7)
            await _suspend(run, app, now, ports)
        case Trouble.MISCONFIGURED:
            await ports.books.apps.refused(app.id, True)
        case Trouble.THROTTLED if refusal.wait is not None:
            await ports.books.shop_paces.throttled(_shop(run), refusal.wait)
        case _:
            pass
    backing_off = min(FIRST_WAIT * 2 ** min(run.failures, 10), LONGEST_WAIT)
    wait = refusal.wait or WAITS.get(refusal.trouble, backing_off)
    await ports.books.flows.failed(run, refusal.trouble, wait)
    return refusal.trouble


async def _suspend(run: Run, app: App, now: datetime, ports: Ports) -> None:
    """The platform says the authorization is gone: stop everything at once, and let `verify` find out."""
    known = await ports.books.connections.find(run.tenant_id, run.connection_id)
    news = lifecycle.News(kind=lifecycle.Kind.CALL_REFUSED, at=now)
    change = connection.apply(known, news, needs=dialects.named(app.provider).FLOW_SCOPES, now=now)
    try:
        await ports.books.connections.keep(change, actor="sync")
    except StaleError:
        return  # whoever changed it knows more; the next poll asks again
