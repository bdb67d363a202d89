"""The steering routes: what they answer, and how they refuse (design section 6)."""

from typing import Any

import pytest

from evergrant_sandbox import switches
from tests.sandbox.kit import DAY, START, Client, Sandbox, sha256
from tests.sandbox.receiving import Receiver

OWNER = "amelia@thamesandclay.example"


async def test_the_world_shows_everything_in_it(sandbox: Sandbox) -> None:
    """Keys, secrets, sign-ins, shops with what is in them."""
    world = await sandbox.world()
    app, seller = world["apps"][0], world["sellers"][0]

    assert ["now", "seed", "developers", "apps", "sellers", "grants"] == list(world)
    assert {"key", "secret", "service_id", "redirect_urls", "scopes", "visibility", "status", "webhook_url"} <= set(app)
    assert f"/open/authorize?service_id={app['service_id']}" == app["authorize_path"]
    assert (OWNER, "sandbox", "GB", "local") == tuple(seller[k] for k in ("email", "password", "region", "kind"))
    assert {"id", "name", "region", "code", "cipher", "warehouse_id", "orders", "products"} == set(seller["shops"][0])
    assert "owner" == seller["accounts"][0]["role"]
    others = {"administrator", "operations", "customer_support", "finance", "sub_account"}
    assert others == {account["role"] for account in seller["accounts"][1:]}


async def test_a_reset_goes_back_to_the_seeded_world(sandbox: Sandbox) -> None:
    """The same keys and sign-ins; grants, log, switches, faults and the turned clock are gone."""
    before = await sandbox.world()
    await sandbox.steer("authorize", app=before["apps"][0]["key"], seller=OWNER)
    await sandbox.steer("switches", open_id_per="grant")
    await sandbox.steer("faults", action="delay")
    await sandbox.steer("clock", advance="30d")
    numbers = (await sandbox.ask("log"))["last"]
    after = await sandbox.steer("reset")

    def without_counts(world: Any) -> Any:
        sellers = [{**seller, "shops": [shop["id"] for shop in seller["shops"]]} for seller in world["sellers"]]
        return {**world, "now": "", "sellers": sellers}

    assert without_counts(before) == without_counts(after)
    assert START == sandbox.now
    assert [] == (await sandbox.ask("faults"))["items"]
    assert {"seller"} == {
        each["position"] for each in (await sandbox.ask("switches"))["items"] if each["name"] == "open_id_per"
    }
    assert numbers < (await sandbox.ask("log"))["items"][0]["n"]


async def test_a_reset_takes_a_seed_and_a_moment(sandbox: Sandbox) -> None:
    """Another world, at another time; also an earlier one."""
    first = await sandbox.world()
    other = await sandbox.steer("reset", seed=2, now="2026-03-01T00:00:00Z")
    again = await sandbox.steer("reset", seed=2, now="2026-03-01T00:00:00Z")

    assert "2026-03-01T00:00:00Z" == other["now"]
    assert first["apps"][0]["key"] != other["apps"][0]["key"]
    assert other == again


async def test_an_app_is_made_up_where_nothing_is_said(sandbox: Sandbox) -> None:
    """And answered whole; a known key changes that app."""
    app = await sandbox.app(name="Mine", webhook_url="http://127.0.0.1:9/hooks")
    changed = await sandbox.app(key=app["key"], redirect_urls=["https://app.example.test/cb"])
    given = await sandbox.app(
        kind="shop",
        key="abc123",
        secret="s3cret",
        service_id="7000000000000000001",
        scopes=["seller.order.info"],
        visibility="custom",
        status="draft",
    )

    assert app["key"].startswith("6sbx")
    assert {**app, "redirect_urls": ["https://app.example.test/cb"]} == changed
    assert ("abc123", "s3cret", "7000000000000000001", "custom", "draft") == tuple(
        given[name] for name in ("key", "secret", "service_id", "visibility", "status")
    )


