"""The SDK against a real hub: sync and async give the same values and the same refusals."""

import asyncio
from collections.abc import Iterator

import httpx2
import pytest

import evergrant_sdk
from evergrant_sdk import AsyncEvergrant, Connection, Evergrant, HubUnavailable, Refused, SellerMustRenew
from tests.hub_fixture import ORIGIN
from tests.world_fixture import World


class FromAnotherThread(httpx2.BaseTransport):
    """Lets ordinary code reach the application that runs in the test's event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: httpx2.ASGITransport) -> None:
        self._loop = loop
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the application, from another thread."""
        asked = httpx2.Request(request.method, request.url, headers=request.headers, content=request.read())

        async def ask() -> httpx2.Response:
            answer = await self._transport.handle_async_request(asked)
            body = await answer.aread()
            return httpx2.Response(answer.status_code, headers=answer.headers, content=body)

        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(10)


@pytest.fixture
async def clients(world: World) -> tuple[Evergrant, AsyncEvergrant]:
    """Both clients of one hub."""
    key, transport = world.hub.api_key.reveal(), world.hub.transport
    loop = asyncio.get_running_loop()
    return (
        Evergrant(ORIGIN, key, transport=FromAnotherThread(loop, transport)),
        AsyncEvergrant(ORIGIN, key, transport=transport),
    )


async def test_both_give_the_same_token_and_connection(world: World, clients: tuple[Evergrant, AsyncEvergrant]) -> None:
    """A fresh token that does not print; the connection with its end and shops."""
    plain, modern = clients
    connection_id = await world.linked(period="90d")
    token = await asyncio.to_thread(plain.token, connection_id)

    assert token == await modern.token(connection_id)
    assert token.access_token.startswith("GCP_sbx")
    assert token.access_token not in repr(token)
    with pytest.raises(TypeError):
        str(token)
    found = await asyncio.to_thread(plain.connection, connection_id)
    assert found == await modern.connection(connection_id)
    assert ("active", 90, world.shop_id) == (found.status, found.days_remaining, found.shops[0].id)


async def test_both_list_and_link(world: World, clients: tuple[Evergrant, AsyncEvergrant]) -> None:
    """Every page of a list; a link that is completed tells its connection."""
    plain, modern = clients
    connection_id = await world.linked()
    made = await modern.new_link(
        merchant_id=world.merchant_id, app_id=world.app_id, purpose="renew", connection_id=connection_id
    )
    assert made.url is not None
    person = world.hub.new_browser()
    await person.get(world.consent(await world.depart(person, {"url": made.url})))
    done = await asyncio.to_thread(plain.link, made.id)

    assert ("completed", connection_id) == (done.outcome, done.connection_id)
    listed: list[Connection] = await asyncio.to_thread(lambda: list(plain.connections(status="active")))
    assert listed == [found async for found in modern.connections(status="active")]
    assert [connection_id] == [found.id for found in listed]


async def test_both_say_that_only_the_seller_can_help(world: World, clients: tuple[Evergrant, AsyncEvergrant]) -> None:
    """An expired authorization is an exception of its own, with the stable code."""
    plain, modern = clients
    connection_id = await world.linked(period="30d")
    world.sandbox.advance("31d")

    with pytest.raises(SellerMustRenew) as modern_says:
        await modern.token(connection_id)
    with pytest.raises(SellerMustRenew) as plain_says:
        await asyncio.to_thread(plain.token, connection_id)
    assert "authorization_expired" == modern_says.value.code == plain_says.value.code
    with pytest.raises(Refused, match="not_found") as missing:
        await modern.token("con_none")
    assert not isinstance(missing.value, SellerMustRenew)
    assert missing.value.request_id.startswith("req_")


@pytest.fixture
def nowhere() -> Iterator[Evergrant]:
    """A hub nobody runs."""
    with Evergrant("http://127.0.0.1:9", "eg_x") as hub:
        yield hub


def test_a_hub_that_is_away_is_an_exception_of_its_own(nowhere: Evergrant) -> None:
    """Try again later: nothing was refused."""
    with pytest.raises(HubUnavailable):
        nowhere.token("con_x")


def test_what_is_exported_is_what_is_promised() -> None:
    """`__all__` names what is there, sorted."""
    assert sorted(evergrant_sdk.__all__) == list(evergrant_sdk.__all__)
    assert all(hasattr(evergrant_sdk, name) for name in evergrant_sdk.__all__)
