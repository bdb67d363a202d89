"""The token host: codes, pairs, the four rotation modes, and what ends a pair (wire sheet section 2)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kit import DAY, START, Sandbox, running, sha256

VECTORS = {
    each["name"]: each
    for each in json.loads(
        (Path(__file__).resolve().parents[1] / "vectors" / "token_answers.json").read_text(encoding="utf-8")
    )
}
WEEK = 7 * DAY


def golden(name: str) -> Any:
    """An answer of the token host, as it was recorded."""
    return json.loads(VECTORS[name]["body"])


def same_refusal(name: str, answer: Any) -> bool:
    """Whether an answer is the recorded one, but for its request id."""
    wanted = golden(name)
    return {**wanted, "request_id": ""} == {**answer, "request_id": ""} and _is_request_id(answer["request_id"])


def _is_request_id(text: str) -> bool:
    return re.fullmatch(r"\d{14}[0-9A-F]{20}", text) is not None


# --- the first pair


async def test_a_code_becomes_a_pair_of_the_documented_shape(sandbox: Sandbox) -> None:
    """Field for field as recorded; both `expire_in` are absolute, the second is the end of the authorization."""
    app, seller = await sandbox.app(), await sandbox.seller(name="Example Shop Ltd", region="GB")
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"], period="365d")
    sandbox.wall.at += 600
    answer = await sandbox.exchange(app, given["code"])
    wanted = golden("a pair")

    assert list(wanted) == list(answer)
    assert list(wanted["data"]) == list(answer["data"])
    assert (0, "success") == (answer["code"], answer["message"])
    assert _is_request_id(answer["request_id"])
    data = answer["data"]
    assert START + 600 + WEEK == data["access_token_expire_in"]
    assert START + 365 * DAY == data["refresh_token_expire_in"]
    assert ("Example Shop Ltd", "GB", 0) == (data["seller_name"], data["seller_base_region"], data["user_type"])
    assert app["scopes"] == data["granted_scopes"]
    assert 54 == len(data["open_id"])
    for token in (data["access_token"], data["refresh_token"]):
        assert re.fullmatch(r"GCP_sbx[A-Za-z0-9_-]{100}", token)


@pytest.mark.parametrize(("region", "prefix"), [("US", "TTP"), ("DE", "GCP"), ("ID", "ROW"), ("JP", "ROW")])
async def test_tokens_carry_the_prefix_of_their_data_region(sandbox: Sandbox, region: str, prefix: str) -> None:
    """And then the sandbox's mark, by which production refuses them; codes and ciphers too."""
    app, seller = await sandbox.app(), await sandbox.seller(region=region)
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    pair = (await sandbox.exchange(app, given["code"]))["data"]

    marked = [given["code"], pair["access_token"], pair["refresh_token"], seller["shops"][0]["cipher"]]
    assert [f"{prefix}_sbx"] * 4 == [value[:7] for value in marked]


async def test_a_code_is_good_once(sandbox: Sandbox) -> None:
    """The second use gets the recorded refusal, with HTTP 200 and without data."""
    app, seller = await sandbox.app(), await sandbox.seller()
    code = (await sandbox.steer("authorize", app=app["key"], seller=seller["email"]))["code"]
    first = await sandbox.exchange(app, code)
    again = await sandbox.exchange(app, code)

    assert 0 == first["code"]
    assert same_refusal("invalid code", again)
    still = await sandbox.refresh(app, first["data"]["refresh_token"])
    assert 0 == still["code"]


async def test_a_code_used_twice_can_revoke_what_it_gave(sandbox: Sandbox) -> None:
    """With the switch `code_reuse` at `revokes`: the pair and all that came of it, ASVS 10.4.2."""
    await sandbox.steer("switches", code_reuse="revokes")
    app, seller = await sandbox.app(), await sandbox.seller()
    code = (await sandbox.steer("authorize", app=app["key"], seller=seller["email"]))["code"]
    pair = (await sandbox.exchange(app, code))["data"]
    pair = (await sandbox.refresh(app, pair["refresh_token"]))["data"]
    await sandbox.exchange(app, code)
    reply = await sandbox.signed(app, pair["access_token"], "GET", "/authorization/202309/shops")

    assert 105002 == reply.json["code"]
    assert same_refusal("unknown refresh token", await sandbox.refresh(app, pair["refresh_token"]))


