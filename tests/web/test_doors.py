"""The API's doors: who may come in, and that every no has a status, a stable code and a sentence."""

import httpx2
import pytest

from evergrant.assembly import provisioning
from evergrant.core.secret import Secret
from tests.hub_fixture import ORIGIN, PASSWORD, Hub

APP = {"key": "6sbxkey0001", "secret": "sbx_secret_4f2a9c", "service_id": "7000000000000000001"}


def code_of(answer: httpx2.Response) -> str:
    """The stable code of a refusal, which carries a sentence and a request id beside it."""
    error = answer.json()["error"]
    assert error["message"]
    assert answer.headers["x-request-id"] == error["request_id"]
    assert answer.headers["x-error-code"] == error["code"]
    return str(error["code"])


@pytest.mark.parametrize("path", ["/v1/connections", "/v1/connections/con_x/token", "/v1/apps", "/v1/events"])
async def test_without_a_key_nobody_comes_in(hub: Hub, path: str) -> None:
    """No key, a key of another kind, one nobody was given: 401, each with its code."""
    anonymous = hub.new_browser()

    assert (401, "api_key_missing") == ((got := await anonymous.get(path)).status_code, code_of(got))
    for shown, code in (
        ("Basic abc", "api_key_missing"),
        ("Bearer sk_1", "api_key_unknown"),
        ("Bearer eg_no", "api_key_unknown"),
    ):
        got = await anonymous.get(path, headers={"authorization": shown})
        assert (401, code) == (got.status_code, code_of(got))
        assert got.headers["www-authenticate"].startswith("Bearer")


async def test_a_key_does_only_what_its_scopes_say(hub: Hub) -> None:
    """A key for reading neither lends tokens nor changes anything; one for tokens does not read."""
    reads = (await provisioning.add_key(hub.parts, hub.tenant_id, name="r", scopes=["read"])).reveal()
    tokens = (await provisioning.add_key(hub.parts, hub.tenant_id, name="t", scopes=["tokens"])).reveal()

    async def status(key: str, method: str, path: str) -> tuple[int, str]:
        got = await hub.new_browser().request(method, path, headers={"authorization": f"Bearer {key}"}, json={})
        return got.status_code, "" if got.is_success else code_of(got)

    assert (200, "") == await status(reads, "GET", "/v1/connections")
    assert (403, "api_key_scope_missing") == await status(reads, "GET", "/v1/connections/con_x/token")
    assert (403, "api_key_scope_missing") == await status(reads, "POST", "/v1/merchants")
    assert (403, "api_key_scope_missing") == await status(tokens, "GET", "/v1/connections")
    assert (404, "not_found") == await status(tokens, "GET", "/v1/connections/con_x/token")


async def test_an_app_is_kept_and_its_secret_never_shown(hub: Hub) -> None:
    """The answer and the list hold everything but the secret, and the addresses to enter in Partner Center."""
    made = await hub.api.post("/v1/apps", json=APP)
    listed = await hub.api.get("/v1/apps")

    assert made.status_code == 201
    assert f"{ORIGIN}/cb/tiktok-shop/{made.json()['id']}" == made.json()["redirect_url"]
    assert f"{ORIGIN}/hooks/tiktok-shop/{made.json()['id']}" == made.json()["webhook_url"]
    assert [made.json()["id"]] == [app["id"] for app in listed.json()["items"]]
    assert APP["secret"] not in made.text + listed.text
    assert made.json()["base_urls"]["auth"] == "https://auth.tiktok-shops.com"