@pytest.mark.parametrize(
    ("route", "body", "code"),
    [
        ("apps", {"scopes": ["seller.everything"]}, "invalid_app"),
        ("apps", {"redirect_urls": []}, "invalid_app"),
        ("apps", {"redirect_urls": ["/cb"]}, "invalid_app"),
        ("apps", {"redirect_urls": ["http://[bad"]}, "invalid_app"),
        ("apps", {"redirect_urls": ["http://a:99999999/"]}, "invalid_app"),
        ("apps", {"webhook_url": "http://[bad"}, "invalid_app"),
        ("apps", {"webhook_url": "http://hooks.example.test/x"}, "invalid_app"),
        ("apps", {"service_id": "7056461499136909291"}, "invalid_app"),
        ("apps", {"kind": "account"}, "invalid_body"),
        ("apps", {"colour": "green"}, "invalid_body"),
        ("apps", {"key": "a b"}, "invalid_body"),
        ("apps/nobody/rotation", {"mode": "strict"}, "unknown_app"),
        ("apps/6sbxvyq4jzzv/rotation", {"mode": "sometimes"}, "invalid_body"),
        ("sellers", {"email": OWNER}, "email_taken"),
        ("sellers", {"email": "a@b.test", "sub_accounts": [{"email": "A@b.test"}]}, "email_taken"),
        ("sellers", {"sub_accounts": [{"email": "a@b.test"}, {"email": "a@b.test"}]}, "email_taken"),
        ("sellers", {"region": "XX"}, "unknown_region"),
        ("sellers", {"region": "CN"}, "unknown_region"),
        ("sellers", {"shops": [{"name": "A", "region": "CN"}]}, "unknown_region"),
        ("sellers", {"shops": [{"name": "A", "region": "XX"}]}, "unknown_region"),
        ("sellers", {"shops": [{"name": "A", "orders": 10**9}]}, "invalid_body"),
        ("sellers", {"name": "a\u0000b"}, "invalid_body"),
        ("sellers", {"name": "a\n"}, "invalid_body"),
        ("orders", {"shop": "1", "count": 1}, "unknown_shop"),
        ("orders", {"count": 1}, "invalid_body"),
        ("products", {"shop": "1", "count": 1}, "unknown_shop"),
        ("authorize", {"app": "nobody", "seller": OWNER}, "unknown_app"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": "nobody"}, "unknown_seller"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": OWNER, "shop": "1"}, "unknown_shop"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": OWNER, "period": "long"}, "invalid_period"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": OWNER, "period": "0d"}, "invalid_period"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": OWNER, "scopes": ["seller.finance.info"]}, "invalid_scopes"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": OWNER, "scopes": []}, "invalid_scopes"),
        ("authorize", {"app": "6sbxvyq4jzzv", "seller": "packing@thamesandclay.example"}, "not_the_owner"),
        ("grants/1/cancel", {}, "unknown_grant"),
        ("grants/x/renew", {}, "unknown_grant"),
        ("notices", {"type": 6, "app": "6sbxvyq4jzzv"}, "no_webhook_url"),
        ("notices", {"type": 6, "app": "nobody"}, "unknown_app"),
        ("faults", {}, "invalid_body"),
        ("faults", {"action": "explode"}, "invalid_body"),
        ("faults", {"action": "drop", "kind": "api"}, "invalid_fault"),
        ("faults/f9/release", {}, "unknown_fault"),
        ("switches", {"colour": "green"}, "unknown_switch"),
        ("switches", {"code_reuse": "sometimes"}, "unknown_switch"),
        ("switches", {"code_reuse": 1}, "invalid_body"),
        ("reset", {"now": "never"}, "invalid_time"),
        ("clock", {"advance": f"{'9' * 400}d"}, "invalid_time"),
        ("clock", {"advance": "\u0663d"}, "invalid_time"),
        ("nothing", {}, "unknown_route"),
    ],
)
async def test_what_cannot_be_done_says_what_to_do(sandbox: Sandbox, route: str, body: Any, code: str) -> None:
    """A 4xx with a stable code and a sentence; never a 500, and nothing changes."""
    before = await sandbox.world()
    reply = await sandbox.client.post(f"/_sandbox/{route}", **body)

    assert 400 <= reply.status < 500
    assert {"error"} == set(reply.json)
    assert code == reply.json["error"]["code"]
    assert reply.json["error"]["message"].endswith(".")
    assert before == await sandbox.world()


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b'{"a":1e999}', b'{"data":{"a":' + b"[" * 90_000])
@pytest.mark.parametrize("route", ["clock", "apps", "switches", "reset", "faults", "notices"])
async def test_a_body_that_is_none_is_refused(sandbox: Sandbox, route: str, body: bytes) -> None:
    """Whatever the bytes are."""
    reply = await sandbox.client.call("POST", f"/_sandbox/{route}", body=body)

    assert 400 <= reply.status < 500
    assert reply.json["error"]["code"] in {"invalid_body", "invalid_json"}


async def test_an_unknown_switch_or_position_names_the_choices(sandbox: Sandbox) -> None:
    """All names, or all positions; and of several none is turned if one cannot be."""
    unknown = await sandbox.client.post("/_sandbox/switches", colour="green")
    position = await sandbox.client.post("/_sandbox/switches", code_reuse="revokes", refusal_error="no")
    standing = {each["name"]: each["position"] for each in (await sandbox.ask("switches"))["items"]}

    for name in switches.SWITCHES:
        assert name in unknown.json["error"]["message"]
    assert "auth_denied, access_denied" in position.json["error"]["message"]
    assert "refused" == standing["code_reuse"]


