"""A consent without a state, for a shop that somebody holds: whose it becomes, and what becomes of the old pair (TS-07).

One cell for each number of workspaces that hold the shop, each change of scopes and each state of what holds it; the
table says what is expected. The platform ends the old pair with the exchange, as `old_pair_after_reconsent` has it.
"""

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from evergrant.core.authorization import Reason
from evergrant.core.secret import Secret
from evergrant.web import arrivals
from tests.journeys.claiming import another_workspace, connections, installed, sql, told, types
from tests.world_fixture import KEY, SCOPES, World

HOLDERS, CHANGES = (1, 2), ("same", "fewer", "more")
STATES = ("active", "expired", "deauthorized", "paused")
GIVEN = {
    "same": SCOPES,
    "fewer": ["seller.authorization.info", "seller.order.info"],
    "more": [*SCOPES, "seller.fulfillment.basic"],
}

EXPECTED = {
    # (workspaces, state before): (the claim, status of the connection afterwards, what became of its pair)
    (1, "active"): ("adopted", "active", "replaced"),
    (1, "expired"): ("adopted", "active", "replaced"),
    (1, "deauthorized"): ("adopted", "active", "replaced"),
    (1, "paused"): ("adopted", "active", "replaced"),
    (2, "active"): ("waiting", "active", "stays, and is refreshed early"),
    (2, "expired"): ("waiting", "expired", "stays, of no use"),
    (2, "deauthorized"): ("waiting", "cancelled", "was destroyed"),
    (2, "paused"): ("waiting", "active", "stays, and is refreshed early"),
}


@dataclass(kw_only=True)
class Cell:
    """One cell: a seller of its own, held by one workspace or two."""

    holders: int
    change: str
    state: str
    seller: dict[str, Any] = field(default_factory=dict)
    held: list[tuple[World, str]] = field(default_factory=list)
    before: list[Any] = field(default_factory=list)

    @property
    def shop_id(self) -> str:
        """Its shop."""
        return str(self.seller["shops"][0]["id"])


def a_seller(world: World, name: str) -> dict[str, Any]:
    """A seller with one shop that has nothing in it."""
    shop = {"name": name, "region": "GB", "orders": 0, "products": 0}
    given = {"name": name, "email": f"{name}@cells.example", "password": "sandbox", "region": "GB", "shops": [shop]}
    made: dict[str, Any] = world.sandbox.post("/sellers", given)
    return made


