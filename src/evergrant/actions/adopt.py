"""Adopt what comes without a state: an install begun in the platform's store, or the end of a renewal in Seller Center.

Nobody here asked for it, so nobody is believed: whose it is, the grant itself has to prove. A connection of this app
that holds its shop lives on with it (design, section 4: adopted sealed), and everything else waits for its owner.
"""

from collections.abc import Sequence

from evergrant.actions import consent, exchange, stale
from evergrant.actions.ports import Ports
from evergrant.actions.quarantine import Proved
from evergrant.core import claim, errors, tokens
from evergrant.core.app import App
from evergrant.core.claim import Why
from evergrant.core.connection import Connection
from evergrant.core.link import Unasked
from evergrant.core.secret import Secret


async def arrive(code: Secret, app: App, proof: Secret, ports: Ports) -> Unasked | None:
    """Keep a code that came without a state; None if this browser brought it before.

    Raises:
        StateUsedError: another browser brought it before.
        TooManyArrivalsError: too many came within a minute.
    """
    return await ports.books.quarantine.arrive(app, ports.dice.identifier("req"), code, proof)


async def finish(unasked: Unasked, ports: Ports) -> None:
    """Exchange a kept code and find out whose it is. Called behind the door, and by a worker if need be.

    Raises:
        PlatformError: the platform cannot be used just now; a worker tries again.
        LinkError: it brought nothing; the claim says why.
    """
    app = await ports.books.apps.by_id(unasked.app_id)
    proved = await exchange.proved(unasked, app, ports)
    await stale.until_kept(lambda: _settle(unasked, app, proved, ports))


async def resume(unfinished: tuple[Unasked, str], ports: Ports) -> str:
    """Finish what a killed process left; gives the code of what came of it. Raises PlatformError: it is taken again."""
    unasked, stage = unfinished
    return await exchange.resumed(unasked, stage, lambda: finish(unasked, ports), ports)


async def _settle(unasked: Unasked, app: App, proved: Proved, ports: Ports) -> None:
    granted = proved.granted
    if not proved.shops:
        raise await exchange.aside(unasked, granted, errors.NoShopsError(), proved.at, ports)
    shop_ids = [shop.id for shop in proved.shops]
    found = await ports.books.connections.holders(app.id, shop_ids)
    ours = [await ports.books.connections.find(*each) for each in found]
    others = await ports.books.quarantine.elsewhere(app, shop_ids)
    held = [known for known in ours if claim.holds(known)]
    contested = [*held, *(known for known in others if claim.holds(known))]
    why = _why_not(ours, held, contested, proved)
    if why is not None:
        of = held[0].id if len(held) == 1 else None
        await ports.books.quarantine.keep(unasked, proved, why, of=of, contested=contested)
        return
    change = consent.change(held[0], app, granted, proved.at, proved.shops)
    if change.why_not:
        raise await exchange.aside(unasked, granted, errors.ConsentOvertakenError(), proved.at, ports)
    due_at = tokens.due_at(issued=proved.at, access_ends=granted.pair.access_ends, jitter=ports.dice.fraction())
    await ports.books.exchanges.complete(unasked, change, granted, due_at=due_at)


def _why_not(
    ours: Sequence[Connection], held: Sequence[Connection], contested: Sequence[Connection], proved: Proved
) -> Why | None:
    """Why no connection may have the grant without somebody's word, if none may."""
    if len(contested) > 1 or len(held) < len(contested):
        return Why.HELD_ELSEWHERE
    if not held:
        let_go = any(known.authorization.reason is not None and not claim.holds(known) for known in ours)
        return Why.VENDOR_DISCONNECTED if let_go else Why.UNKNOWN_SHOP
    return None if held[0].open_id == proved.granted.open_id else Why.IDENTITY_CHANGED
