"""The token host: codes, pairs and the four rotation modes (wire sheet section 2)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.kit import DAY, START, Sandbox, sha256

VECTORS = {
    each["name"]: each
    for each in json.loads(
        (Path(__file__).resolve().parents[2] / "vectors" / "token_answers.json").read_text(encoding="utf-8")
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
