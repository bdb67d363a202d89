"""Two tenants on one hub: one with everything, and one who tries the other's ids. Where values are found by their names."""

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from tests.hub_fixture import ORIGIN
from tests.world_fixture import World

PASSWORD = "the other one's password"
EMAIL = "rival@rival.example"

NAMED = {"id": "connection_id", "ids": "connection_id", "link_session_id": "session_id"}
"""Names that do not tell of what they are the id."""

NUMBERS = {"sku_id", "product_id", "warehouse_id"}
CHOSEN = {"external_id", "service_id"} | NUMBERS
"""Ids the caller makes up: another tenant may have the same."""


class CannotFillError(AssertionError):
    """The generator knows no value: give the world one."""


@dataclass(kw_only=True)
class TwoTenants:
    """Who tries, and whose ids are tried. `theirs` are the ids of the one with everything, by name."""

    world: World
    rival_id: str
    api: httpx2.AsyncClient
    browser: httpx2.AsyncClient
    own_app: str
    own_merchant: str
    theirs: dict[str, str]

    async def foreign(self, name: str) -> str:
        """An id of the other tenant, by the name of the field it belongs in.

        Raises:
            CannotFillError: there is none of that name.
        """
        known = NAMED.get(name, name).removesuffix("s")
        if known not in self.theirs:
            self.theirs[known] = await self._found(known, self.world.hub.tenant_id)
        return self.theirs[known]

    async def own(self, name: str) -> str:
        """An id of one's own for the same field, new where a call could use it up."""
        known = NAMED.get(name, name).removesuffix("s")
        match known:
            case "app_id":
                return self.own_app
            case "merchant_id":
                return self.own_merchant
            case "connection_id":
                return await self._copied_connection()
            case "claim_id":
                return await self._own_claim()
            case "outage_id":
                return await self._own_outage()
            case "exception_id":
                return await self._copied_exception()
            case _ if known in NUMBERS:
                return "1729000000000000077"
            case "shop_id":
                return self.theirs["shop_id"][::-1]
            case "session_id":
                return await self._own_link()
            case "erasure_id":
                return await erased(self.api)
            case _ if known in CHOSEN or known == "open_id":
                return secrets.token_hex(8)
            case _:
                return await self._copied(known)

    async def checksum(self) -> str:
        """Of every row of the other tenant, whatever the tables are."""
        async with self.world.hub.parts.database.connection() as connection:
            tables = await connection.fetch(TABLES)
            parts = " union all ".join(
                f"select '{row['name']}', md5(string_agg(t::text, '' order by t::text)) from {row['name']} t "  # noqa: S608
                "where tenant_id = $1"
                for row in tables
            )
            rows = await connection.fetch(parts, self.world.hub.tenant_id)
        return "\n".join(sorted(f"{row[0]} {row[1]}" for row in rows))

    async def _found(self, name: str, tenant_id: str) -> str:
        """The id of a row in the table that is called like the field: `claim_id` stands in `claims`."""
        stem = name.removesuffix("_id")
        async with self.world.hub.parts.database.connection() as connection:
            for row in await connection.fetch(TABLES):
                if row["name"].endswith((f"{stem}s", stem)) and row["has_id"]:
                    found = f"select id from {row['name']} where tenant_id = $1 limit 1"  # noqa: S608  (from the catalogue)
                    if known := await connection.fetchval(found, tenant_id):
                        return str(known)
        raise CannotFillError(f"The world of tests/web/two_tenants.py has nothing for `{name}`: let it make one.")

    async def _copied(self, name: str) -> str:
        """A copy of the other tenant's row, under an id of one's own."""
        stem = name.removesuffix("_id")
        theirs = await self.foreign(name)
        async with self.world.hub.parts.database.connection() as connection:
            for row in await connection.fetch(TABLES):
                if row["name"].endswith((f"{stem}s", stem)) and row["has_id"]:
                    made = theirs[:4] + secrets.token_hex(16)
                    await self._copy(connection, row["name"], {"id": made}, theirs)
                    return made
        raise CannotFillError(f"tests/web/two_tenants.py knows no value of one's own for `{name}`.")

    async def _copied_connection(self) -> str:
        """The other tenant's connection once more, as one's own: with a shop of another number, and without tokens."""
        made, theirs = f"con_{secrets.token_hex(16)}", self.theirs["connection_id"]
        place = {"merchant_id": self.own_merchant, "app_id": self.own_app}
        async with self.world.hub.parts.database.connection() as connection:
            await self._copy(connection, "connections", place | {"id": made}, theirs)
            for table in ("shops", "flows"):
                change = {"connection_id": made, "tenant_id": self.rival_id, "shop_id": self.theirs["shop_id"][::-1]}
                await connection.execute(
                    f"insert into {table} select (jsonb_populate_record(t, $1)).* from {table} t "  # noqa: S608
                    "where tenant_id = $2 and connection_id = $3 and shop_id = $4",
                    json.dumps(change),
                    self.world.hub.tenant_id,
                    theirs,
                    self.theirs["shop_id"],
                )
        return made

    async def _own_outage(self) -> str:
        """The other tenant's outage once more, of a connection of one's own."""
        made, connection_id = f"out_{secrets.token_hex(16)}", await self._copied_connection()
        async with self.world.hub.parts.database.connection() as connection:
            change = {"id": made, "connection_id": connection_id}
            await self._copy(connection, "outages", change, self.theirs["outage_id"])
        return made

    async def _own_claim(self) -> str:
        """The other tenant's claim once more, as one's own, claimed already: its pair would not open here."""
        made = f"clm_{secrets.token_hex(16)}"
        change = {"id": made, "app_id": self.own_app, "state": "claimed", "pair_sealed": None}
        async with self.world.hub.parts.database.connection() as connection:
            await self._copy(connection, "claims", change, await self.foreign("claim_id"))
        return made

    async def _copied_exception(self) -> str:
        """The other tenant's exception once more, of a connection of one's own."""
        made, shop_id = f"exc_{secrets.token_hex(16)}", self.theirs["shop_id"][::-1]
        place = {"connection_id": await self._copied_connection(), "shop_id": shop_id}
        async with self.world.hub.parts.database.connection() as connection:
            await self._copy(connection, "exceptions", place | {"id": made}, await self.foreign("exception_id"))
        return made

    async def _copy(self, connection: Any, table: str, change: Mapping[str, str | None], source: str) -> None:
        await connection.execute(
            f"insert into {table} overriding system value select (jsonb_populate_record(t, $1)).* from {table} t "  # noqa: S608
            "where tenant_id = $2 and id = $3",
            json.dumps({**change, "tenant_id": self.rival_id}),
            self.world.hub.tenant_id,
            source,
        )

    async def _own_link(self) -> str:
        body = {"merchant_id": self.own_merchant, "app_id": self.own_app}
        made = await self.api.post("/v1/link-sessions", json=body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


async def failed(world: World, connection_id: str) -> None:
    """A record that failed, a bulk retry of it, and a rule for others like it."""
    given = {"items": [{"sku": "NOBODY-KNOWS", "quantity": 1}]}
    await world.hub.api.put(f"/v1/connections/{connection_id}/inventory", json=given)
    await world.hub.work()
    begun = await world.hub.api.post("/v1/replays", json={"cause": "sku_not_mapped"})
    rule = {"cause": "sku_not_mapped", "action": "dismiss", "after_minutes": 60}
    made = await world.hub.api.post("/v1/exception-rules", json=rule)
    assert (202, 1, 201) == (begun.status_code, begun.json()["total"], made.status_code)
    await world.hub.work()


async def erased(api: httpx2.AsyncClient) -> str:
    """A customer comes and goes; gives the id of the erasure."""
    made = await api.post("/v1/merchants", json={"external_id": secrets.token_hex(8), "name": "Gone"})
    gone = await api.delete(f"/v1/merchants/{made.json()['id']}")
    assert gone.status_code == 202, gone.text
    return str(gone.json()["id"])


TABLES = """
select c.table_name as name, exists (select from information_schema.columns i
    where i.table_schema = 'evergrant' and i.table_name = c.table_name and i.column_name = 'id') as has_id
from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'evergrant' and c.column_name = 'tenant_id' and t.table_type = 'BASE TABLE' order by 1
"""


async def two_tenants(world: World) -> TwoTenants:
    """The world, its second tenant, and one of everything in the first."""
    hub = world.hub
    made = await provisioning.add_tenant(
        hub.parts, name="Rival", email=EMAIL, person="Ron Rival", password=Secret(PASSWORD)
    )
    key = {"authorization": f"Bearer {made.api_key.reveal()}"}
    api = httpx2.AsyncClient(transport=hub.transport, base_url=ORIGIN, headers=key)
    given = {"key": "6rival000001", "secret": "rival_secret", "service_id": "7000000000000000077"}
    app = await api.post("/v1/apps", json=given | {"base_urls": {"sandbox": world.sandbox.url}})
    merchant = await api.post("/v1/merchants", json={"external_id": "rivals", "name": "Rivals"})
    connection_id = await world.linked()
    await hub.work()
    await erased(hub.api)
    await hub.api.post(
        "/v1/merchants", json={"external_id": "kept", "name": "K"}, headers={"idempotency-key": "shared"}
    )
    outage_id = await world.past_outage(connection_id)
    await failed(world, connection_id)
    await hub.new_browser().get(world.consent(None, shop_id=str(world.seller["shops"][1]["id"])))
    session = await world.link_session()
    browser = hub.new_browser()
    form = await browser.get("/login")
    csrf = re.search(r'name="csrf" value="([^"]+)"', form.text)
    assert csrf
    entered = await browser.post("/login", data={"csrf": csrf[1], "email": EMAIL, "password": PASSWORD})
    assert entered.status_code == 303, entered.text
    async with hub.parts.database.connection() as connection:
        ware = await connection.fetchrow(
            "select sku_id, product_id, warehouse_ids[1] as warehouse_id from wares limit 1"
        )
    theirs = {
        **dict(ware),
        "connection_id": connection_id,
        "app_id": world.app_id,
        "merchant_id": world.merchant_id,
        "outage_id": outage_id,
        "shop_id": world.shop_id,
        "session_id": session["id"],
        "open_id": (await hub.ports.books.connections.find(hub.tenant_id, connection_id)).open_id,
        "external_id": "kept",
        "service_id": "7000000000000000042",
    }
    return TwoTenants(
        world=world,
        rival_id=made.tenant_id,
        api=api,
        browser=browser,
        own_app=app.json()["id"],
        own_merchant=merchant.json()["id"],
        theirs=theirs,
    )


def neighbour(known: str) -> str:
    """A value of the same shape that nobody was ever given, and that sorts next to it."""
    if known.isdigit():
        return str(int(known) + 1)
    digits = "0123456789abcdef"
    last = known[-6:]
    return known[:-6] + "".join(digits[(digits.find(c) + 1) % 16] if c in digits else "z" for c in last)
