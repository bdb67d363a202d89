"""Hub and sandbox, told of each other: one app, one merchant, one seller with a shop. Where most stories begin."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from evergrant import postgres
from evergrant.core.secret import Secret
from evergrant.providers import tiktok_shop
from evergrant.providers.tiktok_shop import signing
from evergrant.providers.wire import Granted
from tests.hub_fixture import Hub, a_hub
from tests.sandbox_fixture import Sandbox

KEY, SECRET, SERVICE = "6storykey0001", "story_secret_4f2a9c77", "7000000000000000042"
SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a story needs."""

    hub: Hub
    sandbox: Sandbox
    app_id: str
    merchant_id: str
    seller: dict[str, Any]

    @property
    def shop_id(self) -> str:
        """The first shop of the seller."""
        return str(self.seller["shops"][0]["id"])

    async def now(self) -> datetime:
        """Platform time."""
        return await self.hub.now(self.sandbox.url)

    async def link_session(self, **given: Any) -> dict[str, Any]:
        """A hosted link, as the API makes it."""
        body = {"merchant_id": self.merchant_id, "app_id": self.app_id} | given
        answer = await self.hub.api.post("/v1/link-sessions", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def depart(self, browser: httpx2.AsyncClient, link: dict[str, Any]) -> str:
        """Open a hosted link and press its button; gives the state the browser leaves with."""
        page = await browser.get(urlsplit(link["url"]).path)
        assert page.status_code == 200, page.text
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf
        gone = await browser.post(urlsplit(link["url"]).path, data={"csrf": csrf[1]})
        assert gone.status_code == 303, gone.text
        return parse_qs(urlsplit(gone.headers["location"]).query)["state"][0]

    def consent(self, state: str | None, *, shop_id: str | None = None, period: str = "365d", **given: Any) -> str:
        """What the seller does on the platform's pages; gives the path and query the browser comes back to."""
        body = {"app": KEY, "seller": self.seller["email"], "shop": shop_id or self.shop_id, "period": period}
        answer = self.sandbox.post("/authorize", body | {"state": state} | given)
        parts = urlsplit(answer["redirect_url"])
        return f"{parts.path}?{parts.query}"

    async def linked(self, *, period: str = "365d", browser: httpx2.AsyncClient | None = None, **link: Any) -> str:
        """A connection, made the whole way; gives its id."""
        person = browser or self.hub.new_browser()
        made = await self.link_session(**link)
        back = await person.get(self.consent(await self.depart(person, made), period=period))
        assert back.status_code == 303, back.text
        session = (await self.hub.api.get(f"/v1/link-sessions/{made['id']}")).json()
        assert session["outcome"] == "completed", session
        return str(session["result"]["connection_id"])

    async def linked_elsewhere(self) -> str:
        """A connection of another customer, whose seller has another shop; gives its id."""
        shop = {"name": "Cobble & Co", "region": "GB", "orders": 0, "products": 1}
        seller = {"name": "Cobble Ltd", "email": "cora@cobble.example", "password": "sandbox", "region": "GB"}
        return await self.linked_by(self.sandbox.post("/sellers", seller | {"shops": [shop]}), "cobble")

    async def linked_by(self, seller: dict[str, Any], customer: str) -> str:
        """A connection of this customer, whose seller consents for the first shop, or for all; gives its id."""
        found = (await self.hub.api.get("/v1/merchants")).json()["items"]
        known = next((each for each in found if each["external_id"] == customer), None)
        given = {"external_id": customer, "name": customer}
        merchant = known or (await self.hub.api.post("/v1/merchants", json=given)).json()
        person, link = self.hub.new_browser(), await self.link_session(merchant_id=merchant["id"])
        consent = {"app": KEY, "seller": seller["email"], "period": "365d", "state": await self.depart(person, link)}
        parts = urlsplit(self.sandbox.post("/authorize", consent)["redirect_url"])
        await person.get(f"{parts.path}?{parts.query}")
        session = (await self.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
        assert session["outcome"] == "completed", session
        return str(session["result"]["connection_id"])

    async def refreshed_by_the_platform(self, refresh: Secret) -> Granted:
        """What the platform answers to this refresh token, asked past the hub's books."""
        app = await self.hub.parts.apps.by_id(self.app_id)
        reply = await self.hub.ports.platform.send(tiktok_shop.refresh_request(app, refresh), once=True)
        answer = tiktok_shop.read_tokens(reply, await self.now())
        assert isinstance(answer, Granted), answer
        return answer

    def deauthorization(self, at: datetime, notification_id: str = "7600000000000000006") -> bytes:
        """A notice of type 6 for the first shop, as the platform would send it."""
        message = f"Shop_id {self.shop_id} is deauthorized from your APP by merchant."
        return (
            f'{{"type":6,"tts_notification_id":"{notification_id}","shop_id":"{self.shop_id}",'
            f'"timestamp":{int(at.timestamp())},"data":{{"message":"{message}"}}}}'
        ).encode()

    async def deliver(self, body: bytes, signature: str | None = None) -> int:
        """Hand a notice to the hub's door, as the platform would; gives the status."""
        app = await self.hub.parts.apps.by_id(self.app_id)
        signed = signature if signature is not None else signing.sign_notice(app.key, app.secret, body)
        path = f"/hooks/tiktok-shop/{self.app_id}"
        answer = await self.hub.new_browser().post(path, content=body, headers={b"authorization": signed.encode()})
        return answer.status_code

    async def past_outage(self, connection_id: str) -> str:
        """An outage of a connection that is closed already; gives its id."""
        made, now = f"out_{connection_id.removeprefix('con_')}", await self.now()
        async with self.hub.parts.database.connection() as database:
            await database.execute(
                """
                insert into outages (tenant_id, id, connection_id, clock, cause, started_at, ended_at, closed_at)
                values ($1, $2, $3, $4, 'authorization_expired', $5, $5, $5)
                """,
                self.hub.tenant_id,
                made,
                connection_id,
                self.sandbox.url,
                now,
            )
        return made

    async def connection(self, connection_id: str) -> dict[str, Any]:
        """A connection, as the API shows it."""
        answer = await self.hub.api.get(f"/v1/connections/{connection_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def events(self, connection_id: str) -> list[str]:
        """What happened to a connection, by type."""
        answer = await self.hub.api.get(f"/v1/connections/{connection_id}/timeline", params={"limit": 200})
        return [item["type"] for item in answer.json()["items"] if item["id"].startswith("evt_")]

    async def records(self, connection_id: str, flow: str = "orders") -> list[dict[str, Any]]:
        """What a flow brought."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query: dict[str, str | int] = {"flow": flow, "limit": 200, "cursor": cursor}
            page = (await self.hub.api.get(f"/v1/connections/{connection_id}/records", params=query)).json()
            found += page["items"]
            cursor = page["next_cursor"]
        return found


@pytest.fixture
async def world(database_server: postgres.Server, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[World]:
    """Hub and sandbox with one app, one merchant and one seller."""
    async with a_hub(database_server, tmp_path, sandbox_url=sandbox.url) as hub:
        yield await settle(hub, sandbox)


async def settle(hub: Hub, sandbox: Sandbox, **app: Any) -> World:
    """Tell hub and sandbox of each other."""
    given = {"key": KEY, "secret": SECRET, "service_id": SERVICE, "base_urls": {"sandbox": sandbox.url}}
    made = (await hub.api.post("/v1/apps", json=given | {"required_scopes": SCOPES} | app)).json()
    sandbox.post(
        "/apps",
        {
            "kind": "shop",
            "key": KEY,
            "secret": SECRET,
            "service_id": SERVICE,
            "name": "Acme Sync",
            "redirect_urls": [made["redirect_url"]],
            "webhook_url": "",
            "scopes": SCOPES,
            "visibility": "public",
            "status": "published",
        },
    )
    seller = sandbox.post(
        "/sellers",
        {
            "name": "Harbour Lane Ltd",
            "email": "rosa@harbourlane.example",
            "password": "sandbox",
            "region": "GB",
            "shops": [
                {"name": "Harbour Lane", "region": "GB", "orders": 0, "products": 10},
                {"name": "Harbour Lane Outlet", "region": "GB", "orders": 0, "products": 3},
            ],
        },
    )
    sandbox.post("/orders", {"shop": seller["shops"][0]["id"], "count": 25})
    merchant = (await hub.api.post("/v1/merchants", json={"external_id": "harbour", "name": "Harbour Lane"})).json()
    return World(hub=hub, sandbox=sandbox, app_id=made["id"], merchant_id=merchant["id"], seller=seller)
