"""Pull one flow of one shop: ask the gate before every call, keep every page, and say how far it has come."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions import admission
from evergrant.actions.polls import Brought, Run
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports
from evergrant.core import chosen, flows
from evergrant.core.app import App
from evergrant.providers import dialects
from evergrant.providers.wire import Access, CallRefused, Page, Trouble

AT_MOST = 20
AT_ONCE = 100
"""Products whose stock is asked for in one call (wire sheet 6.3)."""
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
NEVER_BY_ITSELF = timedelta(minutes=15)

FOR_A_TOKEN = timedelta(seconds=2)

NOTHING_TO_ASK = Page(records=(), next_token="")
"""No product is known, so no call was made, and nothing is learned of the platform."""

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
        wait = await ports.books.shop_paces.take(_flow(run).shop)
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
            brought = Brought(cursor=window.until, kept=kept, unreadable=tuple(unreadable), since=window.since)
            if answer is not NOTHING_TO_ASK:
                await ports.books.apps.refused(app.id, False)
            await ports.books.flows.done(run, brought, next_run_at=next_run_at, now=begun)
            return "done"
        if page_token in seen:  # the platform goes in circles: what is behind them was not read
            return await _refused(run, app, CallRefused(trouble=Trouble.UNAVAILABLE), now, ports)
        seen.add(page_token)


async def _access(run: Run, app: App, now: datetime, ports: Ports) -> Access | str:
    """The token for this call, if the gate is open at this very moment."""
    found = await admission.access(_flow(run), app, now, ports)
    match found:
        case Access():
            return found
        case None:
            await ports.books.flows.failed(run, Trouble.TOKEN_EXPIRED, FOR_A_TOKEN)
            return Trouble.TOKEN_EXPIRED
        case why:
            await ports.books.flows.shut(run)
            return f"shut: {why}"


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
        return NOTHING_TO_ASK
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
    await admission.refused(_flow(run), app, refusal, now, ports, actor="sync")
    backing_off = min(FIRST_WAIT * 2 ** min(run.failures, 10), LONGEST_WAIT)
    wait = refusal.wait or WAITS.get(refusal.trouble, backing_off)
    await ports.books.flows.failed(run, refusal.trouble, wait)
    return refusal.trouble


def _flow(run: Run) -> admission.Flow:
    return admission.Flow(tenant_id=run.tenant_id, connection_id=run.connection_id, shop_id=run.shop_id, kind=run.kind)
