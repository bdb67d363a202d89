"""Clients that others have published, and nobody here wrote, against the real program: from the link to the last notice.

Each runs in a process of its own and is not changed. How it finds the sandbox is set from outside, as a vendor would.
"""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from tests.clients.stage import HERE, Dialogue, Platform, RefusedError, consent, speaking
from tests.sandbox.kit import sha256
from tests.sandbox.program import free_port, started
from tests.sandbox.receiving import Delivery, Receiver, receiving

pytestmark = pytest.mark.processes

OWNER = "amelia@thamesandclay.example"
CALLBACK = "http://127.0.0.1:9/callback"
SHOP = "Thames & Clay"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A sandbox with a base address, its real names, and the proxy that leads to them."""
    hosts, proxy = free_port(), free_port()
    options = ("--hosts-address", f"127.0.0.1:{hosts}", "--hosts-proxy", f"127.0.0.1:{proxy}")
    with started(tmp_path_factory.mktemp("clients"), *options) as program:
        yield Platform(program=program, hosts=hosts, proxy=proxy)


def client_of(way: str, platform: Platform, app: Any) -> AbstractContextManager[Dialogue]:
    """A published client, led to the sandbox in one of the ways there are."""
    proxy = f"http://127.0.0.1:{platform.proxy}"
    match way:
        case "tiktok-shop-api 0.1.0, base URL":
            return speaking("tiktok_shop_api_client.py", app, BASE_URL=platform.program.base)
        case "tiktok-shop-api 0.1.0, real names":
            by_name = {"HTTPS_PROXY": proxy, "SSL_CERT_FILE": platform.authority}
            return speaking("tiktok_shop_api_client.py", app, **by_name)
        case "tiktokshops-api-client 1.1.0, real names":
            by_name = {"HTTPS_PROXY": proxy, "NODE_EXTRA_CA_CERTS": platform.authority}
            return speaking("tiktokshops_api_client.cjs", app, **by_name)
        case "tiktok-shop 2.0.0, real names":
            by_name = {"HTTPS_PROXY": proxy, "NODE_EXTRA_CA_CERTS": platform.authority}
            return speaking("tiktok_shop.cjs", app, **by_name)
    assert way == "tiktok-shop-sdk 1.0.3, real names"
    by_name = {"CONNECT_TO": f"127.0.0.1:{platform.hosts}", "NODE_EXTRA_CA_CERTS": platform.authority}
    return speaking("tiktok_shop_sdk.cjs", app, "--require", str(HERE / "connect_to.cjs"), **by_name)


PYTHON = ("tiktok-shop-api 0.1.0, base URL", "tiktok-shop-api 0.1.0, real names")
JAVASCRIPT = (
    "tiktokshops-api-client 1.1.0, real names",
    "tiktok-shop-sdk 1.0.3, real names",
    "tiktok-shop 2.0.0, real names",
)
EVERYONE = (*PYTHON, *JAVASCRIPT)
BUILDS_LINKS = (*PYTHON, JAVASCRIPT[0])
CHECKS_NOTICES = (*PYTHON, JAVASCRIPT[2])


def new_app(platform: Platform, **given: Any) -> Any:
    """An app for one test, published, and to be called back at an address nobody has to answer at."""
    return platform.program.steer("apps", redirect_urls=[CALLBACK], name="A vendor's app", **given)


async def code_for(client: Dialogue, way: str, platform: Platform, app: Any) -> str:
    """The code of a seller's yes: by the client's own link where it makes one, else by the documented form of it."""
    link = f"https://services.tiktokshop.com/open/authorize?service_id={app['service_id']}&state=st-42"
    if way in BUILDS_LINKS:
        assert link == client.ask("link", state="st-42")
    back = await consent(platform, link, email=OWNER)
    assert "st-42" == back["state"]
    return back["code"]


@pytest.mark.parametrize("way", EVERYONE)
async def test_it_goes_from_the_link_to_the_last_product(platform: Platform, way: str) -> None:
    """Link, exchange, refresh, shops, every page of orders, and products; the platform's log tells of no refusal."""
    app = new_app(platform)
    known = next(shop for shop in platform.program.ask("world")["sellers"][0]["shops"] if shop["name"] == SHOP)
    before = platform.program.ask("log")["last"]
    with client_of(way, platform, app) as client:
        first = client.ask("exchange", code=await code_for(client, way, platform, app))
        pair = client.ask("refresh", token=first["refresh_token"])
        token = pair["access_token"]
        shops = client.ask("shops", token=token)
        cipher = shops[0]["cipher"]
        given = client.ask("orders", token=token, cipher=cipher)
        orders = given["orders"]
        while page := given.get("next_page_token"):
            given = client.ask("orders", token=token, cipher=cipher, page=page)
            orders += given["orders"]
        products = client.ask("products", token=token, cipher=cipher)
    calls = [line for line in log_after(platform, before) if line["kind"] in {"token", "api"}]

    assert first["open_id"] == pair["open_id"]
    assert first["refresh_token"] != pair["refresh_token"]
    assert (SHOP, known["cipher"]) == (shops[0]["name"], cipher)
    assert known["orders"] == len({order["id"] for order in orders}) == given["total_count"]
    assert known["products"] == len(products["products"]) == products["total_count"]
    assert {(200, 0)} == {(line["status"], line["code"]) for line in calls}
    assert sha256(token) == calls[1]["gave_access_sha256"] == calls[-1]["token_sha256"]
    assert [2, len(calls) - 2] == [sum(line["kind"] == kind for line in calls) for kind in ("token", "api")]


