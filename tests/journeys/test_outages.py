"""An outage opens by itself, is caught up by itself, and is closed when its ledger balances to zero."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from evergrant.actions import expire
from evergrant.actions.polls import Brought
from evergrant.core.flows import Kind
from tests.journeys.claiming import log_in, sql
from tests.journeys.ledgers import calls, flows, gives, lines, outages, states, wares
from tests.journeys.seller_center import arrived, renew, signed_in
from tests.journeys.test_in_seller_center import RIGHT, grant, shown
from tests.journeys.test_what_a_consent_covers import rescoped
from tests.world_fixture import SCOPES, World

ALL = ["inventory", "orders", "prices", "products", "shipments", "stock"]
PULLED = ("orders", "products", "inventory")
NOT_CARRIED = dict.fromkeys(("prices", "shipments"), ("not_carried", None))
RUNNING = dict.fromkeys((*PULLED, "stock"), ("running", None)) | NOT_CARRIED


def all_of(state: str, reason: str | None) -> dict[str, tuple[str, str | None]]:
    """Every flow so."""
    return dict.fromkeys(ALL, (state, reason))


async def expired(world: World, days: int = 30) -> str:
    """A connection whose first poll is done and whose period is over; gives its id."""
    connection_id = await world.linked(period=f"{days}d")
    await world.hub.work()
    world.sandbox.advance(f"{days}d")
    await world.hub.work()
    return connection_id


async def failed(world: World) -> list[tuple[str, str]]:
    """State and end of every exception."""
    rows = await sql(world, "select array_agg(state || ' ' || coalesce(how, '')) from exceptions")
    return [(state, how) for state, _, how in (row.partition(" ") for row in rows or [])]


async def renewed(world: World, connection_id: str, **consent: Any) -> None:
    """The seller renews by the vendor's link."""
    person = world.hub.new_browser()
    link = await world.link_session(purpose="renew", connection_id=connection_id)
    back = await person.get(world.consent(await world.depart(person, link), **consent))
    assert back.status_code == 303, back.text


