"""The token host: what ends a pair, and what a consent given again does to it (wire sheet section 2)."""

from pathlib import Path

import pytest

from tests.sandbox.kit import DAY, START, Sandbox, running
from tests.sandbox.wire.test_sandbox_tokens import same_refusal


# --- ends
async def test_past_the_end_of_the_authorization_nothing_works(sandbox: Sandbox) -> None:
    """The refresh token "has expired", and so has an access token that would have lived on."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="3d")
    await sandbox.steer("clock", advance="3d")
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert sandbox.now < pair["access_token_expire_in"]
    assert same_refusal("refresh token past its time", await sandbox.refresh(app, pair["refresh_token"]))
    assert (401, 105002) == (reply.status, reply.json["code"])


async def test_the_last_access_token_can_be_capped_by_a_switch(sandbox: Sandbox) -> None:
    """`access_token_near_the_end` at `capped`."""
    await sandbox.steer("switches", access_token_near_the_end="capped")
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="3d")

    assert pair["refresh_token_expire_in"] == pair["access_token_expire_in"]


@pytest.mark.parametrize("end", ["cancel", "deactivate"])
async def test_an_ended_authorization_refreshes_no_more(sandbox: Sandbox, end: str) -> None:
    """Refresh: 36004005. Access: 105001 with HTTP 401."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller)
    await sandbox.steer(f"grants/{pair['grant_id']}/{end}")
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert same_refusal("unknown refresh token", await sandbox.refresh(app, pair["refresh_token"]))
    assert (401, 105001) == (reply.status, reply.json["code"])


async def test_an_access_token_can_be_made_short_for_a_test(sandbox: Sandbox) -> None:
    """`access_token_seconds` of the app."""
    app, seller = await sandbox.app(access_token_seconds=30), await sandbox.seller()
    pair = await sandbox.connected(app, seller)
    sandbox.wall.at += 30
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert START + 30 == pair["access_token_expire_in"]
    assert 105002 == reply.json["code"]