async def consented(world: World, cell: Cell) -> str:
    """A connection of the cell's seller in this workspace, through a link."""
    person, link = world.hub.new_browser(), await world.link_session()
    period = "1d" if cell.state == "expired" else "365d"
    given = {"seller": cell.seller["email"], "shop_id": cell.shop_id, "period": period}
    back = world.consent(await world.depart(person, link), **given)
    await person.get(re.sub("app_[0-9a-f]+", world.app_id, back))  # the app has one address at the platform
    session = (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
    assert session["outcome"] == "completed", session
    return str(session["result"]["connection_id"])


async def pair(world: World, connection_id: str) -> tuple[int, str, bool] | None:
    """Version and hash of the pair that is kept, and whether its refresh is due."""
    async with world.hub.parts.database.connection() as connection:
        row = await connection.fetchrow(
            "select version, encode(refresh_hash, 'hex') as hash, due_at from tokens where connection_id = $1",
            connection_id,
        )
    return (row["version"], row["hash"], bool(row["due_at"] and row["due_at"] <= await world.now())) if row else None


async def prepare(world: World, cells: list[Cell]) -> None:
    """Every cell's holders, in their states. What two workspaces hold they have held since before there was a rule."""
    other, tenant = await another_workspace(world)
    world.sandbox.post("/switches", {"old_pair_after_reconsent": "kept"})
    for number, cell in enumerate(cells):
        cell.seller = a_seller(world, f"cell{number}")
        cell.held = [(world, await consented(world, cell))]
        if cell.holders == 2:
            async with world.hub.parts.database.transaction() as connection:
                twins = await connection.fetch("delete from app_identities where tenant_id <> $1 returning *", tenant)
            cell.held.append((other, await consented(other, cell)))
            for twin in twins:
                await sql(world, "insert into app_identities values ($1, $2, $3) returning 1", *twin.values())
        for holder, connection_id in cell.held:
            if cell.state == "paused":
                await holder.hub.api.post(f"/v1/connections/{connection_id}/pause", json={"flow": "orders"})
    world.sandbox.advance("2d")
    await world.hub.work()
    for cell in cells:
        if cell.state == "deauthorized":
            (grant,) = world.sandbox.get("/grants", app=KEY, seller=cell.seller["email"])["items"]
            world.sandbox.post(f"/grants/{grant['id']}/cancel", {})
            for holder, connection_id in cell.held:
                known = await holder.hub.parts.connections.find(holder.hub.tenant_id, connection_id)
                await cancelled(holder, known.id)
        cell.before = [await pair(*each) for each in cell.held]
    world.sandbox.post("/switches", {"old_pair_after_reconsent": "refused_at_exchange"})


async def cancelled(world: World, connection_id: str) -> None:
    """The platform's notice, verified: the seller cancelled."""
    await sql(
        world,
        "update connections set state = 'suspended', reason = 'deauthorization_noticed', verify_after = now() where id = $1 returning 1",
        connection_id,
    )
    await world.hub.work()
    assert Reason.SELLER_CANCELLED == (await world.connection(connection_id))["reason"]


async def outcome(cell: Cell, claim_id: str) -> tuple[str, str, str]:
    """What the table says, seen: the claim, the first holder's status, and what became of its pair."""
    (world, connection_id), before = cell.held[0], cell.before[0]
    claim = (await world.hub.api.get(f"/v1/claims/{claim_id}")).json()
    after, found = await pair(world, connection_id), await world.connection(connection_id)
    if after is None:
        became = "was destroyed"
    elif before is None or after[:2] != before[:2]:
        became = "replaced"
    else:
        became = "stays, and is refreshed early" if after[2] else "stays, of no use"
    return claim["status"], found["status"], became


@pytest.mark.requirement("R-TTS-10")
async def test_the_matrix_of_consents_without_a_state(world: World) -> None:
    """{1, 2} workspaces x {same, fewer, more} scopes x {active, expired, deauthorized, paused}: 24 cells, one table."""
    cells = [
        Cell(holders=holders, change=change, state=state)
        for holders, change, state in itertools.product(HOLDERS, CHANGES, STATES)
    ]
    await prepare(world, cells)
    foreign = a_seller(world, "foreign")["shops"][0]["id"]
    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "scopes": GIVEN["more"]})
    seen, expected = {}, {}
    for cell in cells:
        browser = world.hub.new_browser()
        back = world.consent(None, seller=cell.seller["email"], shop_id=cell.shop_id, scopes=GIVEN[cell.change])
        misleading = f"&shop_id={foreign}&shop_region=US&open_id=forged&seller_name=Nobody&connection_id=con_none"
        claim_id = (await browser.get(back + misleading)).headers["location"].rpartition("/")[2]
        cell_name = (cell.holders, cell.change, cell.state)
        seen[cell_name] = await outcome(cell, claim_id)
        expected[cell_name] = EXPECTED[cell.holders, cell.state]
        await check_details(cell, claim_id)

    assert expected == seen
    assert len(cells) == 24
    await world.hub.work()
    for cell in (each for each in cells if each.holders == 2 and each.state in ("active", "paused")):
        after = [await holder.connection(connection_id) for holder, connection_id in cell.held]
        assert ["refresh_refused"] * 2 == [found["reason"] for found in after]
    shown = Counter(each["token_sha256"] for each in refreshes(world))
    assert {1} == set(shown.values())


def refreshes(world: World) -> list[dict[str, Any]]:
    """Every showing of a refresh token, as the platform saw it."""
    return [each for each in world.sandbox.log(kind="token") if each["path"].endswith("/refresh")]


