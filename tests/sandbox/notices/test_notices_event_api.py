"""The Event API: an address for every shop and topic, and what it does to notices (wire sheet 4.6)."""

import json
from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import DAY, START, Reply, Sandbox
from tests.sandbox.receiving import Receiver, receiving

PATH = "/event/202309/webhooks"
ADDRESS = "https://hooks.example.test/tts"
Connected = tuple[Any, str, str]


async def connected(sandbox: Sandbox, **app: Any) -> Connected:
    """An app, the access token of a small shop, and the shop's cipher."""
    made = await sandbox.app(**app)
    seller = await sandbox.seller()
    pair = await sandbox.connected(made, seller, period="90d")
    return made, pair["access_token"], seller["shops"][0]["cipher"]


async def ask(sandbox: Sandbox, caller: Connected, method: str, body: Any = None, **signed: Any) -> Reply:
    """A signed call of the Event API."""
    app, token, cipher = caller
    raw = b"" if body is None else json.dumps(body).encode()
    query = {"shop_cipher": cipher} | signed.pop("query", {})
    return await sandbox.signed(app, token, method, PATH, query=query, body=raw, **signed)


async def put(sandbox: Sandbox, caller: Connected, topic: str, address: str) -> None:
    """Set an address; it must succeed."""
    reply = await ask(sandbox, caller, "PUT", {"event_type": topic, "address": address})
    assert (200, 0, {}) == (reply.status, reply.json["code"], reply.json["data"]), reply.text


async def listed(sandbox: Sandbox, caller: Connected) -> Any:
    """What is set."""
    reply = await ask(sandbox, caller, "GET")
    assert 0 == reply.json["code"], reply.text
    return reply.json["data"]


async def shop_of(sandbox: Sandbox, cipher: str) -> str:
    """The id behind a cipher."""
    world = await sandbox.world()
    return next(str(shop["id"]) for seller in world["sellers"] for shop in seller["shops"] if shop["cipher"] == cipher)


async def test_an_address_is_set_replaced_and_taken_away(sandbox: Sandbox) -> None:
    """Times in Unix seconds: the first stays, the second moves; deleting succeeds even if nothing was set."""
    caller = await connected(sandbox)
    nothing = await listed(sandbox, caller)
    await put(sandbox, caller, "SELLER_DEAUTHORIZATION", ADDRESS)
    await put(sandbox, caller, "ORDER_STATUS_CHANGE", ADDRESS)
    first = await listed(sandbox, caller)
    await sandbox.steer("clock", advance="1h")
    await put(sandbox, caller, "SELLER_DEAUTHORIZATION", f"{ADDRESS}/other")
    second = await listed(sandbox, caller)
    gone = [await ask(sandbox, caller, "DELETE", {"event_type": "SELLER_DEAUTHORIZATION"}) for _ in range(2)]

    assert {"webhooks": [], "total_count": 0} == nothing
    assert 2 == first["total_count"]
    assert {
        "event_type": "SELLER_DEAUTHORIZATION",
        "address": ADDRESS,
        "create_time": START,
        "update_time": START,
    } in first["webhooks"]
    assert {
        "event_type": "SELLER_DEAUTHORIZATION",
        "address": f"{ADDRESS}/other",
        "create_time": START,
        "update_time": START + 3600,
    } in second["webhooks"]
    assert [(200, 0, {})] * 2 == [(each.status, each.json["code"], each.json["data"]) for each in gone]
    assert ["ORDER_STATUS_CHANGE"] == [each["event_type"] for each in (await listed(sandbox, caller))["webhooks"]]


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("PUT", {"event_type": "ORDER_STATUS_CHANGE"}, "body.address is missing"),
        ("PUT", {"event_type": "ORDER_STATUS_CHANGE", "address": ""}, "body.address is missing"),
        ("PUT", {"address": ADDRESS}, "body.event_type is missing"),
        ("PUT", {"event_type": "MOON_PHASE_CHANGE", "address": ADDRESS}, "body.event_type is invalid"),
        ("PUT", {"event_type": "size chart change", "address": ADDRESS}, "body.event_type is invalid"),
        ("PUT", {"event_type": "6", "address": ADDRESS}, "body.event_type is invalid"),
        ("PUT", {"event_type": 6, "address": ADDRESS}, "body.event_type is invalid"),
        (
            "PUT",
            {"event_type": "ORDER_STATUS_CHANGE", "address": "http://hooks.example.test"},
            "body.address is invalid",
        ),
        (
            "PUT",
            {"event_type": "ORDER_STATUS_CHANGE", "address": "https://hooks.example.test:444"},
            "body.address is in",
        ),
        ("PUT", {"event_type": "ORDER_STATUS_CHANGE", "address": "https://192.0.2.7/tts"}, "body.address is invalid"),
        ("PUT", {"event_type": "ORDER_STATUS_CHANGE", "address": "ftp://localhost/tts"}, "body.address is invalid"),
        ("PUT", {"event_type": "ORDER_STATUS_CHANGE", "address": f"{ADDRESS}/{'x' * 226}"}, "body.address is invalid"),
        ("DELETE", {}, "body.event_type is missing"),
        ("DELETE", None, "body.event_type is missing"),
        ("DELETE", {"event_type": "MOON_PHASE_CHANGE"}, "body.event_type is invalid"),
    ],
)
async def test_what_cannot_be_set_is_named(sandbox: Sandbox, method: str, body: Any, field: str) -> None:
    """36009004 with the field in its sentence, and nothing is kept."""
    caller = await connected(sandbox)
    reply = await ask(sandbox, caller, method, body)

    assert 36009004 == reply.json["code"]
    assert f"param {field}" in reply.json["message"]
    assert 400 == reply.status
    assert 0 == (await listed(sandbox, caller))["total_count"]


