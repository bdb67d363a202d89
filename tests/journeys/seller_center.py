"""What a seller does on the platform's own pages, without JavaScript, and where that leads at the hub.

The pages come over the socket of the running sandbox, as a browser would have them; nothing here is steered.
"""

from collections.abc import Mapping

import httpx2

from tests.sandbox.kit import Client, Reply
from tests.sandbox.visiting import Visitor
from tests.world_fixture import World

APPS = "/seller/apps"


class OverTheWire(Client):
    """Calls the running sandbox over its socket; keeps cookies as a browser would."""

    def __init__(self, url: str) -> None:
        super().__init__(None)
        self._url = url
        self._kept = httpx2.Cookies()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call."""
        async with httpx2.AsyncClient(
            base_url=self._url, cookies=self._kept, trust_env=False, timeout=30, verify=False
        ) as http:
            answer = await http.request(method, path, params=query, content=body, headers=headers)
            self._kept = http.cookies
        found = [(name.lower(), value) for name, value in answer.headers.multi_items()]
        return Reply(status=answer.status_code, headers=found, body=answer.content)


async def signed_in(world: World, path: str = APPS) -> Visitor:
    """The world's seller at a page of Seller Center."""
    visitor = Visitor(client=OverTheWire(world.sandbox.url))
    await visitor.open(f"/seller/login?next={path}")
    await visitor.sign_in(world.seller["email"])
    return visitor


async def renew(visitor: Visitor, row: str, *, target: str = "") -> None:
    """Authorize in the row of this shop, the dialog "Renew", perhaps with another "Target shop", and Confirm to install."""
    await visitor.open(APPS)
    await visitor.press(f"Authorize Acme Sync for {row}")
    if target:
        (value,) = visitor.page.xpath(f"//select[@name='target_shop']/option[.='{target}']/@value")
        visitor.fill("Target shop", str(value))
    visitor.fill("I agree", "yes")
    await visitor.press("Confirm to install")


async def arrived(visitor: Visitor, browser: httpx2.AsyncClient) -> httpx2.Response:
    """The browser goes where the platform sent it; gives the hub's answer."""
    assert visitor.is_away, visitor.text
    return await browser.get(httpx2.URL(visitor.address).raw_path.decode())
