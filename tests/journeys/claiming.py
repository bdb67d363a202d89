"""What people do around a claim: install without a state, log in, walk through the two steps."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx2

from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from tests.hub_fixture import EMAIL, PASSWORD
from tests.world_fixture import KEY, World

OTHER_EMAIL, OTHER_PASSWORD = "other@bolt.example", "another horse entirely"


async def installed(world: World, browser: httpx2.AsyncClient, **consent: Any) -> str:
    """A seller installs the app from the platform's store in this browser; gives the claim it is led to."""
    back = await browser.get(world.consent(None, **consent))
    assert back.status_code == 303, back.text
    return str(back.headers["location"]).removeprefix("/claims/")


async def log_in(browser: httpx2.AsyncClient, email: str = EMAIL, password: str = PASSWORD) -> None:
    """Log in with this browser."""
    page = await browser.get("/login")
    given = {"csrf": field(page, "csrf"), "email": email, "password": password}
    assert (await browser.post("/login", data=given)).status_code == 303


def field(page: httpx2.Response, name: str) -> str:
    """A hidden field of a page's form."""
    found = re.findall(f'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return str(found[-1])


async def confirmation(browser: httpx2.AsyncClient, claim_id: str, merchant_id: str) -> dict[str, str]:
    """Both pages, read; gives the form of the second."""
    assert (await browser.get(f"/claims/{claim_id}")).status_code == 200
    page = await browser.get(f"/claims/{claim_id}/confirm", params={"merchant_id": merchant_id})
    assert page.status_code == 200, page.text
    return {name: field(page, name) for name in ("csrf", "tenant_id", "merchant_id")}


async def claimed(world: World, browser: httpx2.AsyncClient, claim_id: str, merchant_id: str = "") -> str:
    """Both steps, taken by somebody who is logged in; gives the connection."""
    form = await confirmation(browser, claim_id, merchant_id or world.merchant_id)
    done = await browser.post(f"/claims/{claim_id}", data=form)
    assert done.status_code == 303, done.text
    return str(urlsplit(done.headers["location"]).path.rpartition("/")[2])


def told(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    code = answer.headers.get("x-error-code") or answer.json()["error"]["code"]
    return answer.status_code, str(code)


async def connections(world: World) -> list[dict[str, Any]]:
    """Every connection of the first workspace."""
    found: list[dict[str, Any]] = (await world.hub.api.get("/v1/connections")).json()["items"]
    return found


async def sql(world: World, statement: str, *given: Any) -> Any:
    """One value straight from the database."""
    async with world.hub.parts.database.connection() as connection:
        return await connection.fetchval(statement, *given)


async def types(world: World, tenant_id: str | None = None) -> list[str]:
    """Events of a workspace, by type."""
    found = await world.hub.parts.events.page(tenant_id or world.hub.tenant_id, after=0, limit=500)
    return [event.type for event in found]


async def another_workspace(world: World) -> tuple[World, str]:
    """A second workspace that keeps the same app of the platform; gives its world and its tenant."""
    made = await provisioning.add_tenant(
        world.hub.parts, name="Bolt Sync", email=OTHER_EMAIL, person="Otto", password=Secret(OTHER_PASSWORD)
    )
    key = {"authorization": f"Bearer {made.api_key.reveal()}"}
    api = httpx2.AsyncClient(transport=world.hub.transport, base_url=str(world.hub.api.base_url), headers=key)
    given = {"key": KEY, "secret": "story_secret_4f2a9c77", "service_id": "7000000000000000042"}
    app = (await api.post("/v1/apps", json=given | {"base_urls": {"sandbox": world.sandbox.url}})).json()
    merchant = (await api.post("/v1/merchants", json={"external_id": "bolt", "name": "Bolt's customer"})).json()
    hub = replace(world.hub, api=api, tenant_id=made.tenant_id, api_key=made.api_key)
    return replace(world, hub=hub, app_id=app["id"], merchant_id=merchant["id"]), made.tenant_id
