"""Prove that stock is back to normal after an outage: one real read, and one write that changes nothing.

A level that waited and went out is proof enough of writing. Where none did, the level of one variant is written back as it was
just read. An order that came between is seen when it is read again, and its units are taken off; a level of the vendor's that
went out between goes out again (`store/stock_checks.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evergrant.actions import admission
from evergrant.actions.ledger import Check, Trouble
from evergrant.actions.ports import AnswerLostError, NotSentError, Ports
from evergrant.core import flows
from evergrant.core.app import App
from evergrant.providers import dialects
from evergrant.providers.wire import Access, CallRefused, Level, Reply, Request, Stocked
from evergrant.providers.wire import Trouble as Refusal

AT_MOST = 10
SOON = timedelta(seconds=2)
A_LITTLE_LATER = timedelta(seconds=10)
LONGEST_WAIT = timedelta(minutes=5)
NOT_WRITTEN = "not_written"
"""The platform says yes to the write, and the level is another one afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shut:
    """The call may not be made, or not now."""

    wait: timedelta
    why: str


class _HaltedError(Exception):
    """The check goes no further."""

    def __init__(self, said: _Shut | CallRefused) -> None:
        super().__init__()
        self.said = said


async def one(check: Check, ports: Ports) -> str:
    """Make one check that was taken; gives how it ended, in a word for the log."""
    known = await ports.books.connections.find(check.tenant_id, check.connection_id)
    app = await ports.books.apps.by_id(known.app_id)
    if check.product_id is None or check.sku_id is None:
        if check.has_wares:  # each of them has a level on its way: that one will be the write, if it ever goes out
            await ports.books.outages.let_go(check, SOON, failed=True)
            return "busy"
        now = await ports.clock.now(app.clock)
        await ports.books.outages.troubled(check, Trouble.NOTHING_TO_CHECK, A_LITTLE_LATER, now)
        return Trouble.NOTHING_TO_CHECK
    try:
        return await _prove(check, app, check.product_id, check.sku_id, ports)
    except _HaltedError as halted:
        return await _halt(check, app, halted.said, ports)


async def _prove(check: Check, app: App, product_id: str, sku_id: str, ports: Ports) -> str:
    before = await _read(check, app, product_id, sku_id, ports)
    await ports.books.outages.read(check, await ports.clock.now(app.clock))
    if check.written:
        return "read"
    await _write(check, app, product_id, before.level, ports)
    after = await _read(check, app, product_id, sku_id, ports)
    mended = _mended(before, after)
    if mended is not None:
        await _write(check, app, product_id, mended, ports)
    elif after.level != before.level and after.committed == before.committed:
        raise _HaltedError(CallRefused(trouble=Refusal.REFUSED, message=NOT_WRITTEN))
    await ports.books.outages.wrote(check, await ports.clock.now(app.clock))
    return "written"


def _mended(before: Stocked, after: Stocked) -> Level | None:
    """What the level has to be where an order came between read and write, so that its units were given back to sell.

    An order that came after the write has taken its units off itself: then what is free and what is held add up as before.
    """
    held, free = dict(after.committed), dict(after.level.quantities)
    lines: list[tuple[str | None, int]] = []
    for (place, level), (_, committed) in zip(before.level.quantities, before.committed, strict=True):
        too_many = free.get(place, 0) + held.get(place or "", 0) - level - committed
        lines.append((place, max(free.get(place, 0) - max(too_many, 0), 0)))
    mended = replace(before.level, quantities=tuple(lines))
    return mended if mended.quantities != after.level.quantities and after.committed != before.committed else None


async def _read(check: Check, app: App, product_id: str, sku_id: str, ports: Ports) -> Stocked:
    dialect = dialects.named(app.provider)
    access, now = await _access(check, app, ports)
    found = dialect.read_levels(await _sent(dialect.inventory_request(app, access, [product_id], now), ports))
    if isinstance(found, CallRefused):
        raise _HaltedError(found)
    return _of(found, sku_id)


def _of(found: Mapping[str, Stocked], sku_id: str) -> Stocked:
    if sku_id not in found:
        raise _HaltedError(CallRefused(trouble=Refusal.UNAVAILABLE))
    return found[sku_id]


async def _write(check: Check, app: App, product_id: str, level: Level, ports: Ports) -> None:
    dialect = dialects.named(app.provider)
    access, now = await _access(check, app, ports)
    answer = dialect.read_stock(await _sent(dialect.stock_request(app, access, product_id, [level], now), ports))
    if isinstance(answer, CallRefused):
        raise _HaltedError(answer)
    for refused in answer.refused.values():
        raise _HaltedError(CallRefused(trouble=Refusal.REFUSED, platform_code=refused.platform_code))


async def _access(check: Check, app: App, ports: Ports) -> tuple[Access, datetime]:
    """Pace first, then the gate, and whether the check is ours still: asked right before the call."""
    wait = await ports.books.shop_paces.take((check.tenant_id, check.connection_id, check.shop_id))
    if wait:
        raise _HaltedError(_Shut(wait=wait, why="paced"))
    now = await ports.clock.now(app.clock)
    found = await admission.access(_flow(check), app, now, ports)
    if not isinstance(found, Access):
        raise _HaltedError(_Shut(wait=SOON, why=f"shut: {found}" if found else Refusal.TOKEN_EXPIRED))
    if not await ports.books.outages.goes_on(check):  # frozen for long: somebody else makes it
        raise _HaltedError(_Shut(wait=SOON, why="lost"))
    return found, now


async def _sent(request: Request, ports: Ports) -> Reply:
    try:
        return await ports.platform.send(request)
    except (NotSentError, AnswerLostError):
        raise _HaltedError(CallRefused(trouble=Refusal.UNAVAILABLE)) from None


async def _halt(check: Check, app: App, said: _Shut | CallRefused, ports: Ports) -> str:
    if isinstance(said, _Shut):
        await ports.books.outages.let_go(check, said.wait)
        return said.why
    now = await ports.clock.now(app.clock)
    await admission.refused(_flow(check), app, said, now, ports, actor="prove")
    wait = said.wait or min(SOON * int(2 ** min(check.failures, 10)), LONGEST_WAIT)
    trouble = said.message if said.message == NOT_WRITTEN else said.trouble
    await ports.books.outages.troubled(check, trouble, wait, now)
    return trouble


def _flow(check: Check) -> admission.Flow:
    return admission.Flow(
        tenant_id=check.tenant_id,
        connection_id=check.connection_id,
        shop_id=check.shop_id,
        kind=flows.Kind.STOCK,
    )
