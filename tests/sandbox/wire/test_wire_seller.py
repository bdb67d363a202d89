"""What is known of the seller beyond the authorized shops, tokens for widgets, and what only partners may ask (3.6)."""

import pytest

from tests.sandbox.kit import Sandbox
from tests.sandbox.wired import assert_refused, wired

ACTIVE = "/seller/202309/shops"
STATUS = "/seller/202508/status"


async def test_active_shops_are_all_of_the_sellers(sandbox: Sandbox) -> None:
    """Authorized or not, by id and region; none of a seller that is not active."""
    app = await sandbox.app(scopes=["seller.shop.info"])
    seller = await sandbox.seller(shops=[{"name": "One"}, {"name": "Two"}])
    pair = await sandbox.connected(app, seller, shop="One")
    reply = await sandbox.signed(app, pair["access_token"], "GET", ACTIVE)

    wanted = [{"id": shop["id"], "region": "GB"} for shop in seller["shops"]]
    assert {"shops": wanted} == reply.json["data"]
    await sandbox.steer(f"sellers/{seller['id']}/standing", standing="deactivated")
    none = await sandbox.signed(app, pair["access_token"], "GET", ACTIVE)
    assert {"shops": []} == none.json["data"]


@pytest.mark.parametrize(("kind", "permissions"), [("local", []), ("cross_border", ["MANAGE_GLOBAL_PRODUCT"])])
async def test_permissions_are_for_sellers_across_borders(sandbox: Sandbox, kind: str, permissions: list[str]) -> None:
    """Empty for a local seller."""
    to = await wired(sandbox, kind=kind)

    assert {"permissions": permissions} == await to.data("GET", "/seller/202309/permissions", cipher=False)


@pytest.mark.parametrize(
    ("standing", "number"), [("active", "2"), ("deactivated", "3"), ("pending", "1"), ("rejected", "4")]
)
async def test_a_sellers_status_is_a_number_in_a_string(sandbox: Sandbox, standing: str, number: str) -> None:
    """2 = active, 3 = deactivated, 1 = pending, 4 = rejected; with or without a shop_cipher."""
    to = await wired(sandbox)
    await sandbox.steer(f"sellers/{to.seller['id']}/standing", standing=standing)
    data = (await to.data("GET", STATUS, cipher=False))["seller_status_data"]

    assert number == data["seller_status"]
    assert [{"shop_id": to.shop["id"], "shop_status": number}] == data["shop_statuses"]
    assert {"tax_form_status", "partner_channel"} <= set(data)
    assert data == (await to.data("GET", STATUS))["seller_status_data"]


@pytest.mark.parametrize("path", [ACTIVE, "/seller/202309/permissions"])
async def test_the_seller_is_asked_without_a_cipher(sandbox: Sandbox, path: str) -> None:
    """It is an unexpected identifier there; and the scope is Global Shop Information."""
    to = await wired(sandbox)

    assert_refused(await to.call("GET", path), 36009004, says="Unexpected identifier")
    narrow = await sandbox.connected(to.app, to.seller, scopes=["seller.order.info"])
    refused = await sandbox.signed(to.app, narrow["access_token"], "GET", path)
    assert_refused(refused, 105005, status=401)


@pytest.mark.parametrize("version", ["202312", "202401"])
async def test_a_widget_token_ends_in_five_minutes(sandbox: Sandbox, version: str) -> None:
    """One level down, and another one each time."""
    to = await wired(sandbox)
    path = f"/authorization/{version}/widget_token"
    one, two = await to.data("GET", path, cipher=False), await to.data("GET", path, cipher=False)

    assert sandbox.now + 300 == one["widget_token"]["expire_at"]
    assert one["widget_token"]["token"] != two["widget_token"]["token"]


async def test_category_assets_are_for_partners(sandbox: Sandbox) -> None:
    """A seller's token has the wrong user_type: 101000."""
    to = await wired(sandbox)
    reply = await to.call("GET", "/authorization/202405/category_assets", cipher=False)

    assert_refused(reply, 101000, says="user_type")


async def test_product_filters_pick_what_they_name(sandbox: Sandbox) -> None:
    """Review, draft, category tree, platform, tier and subscription; no product has more than the first and the third."""
    to = await wired(sandbox, products=6)
    shop, path = to.shop["id"], "/product/202502/products/search"
    whole = await to.products()
    states = ["PENDING", "FAILED", "DRAFT"]
    await sandbox.steer(
        "products",
        shop=shop,
        products=[{"id": each["id"], "status": to_} for each, to_ in zip(whole, states, strict=False)],
    )

    async def ask(**body: object) -> set[str]:
        found = (await to.data("POST", path, body, page_size="100"))["products"]
        return {each["id"] for each in found}

    ids = [each["id"] for each in whole]
    assert {ids[0]} == await ask(audit_status=["AUDITING"])
    assert {ids[0], ids[1]} == await ask(audit_status=["AUDITING", "FAILED"])
    approved = {each["id"] for each in whole[3:] if each["status"] == "ACTIVATE"}
    assert approved == await ask(audit_status=["APPROVED"])
    assert set(ids) == await ask(category_version="v1") == await ask(return_draft_version=False)
    assert set() == await ask(category_version="v2")
    assert approved == await ask(status="ACTIVATE", listing_platforms=["TIKTOK_SHOP"])
    for nothing in (
        {"return_draft_version": True},
        {"status": "ACTIVATE", "listing_platforms": ["TIKTOK_SHOP", "TOKOPEDIA"]},
        {"listing_quality_tiers": ["GOOD"]},
        {"sns_filter": "ELIGIBLE"},
    ):
        assert set() == await ask(**nothing), nothing


async def test_a_search_finds_ten_thousand_products_at_most(sandbox: Sandbox) -> None:
    """12052180 beyond that: narrow it by time or by status."""
    to = await wired(sandbox, products=1, orders=0)
    await sandbox.steer("products", shop=to.shop["id"], count=9_999)
    path = "/product/202502/products/search"

    assert 10_000 == (await to.data("POST", path, {}, page_size="1"))["total_count"]
    await sandbox.steer("products", shop=to.shop["id"], count=1)
    assert_refused(await to.call("POST", path, {}, page_size="1"), 12052180)
    assert 0 == (await to.call("POST", path, {"status": "SELLER_DEACTIVATED"}, page_size="1")).json["code"]