def connected(way: str, platform: Platform) -> tuple[str, str, AbstractContextManager[Dialogue]]:
    """A token and the cipher of a shop, and the client they are for."""
    app = new_app(platform)
    code = platform.program.steer("authorize", app=app["key"], seller=OWNER, shop=SHOP)["code"]
    token = json.loads(platform.program.exchange(app, code)[1])["data"]["access_token"]
    shops = platform.program.ask("world")["sellers"][0]["shops"]
    cipher = next(shop["cipher"] for shop in shops if shop["name"] == SHOP)
    return token, cipher, client_of(way, platform, app)


def log_after(platform: Platform, number: int) -> list[Any]:
    """What the platform saw since."""
    return list(platform.program.ask("log", after=str(number), limit="1000")["items"])


FOREIGN = "TTP_sbxnothing"
REFUSALS = (
    ("exchange", {"code": FOREIGN}, "36004004"),
    ("refresh", {"token": FOREIGN}, "36004005"),
    ("shops", {"token": FOREIGN}, "36009004"),
)


@pytest.mark.parametrize("way", [way for way in EVERYONE if way != JAVASCRIPT[2]])
def test_it_understands_a_refusal(platform: Platform, way: str) -> None:
    """Of a code, a refresh token and an access token that are nobody's: the platform's code is the client's own error."""
    with client_of(way, platform, new_app(platform)) as client:
        for verb, given, code in REFUSALS:
            with pytest.raises(RefusedError) as refused:
                client.ask(verb, **given)

            assert code == str(refused.value.code)


@pytest.mark.parametrize("way", EVERYONE)
def test_a_wrong_secret_is_refused(platform: Platform, way: str) -> None:
    """Whoever signs with it gets 106001 and nothing else."""
    app = new_app(platform)
    given = platform.program.steer("authorize", app=app["key"], seller=OWNER, shop=SHOP)
    with ExitStack() as stack:
        honest = stack.enter_context(client_of(way, platform, app))
        token = honest.ask("exchange", code=given["code"])["access_token"]
        forger = stack.enter_context(client_of(way, platform, {**app, "secret": "0" * 40}))
        with pytest.raises(RefusedError) as refused:
            forger.ask("shops", token=token)

    assert "106001" == str(refused.value.code)


async def notices(platform: Platform, app: Any, receiver: Receiver) -> list[Delivery]:
    """An order, the seller's cancellation and the announcement of an end, as they reach the app."""
    shop = next(shop for shop in platform.program.ask("world")["sellers"][0]["shops"] if shop["name"] == SHOP)
    grant = platform.program.steer("authorize", app=app["key"], seller=OWNER, shop=SHOP)["grant_id"]
    platform.program.steer("orders", shop=shop["id"], count=1)
    await receiver.wait_for(1)
    platform.program.steer("notices", type=7, app=app["key"])
    await receiver.wait_for(2)
    platform.program.steer(f"grants/{grant}/cancel")
    return await receiver.wait_for(3)


READ_AS = {
    1: "OrderStatusChangeWebhook",
    6: "SellerDeauthorizationWebhook",
    7: "UpcomingAuthorizationExpirationWebhook",
}


@pytest.mark.parametrize("way", CHECKS_NOTICES)
async def test_it_verifies_the_platforms_notices_and_no_others(platform: Platform, way: str) -> None:
    """Real deliveries, byte by byte; a changed byte, another app's signature and none at all are refused."""
    async with receiving() as receiver:
        app = new_app(platform, webhook_url=receiver.url)
        delivered = await notices(platform, app, receiver)
    with client_of(way, platform, app) as client:
        said = {
            each.json["type"]: client.ask("verify", body=each.body.decode(), signature=each.signature)
            for each in delivered
        }
        body, signature = delivered[0].body.decode(), delivered[0].signature
        wrong = [
            client.ask("verify", body=body.replace('"type":1', '"type":6'), signature=signature),
            client.ask("verify", body=f"{body} ", signature=signature),
            client.ask("verify", body=body, signature=delivered[1].signature),
            client.ask("verify", body=body, signature=""),
        ]

    assert {1, 6, 7} == said.keys()
    assert said == (READ_AS if way in PYTHON else dict.fromkeys(READ_AS, True))
    assert [False] * 4 == wrong


