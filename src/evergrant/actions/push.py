"""Send what waits for one shop: the gate is asked right before, and every record is settled by what the platform says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from evergrant.actions import admission
from evergrant.actions.ports import Ports
from evergrant.actions.pushes import Call, Came, Push, Standing, Wave
from evergrant.core import flows
from evergrant.core.app import App
from evergrant.providers import dialects
from evergrant.providers.wire import Access, CallRefused, Level, Request, SkuRefused, Trouble

AT_MOST = 10
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
FOR_A_TOKEN = timedelta(seconds=2)
A_FEW = 5
"""Tries of a record the platform refuses for a reason that may pass; then a person has to look."""

NO_FAULT_OF_ITS_OWN = frozenset({Trouble.TOKEN_EXPIRED, Trouble.THROTTLED})
"""The record waits, and has not failed: a token comes, the pace is found."""

DOUBTED: Mapping[Trouble, tuple[str, str]] = {
    Trouble.AUTHORIZATION_GONE: (
        "platform_denies_authorization",
        "TikTok says of this record alone that the authorization is gone. Look at its product in Seller Center, then retry.",
    ),
    Trouble.WRONG_SHOP: (
        "platform_wrong_shop",
        "TikTok says that this record's product is not of this shop. Correct its mapping, or give the level again.",
    ),
}
"""Cause and sentence of a record that was refused a few times as if the authorization were gone, which it was not."""

WAITS: Mapping[Trouble, timedelta] = {
    Trouble.SCOPE_MISSING: LONGEST_WAIT,
    Trouble.MISCONFIGURED: timedelta(minutes=5),
    **dict.fromkeys(NO_FAULT_OF_ITS_OWN, FOR_A_TOKEN),
}

FAILED: Mapping[Trouble, tuple[str, str]] = {
    Trouble.SCOPE_MISSING: (
        "platform_scope_missing",
        "TikTok says that a permission is missing. Ask the seller to renew with every permission on; it is tried again by itself.",
    ),
    Trouble.MISCONFIGURED: (
        "app_credentials_invalid",
        "TikTok does not accept this app's key or secret. Correct them; it is tried again by itself.",
    ),
    Trouble.CLOCK_WRONG: (
        "platform_clock",
        "TikTok says that this machine's clock is wrong. Set it; it is tried again by itself.",
    ),
    Trouble.UNAVAILABLE: ("platform_unavailable", "TikTok did not answer as it should. It is tried again by itself."),
}
"""Cause and sentence of a call that may succeed as it is."""


async def one(wave: Wave, ports: Ports) -> str:
    """Make the calls of a wave that was taken; gives how it ended, in a word for the log."""
    app = await ports.books.apps.by_id(wave.app_id)
    flow = admission.Flow(
        tenant_id=wave.tenant_id, connection_id=wave.connection_id, shop_id=wave.shop_id, kind=flows.Kind.STOCK
    )
    allowed, wait = await ports.books.shop_paces.take_some(flow.shop, len(wave.calls))
    if not allowed:
        await ports.books.outward.pushes.put_back(wave, wait)
        return "paced"
    if allowed < len(wave.calls):
        await ports.books.outward.pushes.put_back(replace(wave, calls=wave.calls[allowed:]), wait)
        wave = replace(wave, calls=wave.calls[:allowed])
    now = await ports.clock.now(app.clock)
    access = await admission.access(flow, app, now, ports)
    if not isinstance(access, Access):
        await ports.books.outward.pushes.put_back(wave, FOR_A_TOKEN)
        return f"shut: {access}" if access else Trouble.TOKEN_EXPIRED
    if not await ports.books.outward.pushes.hold(wave):  # whoever slept too long calls nobody
        await ports.books.outward.pushes.put_back(wave, FOR_A_TOKEN)
        return "lost"
    dialect = dialects.named(app.provider)
    replies = await ports.platform.send_all([_request(call, app, access, now) for call in wave.calls])
    came: list[Came] = []
    refusals: dict[Trouble, CallRefused] = {}
    for call, reply in zip(wave.calls, replies, strict=True):
        answer = dialect.read_stock(reply) if reply else CallRefused(trouble=Trouble.UNAVAILABLE)
        if isinstance(answer, CallRefused):
            refusals[answer.trouble] = answer
            came += _refused(call, answer)
        else:
            came += [_one(push, answer.refused.get(push.sku_id)) for push in call.pushes]
    for refusal in refusals.values():
        if (
            refusal.trouble is Trouble.WRONG_SHOP
        ):  # what a record says may bring it about: polls find out whose fault it is
            await _poll(flow, now, ports)
        else:
            await admission.refused(flow, app, refusal, now, ports, actor="push")
    await ports.books.outward.pushes.settle(wave, came, now)
    return next(iter(refusals), None) or "done"


async def _poll(flow: admission.Flow, now: datetime, ports: Ports) -> None:
    """Let the shop's orders be polled now; where nobody may, whatever can be."""
    tenant_id, connection_id, shop_id = flow.shop
    for kind in (flows.Kind.ORDERS, None):
        if await ports.books.flows.want(tenant_id, connection_id, now, shop_id, kind):
            return


def _request(call: Call, app: App, access: Access, now: datetime) -> Request:
    levels = [Level(sku_id=push.sku_id, quantities=push.quantities) for push in call.pushes]
    return dialects.named(app.provider).stock_request(app, access, call.product_id, levels, now)


def _one(push: Push, refused: SkuRefused | None) -> Came:
    if refused is None:
        return Came(push=push, state=Standing.DONE)
    is_tried_again = refused.passes and push.attempts + 1 < A_FEW
    return Came(
        push=push,
        state=Standing.WAITING if is_tried_again else Standing.PARKED,
        cause=f"refused_{refused.platform_code}",
        message=refused.message,
        wait=_backing_off(push),
    )


def _refused(call: Call, refusal: CallRefused) -> Sequence[Came]:
    """A call that was refused as a whole. Where it is for what was asked, each record is asked alone before it counts."""
    if refusal.trouble in (Trouble.REFUSED, Trouble.OUR_MISTAKE):
        if len(call.pushes) > 1:
            return [Came(push=push, state=Standing.WAITING, alone=True) for push in call.pushes]
        cause = f"refused_{refusal.platform_code}"
        return [Came(push=push, state=Standing.PARKED, cause=cause, message=refusal.message) for push in call.pushes]
    if refusal.trouble in DOUBTED:
        return [_doubted(push, refusal.trouble) for push in call.pushes]
    cause, message = FAILED.get(refusal.trouble, ("", ""))
    return [
        Came(
            push=push,
            state=Standing.WAITING,
            cause=cause,
            message=message,
            wait=refusal.wait or WAITS.get(refusal.trouble) or _backing_off(push),
        )
        for push in call.pushes
    ]


def _doubted(push: Push, trouble: Trouble) -> Came:
    """While nobody knows whose fault it is the record counts its tries and has not failed; after a few it is its own."""
    if push.attempts + 1 < A_FEW:
        return Came(push=push, state=Standing.WAITING, wait=_backing_off(push), counts=True)
    cause, message = DOUBTED[trouble]
    return Came(push=push, state=Standing.PARKED, cause=cause, message=message, counts=True)


def _backing_off(push: Push) -> timedelta:
    wait: timedelta = min(FIRST_WAIT * 2 ** min(push.attempts, 10), LONGEST_WAIT)
    return wait