@pytest.mark.parametrize(("age", "code"), [(1799, 0), (1800, 36004004)])
async def test_a_code_lives_thirty_minutes_of_platform_time(sandbox: Sandbox, age: int, code: int) -> None:
    """To the second."""
    app, seller = await sandbox.app(), await sandbox.seller()
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    await sandbox.steer("clock", advance=f"{age}s")

    assert code == (await sandbox.exchange(app, given["code"]))["code"]


async def test_a_code_is_bound_to_its_app(sandbox: Sandbox) -> None:
    """Another app's try is refused and does not use it up."""
    mine, other, seller = await sandbox.app(), await sandbox.app(), await sandbox.seller()
    given = await sandbox.steer("authorize", app=mine["key"], seller=seller["email"])

    assert same_refusal("invalid code", await sandbox.exchange(other, given["code"]))
    assert 0 == (await sandbox.exchange(mine, given["code"]))["code"]


async def test_a_code_of_a_cancelled_authorization_gives_nothing(sandbox: Sandbox) -> None:
    """Cancelled between consent and exchange."""
    app, seller = await sandbox.app(), await sandbox.seller()
    given = await sandbox.steer("authorize", app=app["key"], seller=seller["email"])
    await sandbox.steer(f"grants/{given['grant_id']}/cancel")

    assert same_refusal("invalid code", await sandbox.exchange(app, given["code"]))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/v2/token/get", "/api/v2/token/refresh"])
async def test_the_token_host_knows_get_only(sandbox: Sandbox, method: str, path: str) -> None:
    """A POST "for safety" is a 404 in plain text, which hid in mocked tests for weeks."""
    reply = await sandbox.client.call(method, path, body=b"{}", headers={"content-type": "application/json"})

    assert (404, "404 page not found") == (reply.status, reply.text)
    assert VECTORS["POST instead of GET"]["body"] == reply.text
    assert (reply.header("content-type") or "").startswith("text/plain")


@pytest.mark.parametrize(
    ("changes", "keyword"),
    [
        ({"app_key": "nobody"}, "app_key"),
        ({"app_secret": "wrong"}, "app_secret"),
        ({"grant_type": "authorization_code"}, "authorized_code"),
        ({"auth_code": ""}, "auth_code"),
        ({"app_key": ""}, "app_key"),
    ],
)
async def test_a_malformed_exchange_is_refused_and_costs_nothing(
    sandbox: Sandbox, changes: dict[str, str], keyword: str
) -> None:
    """HTTP 200 with 36009004 and a sentence that names the parameter; the code stays good."""
    app, seller = await sandbox.app(), await sandbox.seller()
    code = (await sandbox.steer("authorize", app=app["key"], seller=seller["email"]))["code"]
    right = {
        "app_key": app["key"],
        "app_secret": app["secret"],
        "auth_code": code,
        "grant_type": "authorized_code",
    }
    refused = await sandbox.client.get("/api/v2/token/get", **{**right, **changes})

    assert (200, 36009004) == (refused.status, refused.json["code"])
    assert keyword in refused.json["message"]
    assert 0 == (await sandbox.client.get("/api/v2/token/get", **right)).json["code"]


# --- refresh


async def test_a_refresh_gives_another_pair_and_does_not_move_the_end(sandbox: Sandbox) -> None:
    """The access token is new for seven days; the refresh token ends when the authorization ends."""
    app, seller = await sandbox.app(), await sandbox.seller()
    first = await sandbox.connected(app, seller, period="90d")
    await sandbox.steer("clock", advance="8d")
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]

    assert first["access_token"] != second["access_token"]
    assert first["refresh_token"] != second["refresh_token"]
    assert sandbox.now + WEEK == second["access_token_expire_in"]
    assert first["refresh_token_expire_in"] == second["refresh_token_expire_in"]
    assert first["open_id"] == second["open_id"]


async def in_mode(sandbox: Sandbox, mode: str, **more: Any) -> tuple[Any, Any]:
    """An app in a rotation mode, and its first pair."""
    app, seller = await sandbox.app(), await sandbox.seller()
    app = await sandbox.steer(f"apps/{app['key']}/rotation", mode=mode, **more)
    return app, await sandbox.connected(app, seller)


async def test_stable_the_refresh_token_stays_and_any_use_works(sandbox: Sandbox) -> None:
    """Each use gives another access token."""
    app, first = await in_mode(sandbox, "stable")
    answers = [(await sandbox.refresh(app, first["refresh_token"]))["data"] for _ in range(3)]

    assert {first["refresh_token"]} == {each["refresh_token"] for each in answers}
    assert 3 == len({each["access_token"] for each in answers})