async def test_every_switch_shows_what_is_known_of_it(sandbox: Sandbox) -> None:
    """Name, sentence, status, position and the documented alternatives, the default first."""
    shown = (await sandbox.ask("switches"))["items"]

    assert list(switches.SWITCHES) == [each["name"] for each in shown]
    for each in shown:
        assert each["known"] in {"fact", "unknown", "disputed"}
        assert each["about"].endswith((".", ";"))
        assert each["default"] == each["position"] == next(iter(each["positions"]))
        assert (each["known"] == "fact") == (len(each["positions"]) == 1)


async def test_grants_are_listed_page_by_page(sandbox: Sandbox) -> None:
    """By app, seller or shop, in the order of their ids."""
    app, other = await sandbox.app(), await sandbox.app()
    shops = [{"name": f"S{number}", "orders": 0, "products": 0} for number in range(5)]
    seller = await sandbox.seller(shops=shops)
    for shop in seller["shops"]:
        await sandbox.steer("authorize", app=app["key"], seller=seller["email"], shop=shop["id"])
    await sandbox.steer("authorize", app=other["key"], seller=OWNER)
    first = await sandbox.ask("grants", app=app["key"], limit="3")
    second = await sandbox.ask("grants", app=app["key"], limit="3", after=first["next"])
    mine = first["items"] + second["items"]

    assert [3, 2, None] == [len(first["items"]), len(second["items"]), second["next"]]
    assert 5 == len({grant["id"] for grant in mine})
    assert sorted(int(grant["id"]) for grant in mine) == [int(grant["id"]) for grant in mine]
    assert 1 == len((await sandbox.ask("grants", seller=OWNER))["items"])
    assert 1 == len((await sandbox.ask("grants", shop=seller["shops"][0]["id"]))["items"])
    assert mine[0] == await sandbox.ask(f"grants/{mine[0]['id']}")


async def test_an_ended_grant_cannot_be_ended_again(sandbox: Sandbox) -> None:
    """409 with its status; a renewal brings it back."""
    app = (await sandbox.world())["apps"][0]
    given = await sandbox.steer("authorize", app=app["key"], seller=OWNER, period="1d")
    cancelled = await sandbox.steer(f"grants/{given['grant_id']}/cancel")
    again = await sandbox.client.post(f"/_sandbox/grants/{given['grant_id']}/deactivate")
    renewed = await sandbox.steer(f"grants/{given['grant_id']}/renew")
    await sandbox.steer("clock", advance="1d")
    expired = await sandbox.client.post(f"/_sandbox/grants/{given['grant_id']}/cancel")

    assert ("cancelled", "seller") == (cancelled["status"], cancelled["ended_by"])
    assert (409, "not_alive") == (again.status, again.json["error"]["code"])
    assert "cancelled" in again.json["error"]["message"]
    assert ("active", None, "") == tuple(renewed["grant"][name] for name in ("status", "ended_at", "ended_by"))
    assert "expired" in expired.json["error"]["message"]


async def test_orders_and_products_come_as_asked(sandbox: Sandbox) -> None:
    """A count, given documents, and changes of known ones."""
    seller = await sandbox.seller()
    shop = seller["shops"][0]["id"]
    orders = await sandbox.steer(
        "orders",
        shop=shop,
        count=2,
        orders=[{"id": "576000000000000001", "status": "IN_TRANSIT", "create_time": START - DAY}],
    )
    products = await sandbox.steer(
        "products",
        shop=shop,
        count=1,
        products=[
            {"id": "1729000000000000001", "title": "Mug", "seller_sku": "MUG-1", "price": "18.50", "quantity": 5}
        ],
    )
    changed = await sandbox.steer("products", shop=shop, products=[{"id": "1729000000000000001", "quantity": 0}])
    counts = (await sandbox.world())["sellers"][-1]["shops"][0]

    assert ["AWAITING_SHIPMENT", "AWAITING_SHIPMENT", "IN_TRANSIT"] == [each["status"] for each in orders["orders"]]
    assert ("576000000000000001", START - DAY) == (orders["orders"][2]["id"], orders["orders"][2]["create_time"])
    assert ("1729000000000000001", "Mug") == (products["products"][1]["id"], products["products"][1]["title"])
    assert "MUG-1" == products["products"][1]["skus"][0] == changed["products"][0]["skus"][0]
    assert (6, 4) == (counts["orders"], counts["products"])