@pytest.mark.requirement("R-PIPE-1", "R-PIPE-29", "R-PIPE-30", "R-PIPE-31", "R-PIPE-32", "R-ECOM-5")
@pytest.mark.parametrize("way", ["by_itself", "by_hand"])
async def test_two_days_of_outage_renewed_in_seller_center_are_made_good_to_zero(world: World, way: str) -> None:
    """Everything stops with its reason and nothing is called; then all of the gap comes, once, stock first, and it is closed."""
    connection_id = await expired(world)
    browser = world.hub.new_browser()
    await log_in(browser)
    (began,) = await outages(world, connection_id)
    ends = datetime.fromisoformat(began["started_at"])
    known = {record["id"] for record in await world.records(connection_id)}
    sells = await wares(world)
    made: list[str] = []
    for _ in range(4):
        world.sandbox.advance("12h")
        made += [each["id"] for each in world.sandbox.post("/orders", {"shop": world.shop_id, "count": 3})["orders"]]
        assert "held" == await gives(world, connection_id, sells[0]["seller_sku"], 7)
        await world.hub.work()
    world.sandbox.post("/orders", {"shop": world.shop_id, "orders": [{"id": made[0], "status": "CANCELLED"}]})
    stopped = await world.connection(connection_id)
    (lasts,) = await outages(world, connection_id)

    assert all_of("paused", "authorization_expired") == await states(world, connection_id)
    assert {"reason": "expired_credentials", "purpose": "renew"} == stopped["reauthorization"]
    assert "Paused: authorization expired" in await shown(browser, connection_id)
    assert [] == calls(world, ends)
    assert known == {record["id"] for record in await world.records(connection_id)}
    assert (stopped["authorization_expires_at"], "open", None, 1) == (
        lasts["started_at"],
        lasts["status"],
        lasts["ended_at"],
        lasts["open"],
    )
    assert (4, 3) == (lasts["missed"], lasts["superseded"])
    assert (False, False, True) == tuple(
        lines(lasts, world.shop_id)[name]["counted"] for name in ("orders", "products", "stock")
    )

    world.sandbox.post("/switches", {"seller_center_renewal": "calls_back"})
    visitor = await signed_in(world)
    await renew(visitor, RIGHT)
    assert (await arrived(visitor, world.hub.new_browser())).status_code == 303
    (ended,) = await outages(world, connection_id)
    before = await flows(world, connection_id)
    catching_up = dict.fromkeys((*PULLED, "stock"), ("catching_up", None))
    assert catching_up | NOT_CARRIED == await states(world, connection_id)
    assert ("active", "catching_up") == ((await world.connection(connection_id))["status"], ended["status"])
    assert all(before[name]["next_run_at"] == ended["ended_at"] for name in PULLED)
    if way == "by_hand":
        asked = await world.hub.api.post(f"/v1/connections/{connection_id}/syncs")
        assert (202, {"flows": 3}) == (asked.status_code, asked.json())
    await world.hub.work()
    after = await flows(world, connection_id)
    (closed,) = await outages(world, connection_id)
    ledger = lines(closed, world.shop_id)
    orders = [record["id"] for record in await world.records(connection_id)]

    assert ["inventory/update", "inventory/search", "orders/search"] == calls(world, ends)[:3]
    assert RUNNING == await states(world, connection_id)
    for name in PULLED:
        assert datetime.fromisoformat(after[name]["last_success_at"]) >= datetime.fromisoformat(closed["ended_at"])
        assert ledger[name]["checks"]["read_at"]
    assert len(orders) == len(set(orders))
    assert known | set(made) == set(orders)
    assert ("closed", 0, True) == (closed["status"], closed["open"], closed["counted"])
    assert (12, 12) == (ledger["orders"]["missed"], ledger["orders"]["caught_up"])
    assert (4, 1, 3) == tuple(ledger["stock"][name] for name in ("missed", "caught_up", "superseded"))
    assert 1 == calls(world, ends).count("inventory/update")  # what waited was the write
    assert ledger["stock"]["checks"]["read_at"]
    assert ledger["stock"]["checks"]["written_at"]
    assert ["outage.opened", "outage.closed"] == [
        kind for kind in await world.events(connection_id) if kind.startswith("outage.")
    ]
    assert [("resolved", "by_itself")] == await failed(world)
    await sql(world, "delete from pushes")
    assert [closed] == await outages(world, connection_id)  # its counts outlive the rows they were counted from