async def check_details(cell: Cell, claim_id: str) -> None:
    """What holds in every cell beside the table."""
    for number, (world, connection_id) in enumerate(cell.held):
        found = await world.connection(connection_id)
        assert cell.shop_id == found["shops"][0]["id"]
        paused = {flow["name"] for flow in found["flows"] if flow["reason"] == "paused_by_vendor"}
        assert ({"orders"} if cell.state == "paused" else set()) == paused
        events = await world.events(connection_id)
        if cell.holders == 2:
            assert "connection.authorized_elsewhere" in events
            assert (
                cell.before[number] is None or cell.before[number][:2] == (await pair(world, connection_id) or ())[:2]
            )
            continue
        assert "connection.renewed" in events
        assert (cell.change == "fewer") == ("connection.scopes_changed" in events)
        assert sorted(GIVEN[cell.change]) == found["scopes"]
        assert 200 == (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code
    if cell.holders == 2:
        (world, _mine), (_other, theirs) = cell.held
        shown = (await world.hub.api.get(f"/v1/claims/{claim_id}")).text
        assert [] == [name for name in (theirs, "Bolt", "mer_") if name in shown]


async def test_what_nobody_holds_waits_whatever_the_address_says(world: World) -> None:
    """No workspace holds the shop: it was never there, or the vendor let go of it; the same for every scope."""
    let_go = await world.linked()
    await world.hub.api.post(f"/v1/connections/{let_go}/disconnect")
    outlet = str(world.seller["shops"][1]["id"])
    seen = []
    for change in CHANGES:
        for shop in (world.shop_id, outlet):
            claim_id = await installed(world, world.hub.new_browser(), shop_id=shop, scopes=GIVEN[change][:3])
            claim = (await world.hub.api.get(f"/v1/claims/{claim_id}")).json()
            seen.append((claim["status"], claim["reason"]))

    assert [("waiting", "vendor_disconnected"), ("waiting", "unknown_shop")] * 3 == seen
    assert ["cancelled"] == [known["status"] for known in await connections(world)]
    assert await pair(world, let_go) is None


async def test_a_code_of_anothers_seller_in_ones_own_link_gains_nothing(world: World) -> None:
    """The double-shop rule (TS-03): quarantined, the holder is told and unchanged, and neither learns the other's name."""
    holding = await world.linked()
    before = await pair(world, holding)
    other, tenant = await another_workspace(world)
    person, link = other.hub.new_browser(), await other.link_session()
    state = await other.depart(person, link)
    await person.get(other.consent(state).replace(world.app_id, other.app_id))
    session = (await other.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
    (claim,) = (await other.hub.api.get("/v1/claims")).json()["items"]

    assert ("failed", "shop_already_connected") == (session["outcome"], session["code"])
    assert "connection.authorized_elsewhere" in await world.events(holding)
    assert ["claim.waiting", "link_session.failed"] == sorted(await types(other, tenant))
    after = await pair(world, holding)
    assert before
    assert after
    assert before[:2] == after[:2]
    assert after[2]
    told_to_them = str((await other.hub.api.get("/v1/events")).json()) + str(claim)
    assert [] == [name for name in (holding, world.merchant_id, world.hub.tenant_id) if name in told_to_them]
    before_work = len(refreshes(world))
    await world.hub.work()
    assert 1 == len(refreshes(world)) - before_work


async def test_a_held_shop_cannot_be_claimed_away(world: World) -> None:
    """Whoever claims what another connection holds is told so; once that one has ended, it can be claimed."""
    holding = await world.linked()
    browser = world.hub.new_browser()
    merchant = (await world.hub.api.post("/v1/merchants", json={"external_id": "b", "name": "Other"})).json()
    await world.hub.api.post(f"/v1/connections/{holding}/disconnect")
    claim_id = await installed(world, browser)
    theirs = await world.linked(merchant_id=merchant["id"])
    path = f"/v1/claims/{claim_id}"
    token = await claim_token(browser, claim_id)
    taken = await world.hub.api.post(path, json={"merchant_id": world.merchant_id, "claim_token": token})
    assert (409, "shop_already_connected") == told(taken)
    await world.hub.api.post(f"/v1/connections/{theirs}/disconnect")
    done = await world.hub.api.post(path, json={"merchant_id": world.merchant_id, "claim_token": token})

    assert (200, "claimed") == (done.status_code, done.json()["status"])
    assert "active" == (await world.connection(done.json()["connection_id"]))["status"]
    assert "cancelled" == (await world.connection(theirs))["status"]


async def claim_token(browser: Any, claim_id: str) -> str:
    """What the vendor's own page would be given for this browser."""
    return arrivals.token_of(Secret(browser.cookies[arrivals.cookie_name(claim_id)])).reveal()
