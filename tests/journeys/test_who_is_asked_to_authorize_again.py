"""Every way to be disconnected, side by side: which asks the seller to authorize again, in the API and on the page."""

from typing import Any

import httpx2
import pytest

from evergrant.core.flows import Kind
from tests.journeys.claiming import log_in, sql
from tests.journeys.test_whose_renewal import a_seller
from tests.world_fixture import KEY, SCOPES, World

ASKED = ("expired_credentials", "renew")
EXPIRED, APP = "Disconnected: expired credentials", "TikTok does not accept your app&#39;s credentials"

EXPECTED = {
    # what befell it: (status, reason, what re-authorization is asked for, the page's words, "Renew now" is there)
    "over": ("expired", "authorization_expired", ASKED, EXPIRED, True),
    "refused": ("reauthorization_required", "refresh_refused", ASKED, EXPIRED, True),
    "lost": ("reauthorization_required", "refresh_outcome_lost", ASKED, EXPIRED, True),
    "silent": ("reauthorization_required", "call_refused", ASKED, EXPIRED, True),
    "stopped": ("cancelled", "seller_cancelled", None, "Disconnected: cancelled", False),
    "let_go": ("cancelled", "vendor_disconnected", None, "Disconnected: by your team", False),
    "deactivated": ("deactivated", "platform_deactivated", None, "Disconnected: deactivated by TikTok", False),
    "fine": ("active", None, None, APP, False),
}


async def refreshed(world: World, connection_id: str, fault: dict[str, Any]) -> None:
    """A refresh now, to which the platform answers so."""
    world.sandbox.post("/faults", {"kind": "token", "path": "/api/v2/token/refresh", "times": 1} | fault)
    assert (await world.hub.api.post(f"/v1/connections/{connection_id}/refresh")).status_code == 202
    await world.hub.work()


async def befallen(world: World) -> dict[str, str]:
    """One connection for each line of the table; all but one of them by the platform's own answers and notices."""
    sellers = {name: a_seller(world, name.replace("_", "")) for name in EXPECTED if name != "over"}
    found = {name: await world.linked_by(seller, name) for name, seller in sellers.items()}
    found["over"] = await world.linked(period="1d")
    await world.hub.work()
    grants = {
        name: world.sandbox.get("/grants", app=KEY, seller=seller["email"])["items"][0]["id"]
        for name, seller in sellers.items()
    }
    await refreshed(world, found["lost"], {"action": "lose_reply", "moment": "after_work"})
    await refreshed(world, found["refused"], {"action": "status", "status": 200, "code": 36004005})
    world.sandbox.post(f"/grants/{grants['silent']}/cancel")
    await world.hub.api.post(f"/v1/connections/{found['silent']}/syncs")
    world.sandbox.post(f"/grants/{grants['stopped']}/deactivate")
    notice = world.deauthorization(await world.now()).replace(
        world.shop_id.encode(), sellers["stopped"]["shops"][0]["id"].encode()
    )
    assert 200 == await world.deliver(notice)
    await world.hub.api.post(f"/v1/connections/{found['let_go']}/disconnect")
    await world.hub.work()
    world.sandbox.advance("6d12h")
    await world.hub.work()
    world.sandbox.post("/apps", {"key": KEY, "secret": "switched_without_a_word"})
    world.sandbox.advance("10m")
    await world.hub.work()
    # No word of the platform's leads here as long as nobody knows how it says so (wire sheet): only what is told of it.
    given = "update connections set state = 'deactivated', reason = 'platform_deactivated' where id = $1 returning 1"
    await sql(world, given, found["deactivated"])
    return found


async def shown(browser: httpx2.AsyncClient, connection_id: str, title: str) -> tuple[str, bool]:
    """The title, if the page has it; whether it offers a renewal."""
    page = await browser.get(f"/connections/{connection_id}")
    assert page.status_code == 200, page.text
    return title if f"<strong>{title}.</strong>" in page.text else page.text, "Renew now" in page.text


@pytest.mark.requirement("R-PIPE-3")
async def test_only_expired_credentials_ask_for_a_consent(world: World) -> None:
    """Over, refused, lost or no longer accepted: the seller. Cancelled, stopped, let go, the app's own trouble: not."""
    world.sandbox.post(f"/apps/{KEY}/rotation", {"mode": "strict"})
    browser = world.hub.new_browser()
    await log_in(browser)
    seen = {}
    for name, connection_id in (await befallen(world)).items():
        found = await world.connection(connection_id)
        asked = found["reauthorization"] and (found["reauthorization"]["reason"], found["reauthorization"]["purpose"])
        words = await shown(browser, connection_id, EXPECTED[name][3])
        seen[name] = (found["status"], found["reason"], asked, *words)

    assert EXPECTED == seen


async def test_a_permission_only_the_platform_wants_stops_its_flow_and_nothing_is_guessed(world: World) -> None:
    """The platform says 105005 and not what it wants: the flow says so, waits, and goes on where the next consent gives it."""
    connection_id = await world.linked()
    await world.hub.work()
    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "scopes": SCOPES[:2]})
    world.sandbox.advance("1h")
    await world.hub.work()
    found = await world.connection(connection_id)
    told = {flow["name"]: (flow["state"], flow["last_error"]) for flow in found["flows"]}

    refused = dict.fromkeys(("products", "inventory"), ("running", "scope_missing"))
    not_carried = dict.fromkeys(("prices", "shipments"), ("not_carried", None))
    assert dict.fromkeys(Kind, ("running", None)) | refused | not_carried == told
    assert ("active", [], None) == (found["status"], found["missing_scopes"], found["reauthorization"])
    assert "connection.suspended" not in await world.events(connection_id)

    world.sandbox.post("/apps", {"kind": "shop", "key": KEY, "scopes": SCOPES})
    await world.linked(purpose="renew", connection_id=connection_id)
    await world.hub.work()
    assert {None} == {flow["last_error"] for flow in (await world.connection(connection_id))["flows"]}