async def test_a_pause_by_hand_survives_and_owes_what_nobody_read(world: World) -> None:
    """Paused before: no row. Paused meanwhile: its row says so and is open until it is resumed; stock without levels is not."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    path = f"/v1/connections/{connection_id}"
    await world.hub.api.post(f"{path}/pause", json={"flow": "products"})
    assert [] == await outages(world, connection_id)
    world.sandbox.advance("30d")
    await world.hub.work()
    for name in ("orders", "stock"):
        await world.hub.api.post(f"{path}/pause", json={"flow": name})
    world.sandbox.advance("2d")
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 5})["orders"]
    await renewed(world, connection_id)
    await world.hub.work()
    (ended,) = await outages(world, connection_id)
    ledger = lines(ended, world.shop_id)
    by_hand = dict.fromkeys(("orders", "products", "stock"), ("paused", "paused_by_vendor"))

    assert RUNNING | by_hand == await states(world, connection_id)
    assert {"inventory", "orders", "prices", "shipments", "stock"} == set(ledger)
    assert ("catching_up", None) == (ended["status"], ended["closed_at"])
    assert ("paused", "paused_by_vendor") == (ledger["orders"]["state"], ledger["orders"]["checks"]["trouble"])
    assert ("balanced", "paused_by_vendor", None) == (
        ledger["stock"]["state"],
        ledger["stock"]["checks"]["trouble"],
        ledger["stock"]["checks"]["written_at"],
    )
    await world.hub.api.post(f"{path}/resume", json={"flow": "orders"})
    await world.hub.work()
    (closed,) = await outages(world, connection_id)
    assert ("closed", 5) == (closed["status"], lines(closed, world.shop_id)["orders"]["caught_up"])
    assert {each["id"] for each in made} <= {record["id"] for record in await world.records(connection_id)}
    assert ("paused", "paused_by_vendor") == (await states(world, connection_id))["products"]


async def test_a_paused_flow_owes_the_levels_that_wait_and_a_leftover_exception_is_settled(world: World) -> None:
    """Stock paused meanwhile, a level given: its row is open until that has gone out; then nothing of the outage is open."""
    connection_id = await expired(world)
    path = f"/v1/connections/{connection_id}"
    await world.hub.api.post(f"{path}/pause", json={"flow": "stock"})
    await gives(world, connection_id, (await wares(world))[0]["seller_sku"], 9)
    await renewed(world, connection_id)
    await world.hub.work()
    (ended,) = await outages(world, connection_id)
    owes = lines(ended, world.shop_id)["stock"]
    await sql(
        world,
        """
        insert into exceptions (tenant_id, id, connection_id, shop_id, kind, entity, cause, message, outage_id, push_id)
        select tenant_id, 'exc_left', connection_id, shop_id, kind, 'left over', cause, message, outage_id, push_id from exceptions
        """,
    )
    await world.hub.api.post(f"{path}/resume", json={"flow": "stock"})
    await world.hub.work()
    (closed,) = await outages(world, connection_id)

    assert ("catching_up", "paused", 1) == (ended["status"], owes["state"], owes["open"])
    assert ("closed", 1, 0) == (closed["status"], lines(closed, world.shop_id)["stock"]["caught_up"], closed["open"])
    assert [("resolved", "by_itself")] * 2 == await failed(world)


async def test_a_poll_from_before_the_flow_stopped_proves_nothing(world: World) -> None:
    """Its worker was slow: by the time it is done the flow has stopped and reopened, and the gap is still to be read."""
    connection_id = await world.linked(period="30d")
    await world.hub.work()
    world.sandbox.advance("29d")
    runs = await world.hub.ports.books.flows.take_due(world.sandbox.url, await world.now(), 50)
    slow = next(run for run in runs if (run.shop_id, run.kind) == (world.shop_id, Kind.ORDERS))
    world.sandbox.advance("1d")
    await expire.sweep(world.sandbox.url, world.hub.ports)
    await renewed(world, connection_id)
    assert "waiting" == await gives(world, connection_id, (await wares(world))[0]["seller_sku"], 9)
    late = replace(slow, catching_up=True)
    now = await world.now()
    await world.hub.ports.books.flows.done(late, Brought(cursor=now, kept=0), next_run_at=now, now=now)
    (outage,) = await outages(world, connection_id)
    assert None is lines(outage, world.shop_id)["orders"]["checks"]["read_at"]
    assert 0 == lines(outage, world.shop_id)["stock"]["missed"]  # given while it runs: nothing held it up
    assert ("catching_up", None) == (await states(world, connection_id))["orders"]


async def test_one_permission_less_stops_one_flow_and_its_outage_alone(world: World) -> None:
    """Stock waits with scope_missing, all others go on, and not one write is tried until the permission is back."""
    connection_id = await world.linked()
    await world.hub.work()
    without = [scope for scope in SCOPES if scope != "seller.product.write"]
    await rescoped(world, connection_id, scopes=without)
    now = await world.now()
    await gives(world, connection_id, (await wares(world))[0]["seller_sku"], 3)
    world.sandbox.advance("1h")
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 2})["orders"]
    await world.hub.work()
    (outage,) = await outages(world, connection_id)

    assert RUNNING | {"stock": ("paused", "scope_missing")} == await states(world, connection_id)
    assert ("scope_missing", "open", ["stock"]) == (
        outage["cause"],
        outage["status"],
        list(lines(outage, world.shop_id)),
    )
    assert (1, 1) == (outage["missed"], outage["open"])
    assert {each["id"] for each in made} <= {record["id"] for record in await world.records(connection_id)}
    assert {"orders/search", "products/search", "inventory/search"} == set(calls(world, now))
    await rescoped(world, connection_id)
    await world.hub.work()
    (closed,) = await outages(world, connection_id)
    assert ("closed", 1, 1, 0) == tuple(closed[name] for name in ("status", "missed", "caught_up", "open"))
    assert "inventory/update" in calls(world, now)


async def test_a_renewal_that_lacks_the_permission_to_write_is_not_back_to_normal(world: World) -> None:
    """Orders, products and inventory balance; stock stays open and says why, and the outage with it."""
    connection_id = await expired(world)
    without = [scope for scope in SCOPES if scope != "seller.product.write"]
    await renewed(world, connection_id, scopes=without)
    await world.hub.work()
    (outage,) = await outages(world, connection_id)
    ledger = lines(outage, world.shop_id)

    assert RUNNING | {"stock": ("paused", "scope_missing")} == await states(world, connection_id)
    assert ("authorization_expired", "open", None) == (outage["cause"], outage["status"], outage["closed_at"])
    assert dict.fromkeys(ALL, "balanced") | {"stock": "stopped"} == {n: line["state"] for n, line in ledger.items()}
    assert ("scope_missing", None) == (ledger["stock"]["why"], ledger["stock"]["checks"]["written_at"])
    world.sandbox.advance("1d")
    await rescoped(world, connection_id)
    await world.hub.work()
    (closed,) = await outages(world, connection_id)
    assert ("closed", "balanced") == (closed["status"], lines(closed, world.shop_id)["stock"]["state"])


async def test_a_doubt_becomes_what_it_turns_out_to_be_and_one_that_is_refuted_closes(world: World) -> None:
    """A false alarm is an outage of seconds; a cancellation takes over the name of the doubt, and lasts until the renewal."""
    connection_id = await world.linked()
    await world.hub.work()
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    (alarm,) = await outages(world, connection_id)
    await asyncio.to_thread(world.sandbox.post, f"/grants/{grant(world, world.shop_id)['id']}/cancel")
    assert 200 == await world.deliver(world.deauthorization(await world.now(), "7600000000000000077"))
    await world.hub.work()
    newest, oldest = await outages(world, connection_id)
    await renewed(world, connection_id)
    await world.hub.work()
    closed, _ = await outages(world, connection_id)

    assert ("authorization_suspended", "closed", 0) == (alarm["cause"], alarm["status"], alarm["open"])
    assert alarm == oldest
    assert ("authorization_cancelled", "open") == (newest["cause"], newest["status"])
    assert {"authorization_cancelled"} == {line["why"] for line in newest["flows"]}
    assert ("closed", newest["id"]) == (closed["status"], closed["id"])


async def test_a_flow_that_stops_again_before_it_has_caught_up_keeps_its_row(world: World) -> None:
    """Renewed for a moment, cancelled, renewed: one outage, one row a flow, its checks from the last time; disconnected: none."""
    connection_id = await expired(world)
    await renewed(world, connection_id)
    made = world.sandbox.post("/orders", {"shop": world.shop_id, "count": 4})["orders"]
    await asyncio.to_thread(world.sandbox.post, f"/grants/{grant(world, world.shop_id)['id']}/cancel")
    assert 200 == await world.deliver(world.deauthorization(await world.now()))
    await world.hub.work()
    (again,) = await outages(world, connection_id)
    world.sandbox.advance("1d")
    await renewed(world, connection_id)
    await world.hub.work()
    (closed,) = await outages(world, connection_id)

    assert (None, "authorization_cancelled", 6) == (again["ended_at"], again["cause"], len(again["flows"]))
    assert {"stopped"} == {line["state"] for line in again["flows"]}
    assert (again["id"], "closed", 6) == (closed["id"], closed["status"], len(closed["flows"]))
    assert 4 == lines(closed, world.shop_id)["orders"]["caught_up"]
    assert {each["id"] for each in made} <= {record["id"] for record in await world.records(connection_id)}
    await world.hub.api.post(f"/v1/connections/{connection_id}/disconnect")
    await world.hub.work()
    assert 1 == len(await outages(world, connection_id))
    one = await world.hub.api.get(f"/v1/outages/{closed['id']}")
    assert closed == one.json()