@pytest.mark.parametrize("way", [PYTHON[1], *JAVASCRIPT[:2]])
def test_it_reads_details_and_sets_stock(platform: Platform, way: str) -> None:
    """The calls with the odd forms: ids with a comma between, an id in the path."""
    token, cipher, published = connected(way, platform)
    usual = {"token": token, "cipher": cipher}
    with published as client:
        ids = [order["id"] for order in client.ask("orders", **usual)["orders"][:2]]
        details = client.ask("details", ids=ids, **usual)["orders"]
        product = client.ask("products", **usual)["products"][0]
        sku = product["skus"][0]
        wanted = {"warehouse_id": sku["inventory"][0]["warehouse_id"], "quantity": 4321}
        client.ask("set_stock", product=product["id"], skus=[{"id": sku["id"], "inventory": [wanted]}], **usual)
        after = client.ask("products", **usual)["products"]

    stock = next(each for each in after if each["id"] == product["id"])["skus"][0]["inventory"]
    assert set(ids) == {order["id"] for order in details}
    assert [wanted] == stock


TOPIC, ADDRESS = "ORDER_STATUS_CHANGE", "https://hooks.example.test/tts"


@pytest.mark.parametrize("way", [PYTHON[1], JAVASCRIPT[1]])
def test_it_searches_stock_and_subscribes(platform: Platform, way: str) -> None:
    """A search by body alone, a PUT, and a DELETE with a body that is signed."""
    token, cipher, published = connected(way, platform)
    usual = {"token": token, "cipher": cipher}
    with published as client:
        product = client.ask("products", **usual)["products"][0]
        stock = client.ask("stock", products=[product["id"]], **usual)["inventory"]
        client.ask("subscribe", topic=TOPIC, address=ADDRESS, **usual)
        subscribed = client.ask("subscriptions", **usual)["webhooks"]
        client.ask("unsubscribe", topic=TOPIC, **usual)
        left = client.ask("subscriptions", **usual)["total_count"]

    assert [product["id"]] == [each["product_id"] for each in stock]
    assert {sku["id"] for sku in product["skus"]} == {sku["id"] for sku in stock[0]["skus"]}
    assert [(TOPIC, ADDRESS)] == [(each["event_type"], each["address"]) for each in subscribed]
    assert 0 == left


# --- faults of clients: the sandbox goes by the documents and does not bend


def test_an_empty_filter_is_sent_but_not_signed(platform: Platform) -> None:
    """tiktok-shop-sdk 1.0.3 sends `{}` and signs nothing; the documents say the exact bytes of the body."""
    token, cipher, published = connected(JAVASCRIPT[1], platform)
    with published as client, pytest.raises(RefusedError) as refused:
        client.ask("orders", token=token, cipher=cipher, body={})

    assert "106001" == str(refused.value.code)


def test_a_page_token_loses_its_end_when_it_is_signed(platform: Platform) -> None:
    """tiktok-shop 2.0.0 cuts a value at its `=`; the platform's page tokens may end in `==` (wire sheet 6.1)."""
    token, cipher, published = connected(JAVASCRIPT[2], platform)
    with published as client:
        pages = {size: client.ask("orders", token=token, cipher=cipher, size=size) for size in range(1, 25)}
        size, page = next(
            (size, page) for size, given in pages.items() if (page := given["next_page_token"]).endswith("=")
        )
        with pytest.raises(RefusedError) as refused:
            client.ask("orders", token=token, cipher=cipher, size=size, page=page)

    assert "106001" == str(refused.value.code)


def test_ids_are_sent_one_by_one(platform: Platform) -> None:
    """tiktok-shop-api 0.1.0 writes a list as `ids=a&ids=b`; the documents write and sign `ids=a,b` (vector I)."""
    token, cipher, published = connected(PYTHON[1], platform)
    usual = {"token": token, "cipher": cipher}
    with published as client:
        ids = [order["id"] for order in client.ask("orders", **usual)["orders"][:2]]
        with pytest.raises(RefusedError) as refused:
            client.ask("details", ids=ids, as_a_list=True, **usual)

    assert "106001" == str(refused.value.code)


def test_bodies_are_left_behind(platform: Platform) -> None:
    """tiktokshops-api-client 1.1.0 takes the body of its Event API calls and sends none."""
    token, cipher, published = connected(JAVASCRIPT[0], platform)
    with published as client, pytest.raises(RefusedError, match="is missing") as refused:
        client.ask("subscribe", topic=TOPIC, address=ADDRESS, token=token, cipher=cipher)

    assert "36009004" == str(refused.value.code)