async def test_an_address_of_255_characters_is_kept_and_loopback_may_be_plain(sandbox: Sandbox) -> None:
    """The longest there may be; and nothing but loopback could be reached from a test."""
    caller = await connected(sandbox)
    longest = f"{ADDRESS}/{'x' * 224}"
    assert 255 == len(longest)
    await put(sandbox, caller, "ORDER_STATUS_CHANGE", longest)
    await put(sandbox, caller, "PACKAGE_UPDATE", "http://127.0.0.1:8080/hooks")

    assert 2 == (await listed(sandbox, caller))["total_count"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_the_body_is_signed(sandbox: Sandbox, method: str) -> None:
    """Signed without its body, as some clients do with DELETE, it is 106001."""
    app, token, cipher = caller = await connected(sandbox)
    body = {"event_type": "ORDER_STATUS_CHANGE", "address": ADDRESS}
    good = await ask(sandbox, caller, method, body)
    query = {"app_key": app["key"], "timestamp": str(sandbox.now), "shop_cipher": cipher}
    query["sign"] = signing.sign_request(secret=app["secret"], path=PATH, query=query, body=b"")
    lines = {"content-type": "application/json", "x-tts-access-token": token}
    bare = await sandbox.client.call(method, PATH, query=query, headers=lines)
    unsigned = await sandbox.client.call(method, PATH, query=query, body=json.dumps(body).encode(), headers=lines)

    assert (0, 36009004, 106001) == tuple(each.json["code"] for each in (good, bare, unsigned))


async def test_the_gate_is_that_of_every_endpoint(sandbox: Sandbox) -> None:
    """Scope, shop_cipher, method, and the token's own shop."""
    app, token, _ = caller = await connected(sandbox)
    other = await connected(sandbox)
    poor = await connected(sandbox, scopes=["seller.order.info"])
    without = await sandbox.signed(app, token, "GET", PATH)
    strange = await ask(sandbox, (app, token, other[2]), "GET")
    scoped = await ask(sandbox, poor, "GET")
    posted = await ask(sandbox, caller, "POST", {})
    await put(sandbox, caller, "ORDER_STATUS_CHANGE", ADDRESS)

    assert [106013, 101000, 105005, 36009010] == [each.json["code"] for each in (without, strange, scoped, posted)]
    assert 0 == (await listed(sandbox, other))["total_count"]


async def test_two_apps_set_their_own_addresses_for_one_shop(sandbox: Sandbox) -> None:
    """Neither sees the other's."""
    seller = await sandbox.seller()
    callers = []
    for _ in range(2):
        app = await sandbox.app()
        pair = await sandbox.connected(app, seller)
        callers.append((app, pair["access_token"], seller["shops"][0]["cipher"]))
    await put(sandbox, callers[0], "ORDER_STATUS_CHANGE", ADDRESS)

    assert [1, 0] == [(await listed(sandbox, each))["total_count"] for each in callers]


# --- what it does to notices


@pytest.mark.parametrize(("position", "at_shop", "wide"), [("replaces", [1], []), ("adds", [1], [1])])
async def test_whether_the_shops_address_replaces_the_app_wide_one_is_a_switch(
    sandbox: Sandbox, receiver: Receiver, position: str, at_shop: list[int], wide: list[int]
) -> None:
    """`shop_webhook`; when it adds, both get the same bytes under the same id. Other topics are not touched by it."""
    async with receiving() as own:
        await sandbox.steer("switches", shop_webhook=position)
        caller = await connected(sandbox, webhook_url=receiver.url)
        await put(sandbox, caller, "ORDER_STATUS_CHANGE", own.url)
        shop = await shop_of(sandbox, caller[2])
        made = await sandbox.steer("orders", shop=shop, count=1)
        await sandbox.steer("clock", advance="61d")

        assert (at_shop, [*wide, 7, 7]) == (own.types(), receiver.types())
        assert len(at_shop) + len(wide) == made["notices"]
        if wide:
            assert own.deliveries[0].body == receiver.deliveries[0].body
            assert own.deliveries[0].signature == receiver.deliveries[0].signature


async def test_only_the_shop_it_was_set_for_goes_there(sandbox: Sandbox, receiver: Receiver) -> None:
    """The other shops of the same app go to the app-wide URL."""
    async with receiving() as own:
        caller = await connected(sandbox, webhook_url=receiver.url)
        seller = await sandbox.seller()
        await sandbox.connected(caller[0], seller)
        await put(sandbox, caller, "ORDER_STATUS_CHANGE", own.url)
        await sandbox.steer("orders", shop=seller["shops"][0]["id"], count=1)
        await receiver.wait_for(1)
        await sandbox.steer("orders", shop=await shop_of(sandbox, caller[2]), count=1)
        await own.wait_for(1)

        assert seller["shops"][0]["id"] == receiver.deliveries[0].json["shop_id"]
        assert 1 == len(receiver.deliveries)


async def test_an_app_without_an_app_wide_url_hears_by_the_event_api_alone(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """Warnings from the moment it listens on, then the cancellation; nothing after the address is gone."""
    app, token, cipher = caller = await connected(sandbox)
    await put(sandbox, caller, "UPCOMING_AUTHORIZATION_EXPIRATION", receiver.url)
    await sandbox.steer("clock", advance="61d")
    warned = receiver.types()
    grant = (await sandbox.ask("grants", app=app["key"]))["items"][0]["id"]
    await sandbox.steer("clock", advance="1h")
    fresh = (await sandbox.steer("authorize", app=app["key"], seller=await email_of(sandbox, cipher), period="90d"))[
        "code"
    ]
    token = (await sandbox.exchange(app, fresh))["data"]["access_token"]
    caller = (app, token, cipher)
    await put(sandbox, caller, "SELLER_DEAUTHORIZATION", receiver.url)
    await ask(sandbox, caller, "DELETE", {"event_type": "UPCOMING_AUTHORIZATION_EXPIRATION"})
    await sandbox.steer("clock", advance="62d")
    silent = receiver.types()
    await sandbox.steer(f"grants/{grant}/cancel")
    await receiver.wait_for(len(silent) + 1)

    assert [7, 7] == warned == silent
    assert [7, 7, 6] == receiver.types()
    assert START + 60 * DAY == receiver.deliveries[0].json["timestamp"]


async def email_of(sandbox: Sandbox, cipher: str) -> str:
    """Whose shop it is."""
    world = await sandbox.world()
    return next(
        str(seller["email"]) for seller in world["sellers"] if cipher in {shop["cipher"] for shop in seller["shops"]}
    )


async def test_an_address_outlives_the_authorization(sandbox: Sandbox, receiver: Receiver) -> None:
    """Notice 6 still reaches it, and after a new consent it is still set."""
    app, _, cipher = caller = await connected(sandbox)
    await put(sandbox, caller, "SELLER_DEAUTHORIZATION", receiver.url)
    grant = (await sandbox.ask("grants", app=app["key"]))["items"][0]["id"]
    await sandbox.steer(f"grants/{grant}/cancel")
    await receiver.wait_for(1)
    code = (await sandbox.steer("authorize", app=app["key"], seller=await email_of(sandbox, cipher)))["code"]
    token = (await sandbox.exchange(app, code))["data"]["access_token"]

    assert [6] == receiver.types()
    assert 1 == (await listed(sandbox, (app, token, cipher)))["total_count"]


@pytest.mark.parametrize(("topics", "types"), [([1], [1]), ([6, 7], []), ([], []), ([1, 11], [1])])
async def test_the_app_wide_url_hears_of_its_topics_only(
    sandbox: Sandbox, receiver: Receiver, topics: list[int], types: list[int]
) -> None:
    """What Partner Center has switched on; a cancellation afterwards proves that the topic 6 was off."""
    caller = await connected(sandbox, webhook_url=receiver.url, topics=topics)
    await sandbox.steer("orders", shop=await shop_of(sandbox, caller[2]), count=1)
    await sandbox.steer("clock", advance="61d")
    seen = [kind for kind in receiver.types() if kind != 7]

    assert types == seen
    assert (7 in receiver.types()) == (7 in topics)


async def test_an_unknown_topic_is_no_topic(sandbox: Sandbox) -> None:
    """Steering names those there are."""
    reply = await sandbox.client.post("/_sandbox/apps", topics=[1, 9])

    assert (400, "invalid_app") == (reply.status, reply.json["error"]["code"])
    assert "unknown topics 9" in reply.json["error"]["message"].lower()