async def test_retry_safe_the_same_pair_comes_again_for_a_while(sandbox: Sandbox) -> None:
    """Within the grace; not after it."""
    app, first = await in_mode(sandbox, "retry_safe", grace_seconds=60)
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    sandbox.wall.at += 60
    again = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    sandbox.wall.at += 1
    late = await sandbox.refresh(app, first["refresh_token"])

    assert second == again
    assert same_refusal("unknown refresh token", late)


async def test_retry_safe_a_pair_that_was_used_cannot_have_been_lost(sandbox: Sandbox) -> None:
    """Once the successor was used, the token before it is refused."""
    app, first = await in_mode(sandbox, "retry_safe")
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    third = await sandbox.refresh(app, second["refresh_token"])

    assert 0 == third["code"]
    assert same_refusal("unknown refresh token", await sandbox.refresh(app, first["refresh_token"]))


async def test_strict_a_second_use_is_refused_and_nothing_else_happens(sandbox: Sandbox) -> None:
    """The pair it gave goes on living."""
    app, first = await in_mode(sandbox, "strict")
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    again = await sandbox.refresh(app, first["refresh_token"])

    assert same_refusal("unknown refresh token", again)
    assert 0 == (await sandbox.refresh(app, second["refresh_token"]))["code"]


async def test_family_a_second_use_revokes_the_whole_grant(sandbox: Sandbox) -> None:
    """The valid access token dies with it, and the grant says why."""
    app, first = await in_mode(sandbox, "family")
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    again = await sandbox.refresh(app, first["refresh_token"])
    reply = await sandbox.signed(app, second["access_token"], "GET", "/authorization/202309/shops")
    grant = await sandbox.ask(f"grants/{first['grant_id']}")

    assert same_refusal("unknown refresh token", again)
    assert same_refusal("unknown refresh token", await sandbox.refresh(app, second["refresh_token"]))
    assert 105001 == reply.json["code"]
    assert ("deactivated", "refresh_reuse") == (grant["status"], grant["ended_by"])


@pytest.mark.parametrize("mode", ["stable", "retry_safe", "strict", "family"])
@pytest.mark.parametrize(("old", "code"), [("lives", 0), ("dies", 105002)])
async def test_the_old_access_token_lives_or_dies_in_every_mode(
    sandbox: Sandbox, mode: str, old: str, code: int
) -> None:
    """The switch of its own, crossed with the four."""
    app, first = await in_mode(sandbox, mode, old_access_token=old)
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    before = await sandbox.signed(app, first["access_token"], "GET", "/authorization/202309/shops")
    after = await sandbox.signed(app, second["access_token"], "GET", "/authorization/202309/shops")

    assert code == before.json["code"]
    assert 0 == after.json["code"]


@pytest.mark.parametrize("mode", ["stable", "retry_safe", "strict", "family"])
async def test_the_grants_list_names_the_hash_of_the_newest_pair(sandbox: Sandbox, mode: str) -> None:
    """What an app should be holding, without telling it."""
    app, first = await in_mode(sandbox, mode)
    second = (await sandbox.refresh(app, first["refresh_token"]))["data"]
    grant = (await sandbox.ask("grants", app=app["key"]))["items"][0]

    assert sha256(second["refresh_token"]) == grant["refresh_token_sha256"]
    assert sha256(second["access_token"]) == grant["access_token_sha256"]


async def test_a_refresh_token_is_bound_to_its_app(sandbox: Sandbox) -> None:
    """Another app's try is refused, and does not use it up."""
    mine, other, seller = await sandbox.app(), await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(mine, seller)

    assert same_refusal("unknown refresh token", await sandbox.refresh(other, pair["refresh_token"]))
    assert 0 == (await sandbox.refresh(mine, pair["refresh_token"]))["code"]


async def test_junk_and_an_access_token_are_no_refresh_tokens(sandbox: Sandbox) -> None:
    """Both get the recorded refusal."""
    app, seller = await sandbox.app(), await sandbox.seller()
    pair = await sandbox.connected(app, seller)

    for value in ("ROW_junk", pair["access_token"], pair["refresh_token"] + "A", pair["refresh_token"].lower()):
        assert same_refusal("unknown refresh token", await sandbox.refresh(app, value))


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