async def test_an_end_99_years_away_is_legal(sandbox: Sandbox) -> None:
    """Beyond what 32 bits hold."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="36135d")

    assert START + 36135 * DAY == pair["refresh_token_expire_in"]
    assert pair["refresh_token_expire_in"] > 2**32


# --- consent again
async def test_consent_again_renews_the_same_grant_in_place(sandbox: Sandbox) -> None:
    """The grant keeps its id and open_id, ends a period after the new consent, and remembers both."""
    app, seller = await sandbox.app(), await sandbox.seller()
    first = await sandbox.connected(app, seller, period="90d")
    await sandbox.steer("clock", advance="60d")
    second = await sandbox.connected(app, seller, period="365d")
    grants = (await sandbox.ask("grants", app=app["key"]))["items"]

    assert [(first["grant_id"], 2)] == [(grant["id"], grant["consents"]) for grant in grants]
    assert first["open_id"] == second["open_id"]
    assert START + 425 * DAY == second["refresh_token_expire_in"]


@pytest.mark.parametrize(
    ("position", "at_consent", "at_exchange"),
    [("refused_at_exchange", 0, 36004005), ("refused_at_consent", 36004005, 36004005), ("kept", 0, 0)],
)
async def test_the_old_pair_dies_when_the_switch_says(
    sandbox: Sandbox, position: str, at_consent: int, at_exchange: int
) -> None:
    """At the exchange of the new code, at the consent, or not at all."""
    await sandbox.steer("switches", old_pair_after_reconsent=position)
    app, seller = await sandbox.app(), await sandbox.seller()
    app = await sandbox.steer(f"apps/{app['key']}/rotation", mode="stable")
    old = await sandbox.connected(app, seller)
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    between = await sandbox.refresh(app, old["refresh_token"])
    new = await sandbox.exchange(app, given["code"])
    after = await sandbox.refresh(app, old["refresh_token"])

    assert (at_consent, 0, at_exchange) == (between["code"], new["code"], after["code"])


async def test_a_renewal_of_an_ended_authorization_wakes_no_old_token(sandbox: Sandbox) -> None:
    """What the past left behind stays dead, whatever the switch says about living ones."""
    await sandbox.steer("switches", old_pair_after_reconsent="kept")
    app, seller = await sandbox.app(), await sandbox.seller()
    app = await sandbox.steer(f"apps/{app['key']}/rotation", mode="stable")
    old = await sandbox.connected(app, seller, period="3d")
    await sandbox.steer("clock", advance="3d")
    await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    reply = await sandbox.signed(app, old["access_token"], "GET", "/authorization/202309/shops")

    assert 36004005 == (await sandbox.refresh(app, old["refresh_token"]))["code"]
    assert 105002 == reply.json["code"]


async def test_a_new_consent_voids_the_code_of_the_one_before(sandbox: Sandbox) -> None:
    """Only the newest consent can be exchanged."""
    app, seller = await sandbox.app(), await sandbox.seller()
    first = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    second = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])

    assert same_refusal("invalid code", await sandbox.exchange(app, first["code"]))
    assert 0 == (await sandbox.exchange(app, second["code"]))["code"]


async def test_renewing_one_shop_leaves_the_other_alone(sandbox: Sandbox) -> None:
    """A local seller consents shop by shop: two grants, two ends, two pairs."""
    app = await sandbox.app()
    seller = await sandbox.seller(shops=[{"name": "A", "orders": 1, "products": 1}, {"name": "B", "orders": 1}])
    one, two = (shop["id"] for shop in seller["shops"])
    a = await sandbox.connected(app, seller, shop=one, period="90d")
    b = await sandbox.connected(app, seller, shop=two, period="90d")
    await sandbox.steer("clock", advance="10d")
    renewed = await sandbox.connected(app, seller, shop=one, period="90d")
    ends = {grant["id"]: grant["ends_at_unix"] for grant in (await sandbox.ask("grants"))["items"]}

    assert a["grant_id"] == renewed["grant_id"] != b["grant_id"]
    assert {a["grant_id"]: START + 100 * DAY, b["grant_id"]: START + 90 * DAY} == ends
    assert 0 == (await sandbox.refresh(app, b["refresh_token"]))["code"]


async def test_a_cross_border_consent_covers_all_shops_with_one_pair(sandbox: Sandbox) -> None:
    """One grant, however the shop is named; user_type is a switch."""
    app = await sandbox.app()
    seller = next(each for each in (await sandbox.world())["sellers"] if each["kind"] == "cross_border")
    pair = await sandbox.connected(app, seller, shop=seller["shops"][1]["id"])
    await sandbox.steer("switches", cross_border_user_type="4")
    other = (await sandbox.refresh(app, pair["refresh_token"]))["data"]
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert [shop["id"] for shop in seller["shops"]] == [shop["id"] for shop in reply.json["data"]["shops"]]
    assert {"CROSS_BORDER"} == {shop["seller_type"] for shop in reply.json["data"]["shops"]}
    assert (0, 4) == (pair["user_type"], other["user_type"])
    assert 1 == len((await sandbox.ask("grants"))["items"])


@pytest.mark.parametrize(("position", "shared"), [("seller", True), ("grant", False)])
async def test_an_open_id_is_the_sellers_or_the_grants(sandbox: Sandbox, position: str, shared: bool) -> None:  # noqa: FBT001
    """The switch `open_id_per`; another app sees another open_id either way."""
    await sandbox.steer("switches", open_id_per=position)
    app, other = await sandbox.app(), await sandbox.app()
    seller = await sandbox.seller(shops=[{"name": "A", "orders": 1}, {"name": "B", "orders": 1}])
    a = await sandbox.connected(app, seller, shop=seller["shops"][0]["id"])
    b = await sandbox.connected(app, seller, shop=seller["shops"][1]["id"])
    c = await sandbox.connected(other, seller)

    assert shared == (a["open_id"] == b["open_id"])
    assert c["open_id"] not in {a["open_id"], b["open_id"]}


async def test_new_scopes_come_with_a_renewal_and_a_new_token(sandbox: Sandbox) -> None:
    """Enabling a scope is not enough: the token at hand lacks it until the seller renews and it is exchanged."""
    app, seller = await sandbox.app(scopes=["seller.authorization.info"]), await sandbox.seller()
    old = await sandbox.connected(app, seller)
    wider = ["seller.authorization.info", "seller.order.info"]
    app = await sandbox.app(key=app["key"], scopes=wider)
    refreshed = (await sandbox.refresh(app, old["refresh_token"]))["data"]
    renewed = await sandbox.connected(app, seller)

    assert ["seller.authorization.info"] == refreshed["granted_scopes"]
    assert wider == renewed["granted_scopes"]


async def test_the_link_can_keep_new_scopes_back(sandbox: Sandbox) -> None:
    """`new_scopes_by_link` at `kept_back`: only a renewal in Seller Center brings them, as one production case saw."""
    await sandbox.steer("switches", new_scopes_by_link="kept_back")
    app, seller = await sandbox.app(scopes=["seller.authorization.info"]), await sandbox.seller()
    old = await sandbox.connected(app, seller)
    app = await sandbox.app(key=app["key"], scopes=["seller.authorization.info", "seller.order.info"])
    by_link = await sandbox.connected(app, seller)
    await sandbox.steer(f"grants/{old['grant_id']}/renew")
    after = (await sandbox.refresh(app, by_link["refresh_token"]))["data"]

    assert ["seller.authorization.info"] == by_link["granted_scopes"]
    assert ["seller.authorization.info", "seller.order.info"] == after["granted_scopes"]


async def test_a_renewal_in_seller_center_shows_at_the_next_refresh(sandbox: Sandbox) -> None:
    """No code, no callback: the app learns the new end by refreshing."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, period="90d")
    await sandbox.steer("clock", advance="80d")
    renewed = await sandbox.steer(f"grants/{pair['grant_id']}/renew", period="30d")
    after = (await sandbox.refresh(app, pair["refresh_token"]))["data"]

    assert (None, None) == (renewed["code"], renewed["redirect_url"])
    assert START + 110 * DAY == after["refresh_token_expire_in"]


