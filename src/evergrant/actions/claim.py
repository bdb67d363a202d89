"""Claim what waits in quarantine for one of the vendor's customers, dismiss it, or let it end."""

from evergrant.actions import consent, stale
from evergrant.actions.ports import Ports
from evergrant.actions.quarantine import Proved
from evergrant.core import errors, tokens
from evergrant.core.claim import Claim
from evergrant.core.connection import Connection


async def take(known: Claim, merchant_id: str, *, actor: str, ports: Ports) -> str:
    """Give a waiting grant to a customer of its tenant; gives the connection it became or renewed.

    Raises:
        ClaimError: it waits no more.
        ShopAlreadyConnectedError: a living connection that is not this customer's holds one of its shops.
    """
    refusal = known.refusal()
    if refusal:
        raise refusal

    async def attempt() -> str:
        kept = await ports.books.quarantine.grant(known)
        if kept is None:
            raise (await ports.books.quarantine.find(known.tenant_id, known.id)).refusal() or errors.ClaimExpiredError()
        proved = Proved(granted=kept[0], at=kept[1], shops=known.shops)
        return await _given(known, proved, merchant_id, actor, ports)

    return await stale.until_kept(attempt)


async def _given(known: Claim, proved: Proved, merchant_id: str, actor: str, ports: Ports) -> str:
    app, granted = await ports.books.apps.by_id(known.app_id), proved.granted
    holder = await _holder(known, proved, merchant_id, ports)
    change = consent.change(
        holder or consent.fresh(app, merchant_id, granted, ports), app, granted, proved.at, proved.shops
    )
    if change.why_not:
        raise errors.ConsentOvertakenError
    due_at = tokens.due_at(issued=proved.at, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
    await ports.books.quarantine.complete(known, change, granted, due_at=due_at, actor=actor)
    return change.after.id


async def _holder(known: Claim, proved: Proved, merchant_id: str, ports: Ports) -> Connection | None:
    """The customer's own connection of this identity, which the grant renews; None where a new one has to be made."""
    app, shop_ids = await ports.books.apps.by_id(known.app_id), [shop.id for shop in proved.shops]
    others = await ports.books.quarantine.elsewhere(app, shop_ids)
    strangers = [await ports.books.connections.find(*each) for each in others]
    if any(not stranger.is_free_for("") for stranger in strangers):
        raise errors.ShopAlreadyConnectedError
    found = await ports.books.connections.holders(app.id, shop_ids)
    holders = [await ports.books.connections.find(*each) for each in found]
    held = [holder for holder in holders if not holder.is_free_for(merchant_id)]
    if not held:
        return None
    holder = held[0]
    if len(held) > 1 or holder.merchant_id != merchant_id or holder.open_id != proved.granted.open_id:
        raise errors.ShopAlreadyConnectedError
    return holder


async def dismiss(known: Claim, *, actor: str, ports: Ports) -> None:
    """Destroy a waiting grant. Raises ClaimError: it waits no more."""
    refusal = known.refusal()
    if refusal:
        raise refusal
    await ports.books.quarantine.dismiss(known, actor=actor, now=await ports.clock.now(known.clock))


async def expire(clock: str, ports: Ports) -> int:
    """Destroy what nobody claimed in time; gives how many."""
    return await ports.books.quarantine.expire(clock, await ports.clock.now(clock))