async def test_an_app_is_kept_once_and_from_no_other_tenant(hub: Hub) -> None:
    """Kept twice, two connections could end each other's tokens: 409. Another tenant is neither kept out nor told of it."""
    other = await provisioning.add_tenant(
        hub.parts, name="Other", email="o@other.example", person="O", password=Secret(PASSWORD)
    )
    foreign = {"authorization": f"Bearer {other.api_key.reveal()}"}
    made = await hub.api.post("/v1/apps", json=APP)
    again = await hub.api.post("/v1/apps", json=APP | {"secret": "another", "name": "Another"})
    elsewhere = await hub.api.post("/v1/apps", json=APP | {"region": "US"})
    theirs = [await hub.new_browser().post("/v1/apps", json=APP, headers=foreign) for _ in range(2)]

    assert [201, 409, 201] == [got.status_code for got in (made, again, elsewhere)]
    assert "conflict" == code_of(again)
    assert "among your apps" in again.json()["error"]["message"]
    assert [201, 409] == [got.status_code for got in theirs]
    assert 2 == len((await hub.api.get("/v1/apps")).json()["items"])
    listed = (await hub.new_browser().get("/v1/apps", headers=foreign)).json()["items"]
    assert [theirs[0].json()["id"]] == [app["id"] for app in listed]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"provider": "tiktok-shoo"}, "tiktok-shop"),
        ({"region": "EU"}, "ROW"),
        ({"base_urls": {"sandbox": "http://10.0.0.1:8090"}}, "EVERGRANT_SANDBOX_URLS"),
        ({"base_urls": {"auth": "https://evil.example"}}, "evil.example"),
        ({"key": ""}, "key"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_an_app_that_cannot_be_is_refused_with_what_to_do(hub: Hub, change: dict[str, object], said: str) -> None:
    """422 with the field or the choice named; nothing is kept."""
    got = await hub.api.post("/v1/apps", json=APP | change)

    assert (422, "invalid_request") == (got.status_code, code_of(got))
    assert said in got.json()["error"]["message"]
    assert [] == (await hub.api.get("/v1/apps")).json()["items"]


async def test_a_refusal_never_repeats_what_was_sent(hub: Hub) -> None:
    """A secret in the wrong field must not come back in the message."""
    got = await hub.api.post("/v1/apps", json=APP | {"secret": {"oops": "CNRY-secret"}})

    assert got.status_code == 422
    assert "CNRY" not in got.text


async def test_rubbish_is_answered_clearly(hub: Hub) -> None:
    """No JSON, the wrong method, no such path, a cursor that is none: never a 5xx."""
    broken = await hub.api.post("/v1/apps", content=b"{", headers={"content-type": "application/json"})
    method = await hub.api.delete("/v1/apps")
    nowhere = await hub.api.get("/v1/nowhere")
    cursor = await hub.api.get("/v1/events", params={"cursor": "abc"})

    assert (422, "invalid_request") == (broken.status_code, code_of(broken))
    assert (405, "method_not_allowed") == (method.status_code, code_of(method))
    assert (404, "not_found") == (nowhere.status_code, code_of(nowhere))
    assert (422, "invalid_request") == (cursor.status_code, code_of(cursor))


async def test_merchants_are_listed_page_by_page(hub: Hub) -> None:
    """A cursor leads on; the last page has none; an external id is used once."""
    for number in range(5):
        made = await hub.api.post("/v1/merchants", json={"external_id": f"m{number}", "name": f"Shop {number}"})
        assert made.status_code == 201
    first = (await hub.api.get("/v1/merchants", params={"limit": 3})).json()
    second = (await hub.api.get("/v1/merchants", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    again = await hub.api.post("/v1/merchants", json={"external_id": "m0", "name": "Again"})

    assert {f"m{number}" for number in range(5)} == {item["external_id"] for item in first["items"] + second["items"]}
    assert second["next_cursor"] is None
    assert (409, "conflict") == (again.status_code, code_of(again))


async def test_the_house_says_whether_it_stands(hub: Hub) -> None:
    """Alive, ready, and with figures for Prometheus."""
    anonymous = hub.new_browser()

    assert [200, 200, 200] == [(await anonymous.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")]


async def test_every_answer_carries_the_security_headers(hub: Hub) -> None:
    """Pages, JSON, errors and static files alike."""
    for path in ("/login", "/v1/apps", "/nowhere", "/static/evergrant.css", "/healthz"):
        got = await hub.browser.get(path)
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert "unsafe" not in got.headers["content-security-policy"]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["referrer-policy"] == "no-referrer"


async def test_the_reference_names_every_route_the_hot_ones_included(hub: Hub) -> None:
    """`/openapi.json` for machines, `/docs` for people: the same routes, and the one envelope of refusals."""
    document = (await hub.browser.get("/openapi.json")).json()
    page = await hub.browser.get("/docs")
    routes = {(method.upper(), path) for path, found in document["paths"].items() for method in found}

    assert ("GET", "/v1/connections/{connection_id}/token") in routes
    assert all(path in page.text for _, path in routes)
    refusals = document["paths"]["/v1/apps"]["post"]["responses"]["4XX"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/Error"} == refusals
    assert {"code", "message", "request_id"} == set(
        document["components"]["schemas"]["Error"]["properties"]["error"]["required"]
    )