async def test_a_renewal_in_seller_center_can_call_the_app_back(sandbox: Sandbox) -> None:
    """`seller_center_renewal` at `calls_back`: a code, and no state."""
    await sandbox.steer("switches", seller_center_renewal="calls_back")
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller, state="first")
    renewed = await sandbox.steer(f"grants/{pair['grant_id']}/renew")

    assert f"{app['redirect_urls'][0]}?code={renewed['code']}" == renewed["redirect_url"]
    assert 0 == (await sandbox.exchange(app, renewed["code"]))["code"]


@pytest.mark.parametrize(
    ("switch", "position", "field", "there"),
    [("granted_scopes", "missing", "granted_scopes", False), ("granted_scopes", "listed", "granted_scopes", True)],
)
async def test_older_answers_lack_the_granted_scopes(
    sandbox: Sandbox,
    switch: str,
    position: str,
    field: str,
    there: bool,  # noqa: FBT001
) -> None:
    """A client must not fall over them."""
    await sandbox.steer("switches", **{switch: position})
    pair = await sandbox.connected(await sandbox.app(), await sandbox.seller())

    assert there == (field in pair)


async def test_token_errors_can_carry_null_data(sandbox: Sandbox) -> None:
    """`token_error_data` at `null`."""
    await sandbox.steer("switches", token_error_data="null")
    answer = await sandbox.refresh(await sandbox.app(), "ROW_junk")

    assert answer["data"] is None


async def test_a_token_of_one_world_is_unknown_after_a_reset(sandbox: Sandbox) -> None:
    """Another secret: nothing of the past verifies."""
    world = await sandbox.world()
    app, seller = world["apps"][0], world["sellers"][0]
    pair = await sandbox.connected(app, seller)
    await sandbox.steer("reset")

    assert same_refusal("unknown refresh token", await sandbox.refresh(app, pair["refresh_token"]))


async def test_a_restart_forgets_no_token(tmp_path: Path) -> None:
    """Pairs, codes, the clock and the switches survive the program's end."""
    async with running(tmp_path) as before:
        app, seller = await before.app(), await before.seller()
        pair = await before.connected(app, seller)
        code = (await before.steer("authorize", app=app["key"], seller=seller["email"]))["code"]
        await before.steer("switches", open_id_per="grant")
        await before.steer("clock", advance="20m")
        offset = (await before.ask("clock"))["offset_seconds"]
    async with running(tmp_path) as after:
        assert offset == (await after.ask("clock"))["offset_seconds"]
        assert 0 == (await after.refresh(app, pair["refresh_token"]))["code"]
        assert 0 == (await after.exchange(app, code))["code"]
        positions = {each["name"]: each["position"] for each in (await after.ask("switches"))["items"]}
        assert "grant" == positions["open_id_per"]
