"""A rightful client of the signed API: an app with every scope, a seller, and what the calls need."""

import json
from dataclasses import dataclass
from typing import Any

from evergrant_sandbox.world.scopes import SCOPES
from tests.sandbox.kit import Reply, Sandbox


@dataclass(frozen=True, kw_only=True)
class Wired:
    """Everything a call brings."""

    sandbox: Sandbox
    app: Any
    seller: Any
    grant_id: int
    token: str
    refresh_token: str

    @property
    def shop(self) -> Any:
        """The seller's first shop."""
        return self.seller["shops"][0]

    async def call(self, method: str, path: str, body: Any = None, *, cipher: bool = True, **query: str) -> Reply:
        """A signed call; a body that is no bytes goes as JSON."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        full = {"shop_cipher": self.shop["cipher"], **query} if cipher else query
        return await self.sandbox.signed(self.app, self.token, method, path, query=full, body=raw)

    async def data(self, method: str, path: str, body: Any = None, *, cipher: bool = True, **query: str) -> Any:
        """The data of a call that must succeed."""
        reply = await self.call(method, path, body, cipher=cipher, **query)
        assert (200, 0) == (reply.status, reply.json["code"]), reply.text
        return reply.json["data"]

    async def products(self) -> Any:
        """All products of the shop."""
        path = "/product/202502/products/search"
        return (await self.data("POST", path, {}, page_size="100"))["products"]


async def wired(sandbox: Sandbox, *, test: bool = False, kind: str = "local", **shop: Any) -> Wired:
    """An app and a seller with one shop, connected."""
    app = await sandbox.app(scopes=list(SCOPES))
    given = {"name": "Shop", "orders": 5, "products": 3, **shop}
    seller = await sandbox.seller(shops=[given], test=test, kind=kind)
    pair = await sandbox.connected(app, seller)
    return Wired(
        sandbox=sandbox,
        app=app,
        seller=seller,
        grant_id=pair["grant_id"],
        token=pair["access_token"],
        refresh_token=pair["refresh_token"],
    )


def assert_refused(reply: Reply, code: int, *, status: int = 400, says: str = "") -> None:
    """A refusal in the envelope of the API host: `data` is there, and null."""
    answer = reply.json
    assert ["code", "data", "message", "request_id"] == list(answer)
    assert (code, None, status) == (answer["code"], answer["data"], reply.status), reply.text
    assert says in answer["message"]
    assert answer["request_id"][:14].isdigit()