async def test_a_shop_without_products_sells_nothing(sandbox: Sandbox) -> None:
    """409 and a sentence."""
    seller = await sandbox.seller(shops=[{"name": "Empty", "orders": 0, "products": 0}])
    reply = await sandbox.client.post("/_sandbox/orders", shop=seller["shops"][0]["id"], count=1)

    assert (409, "nothing_for_sale") == (reply.status, reply.json["error"]["code"])


async def test_the_log_says_what_the_platform_saw(sandbox: Sandbox, receiver: Receiver) -> None:
    """Every call in its order, with app, grant, shop, status, code and hashes; filtered by kind, app, grant, number."""
    app, seller = await sandbox.app(webhook_url=receiver.url), await sandbox.seller()
    pair = await sandbox.connected(app, seller)
    shop = seller["shops"][0]
    query = {"shop_cipher": shop["cipher"], "page_size": "5"}
    await sandbox.signed(app, pair["access_token"], "POST", "/order/202309/orders/search", query=query)
    await sandbox.refresh(app, "ROW_junk")
    await sandbox.steer(f"grants/{pair['grant_id']}/cancel")
    await receiver.wait_for(1)
    await sandbox.steer("clock", advance="1m")
    await sandbox.client.get("/limits")
    lines = (await sandbox.ask("log"))["items"]
    exchange, junk = (await sandbox.ask("log", kind="token"))["items"]
    (search,) = (await sandbox.ask("log", kind="api"))["items"]
    (notice,) = (await sandbox.ask("log", kind="notice"))["items"]

    assert {"token", "api", "notice", "page", "control"} == {each["kind"] for each in lines}
    assert sorted(each["n"] for each in lines) == [each["n"] for each in lines]
    assert (sha256(pair["access_token"]), sha256(pair["refresh_token"])) == (
        exchange["gave_access_sha256"],
        exchange["gave_refresh_sha256"],
    )
    assert (pair["grant_id"], 0, 200) == (exchange["grant"], exchange["code"], exchange["status"])
    assert (sha256("ROW_junk"), 36004005, "can not find related auth record") == (
        junk["token_sha256"],
        junk["code"],
        junk["message"],
    )
    assert (app["key"], pair["grant_id"], shop["id"]) == (search["app"], search["grant"], search["shop"])
    assert sha256(pair["access_token"]) == search["token_sha256"]
    assert "page_size=5" in search["query"]
    assert (6, 1, "200") == tuple(notice["notice"][name] for name in ("type", "attempt", "answer"))
    assert [exchange, search, notice] == (await sandbox.ask("log", grant=pair["grant_id"]))["items"]
    assert [junk] == (await sandbox.ask("log", kind="token", after=str(exchange["n"])))["items"]
    assert 2 == len((await sandbox.ask("log", app=app["key"], limit="2"))["items"])


@pytest.mark.parametrize("query", [{"kind": "gossip"}, {"after": "x"}, {"limit": "10001"}, {"grant": "²"}])
async def test_a_log_query_that_makes_no_sense_is_refused(sandbox: Sandbox, query: dict[str, str]) -> None:
    """400 and a sentence."""
    reply = await sandbox.client.get("/_sandbox/log", **query)

    assert (400, "invalid_query") == (reply.status, reply.json["error"]["code"])


@pytest.mark.parametrize(
    ("client", "headers", "code"),
    [
        ({"peer": "192.0.2.7"}, {}, "not_loopback"),
        ({"peer": "::ffff:192.0.2.7"}, {}, "not_loopback"),
        ({"host": "evil.example.test"}, {}, "foreign_host"),
        ({"host": "127.evil.example.test"}, {}, "foreign_host"),
        ({"host": "127.0.0.1.example.test:8090"}, {}, "foreign_host"),
        ({}, {"sec-fetch-site": "cross-site"}, "foreign_page"),
        ({}, {"sec-fetch-site": "same-site"}, "foreign_page"),
    ],
)
async def test_steering_is_for_programs_on_this_machine(
    sandbox: Sandbox, client: Any, headers: dict[str, str], code: str
) -> None:
    """Not for other machines, nor for other sites' pages in a local browser, rebound names included."""
    other = Client(sandbox.application, **client)
    for method, path in (("GET", "world"), ("POST", "reset"), ("GET", "log"), ("DELETE", "faults")):
        reply = await other.call(method, f"/_sandbox/{path}", headers=headers)
        assert (403, code) == (reply.status, reply.json["error"]["code"])


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
async def test_every_loopback_address_is_this_machine(sandbox: Sandbox, peer: str) -> None:
    """Both families, and one in the other's clothes."""
    assert 200 == (await Client(sandbox.application, peer=peer).get("/_sandbox/clock")).status
