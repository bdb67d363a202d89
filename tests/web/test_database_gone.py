"""The database goes away and comes back: an honest 503 everywhere, nothing lost, and nothing to be done by hand."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psutil
import pytest

from evergrant import postgres
from evergrant.providers.tiktok_shop import signing
from tests import hub_fixture
from tests.sandbox_fixture import Sandbox
from tests.world_fixture import World, settle


class Outage:
    """A database server of one's own, to be stopped and started."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self._home = home / "server"
        self._stack = ExitStack()
        self.server = self.begin()

    def begin(self) -> postgres.Server:
        """Start the server."""
        return self._stack.enter_context(postgres.running(self._home, durability=postgres.Durability.NONE))

    def stop(self) -> None:
        """Stop the server; its last user leaves."""
        self._stack.close()


@pytest.fixture
async def outage(tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[tuple[Outage, World]]:
    """A world on a database that can be taken away."""
    made = Outage(tmp_path / "database")
    try:
        async with hub_fixture.a_hub(made.server, tmp_path, sandbox_url=sandbox.url) as hub:
            yield made, await settle(hub, sandbox)
    finally:
        made.stop()


@pytest.mark.processes
async def test_without_the_database_every_door_says_so_and_nothing_is_lost(outage: tuple[Outage, World]) -> None:
    """API, token, notice, callback, page: 503 with one code; afterwards the same callback and notice succeed."""
    power, world = outage
    connection_id = await world.linked()
    person = world.hub.new_browser()
    link = await world.link_session()
    back = world.consent(await world.depart(person, link))
    app = await world.hub.parts.apps.by_id(world.app_id)
    body = f'{{"type":99,"tts_notification_id":"1","shop_id":"1","timestamp":{int(datetime.now(UTC).timestamp())},"data":{{}}}}'.encode()  # noqa: TID251
    signature = {"authorization": signing.sign_notice(app.key, app.secret, body)}
    notice = f"/hooks/tiktok-shop/{world.app_id}"

    power.stop()
    answers = [
        await world.hub.api.get("/v1/connections"),
        await world.hub.api.get(f"/v1/connections/{connection_id}/token"),
        await world.hub.browser.post(notice, content=body, headers=signature),
        await person.get(back),
        await world.hub.browser.get("/readyz"),
    ]
    assert [(503, "database_unavailable")] * 5 == [(got.status_code, got.headers["x-error-code"]) for got in answers]
    assert all(got.headers["retry-after"] == "2" for got in answers)
    assert 200 == (await world.hub.browser.get("/healthz")).status_code
    assert 200 == (await world.hub.browser.get("/login")).status_code

    power.begin()
    assert 200 == (await world.hub.browser.post(notice, content=body, headers=signature)).status_code
    assert 303 == (await person.get(back)).status_code
    assert 200 == (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code
    assert "completed" == (await world.hub.api.get(f"/v1/link-sessions/{link['id']}")).json()["outcome"]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A server that neither answers nor hangs up: its processes stand still, given one of them."""
    postmaster = psutil.Process(pid).parent()
    assert postmaster is not None
    everyone = [postmaster, *postmaster.children(recursive=True)]
    try:
        for process in everyone:
            process.suspend()
        yield
    finally:
        for process in reversed(everyone):
            process.resume()


@pytest.mark.processes
async def test_a_database_that_stands_still_is_told_in_time(outage: tuple[Outage, World]) -> None:
    """Tokens within five seconds, notices within three, even of many at once; and all is well when it moves again."""
    _, world = outage
    connection_id = await world.linked()
    token = f"/v1/connections/{connection_id}/token"
    async with world.hub.parts.database.connection() as connection:
        pid = await connection.fetchval("select pg_backend_pid()")
    body = b'{"type":99,"tts_notification_id":"1","shop_id":"1","timestamp":1767225600,"data":{}}'
    app = await world.hub.parts.apps.by_id(world.app_id)
    signature = {"authorization": signing.sign_notice(app.key, app.secret, body)}

    async def timed(method: str, path: str) -> tuple[int, str, float]:
        begun = monotonic()
        sender = world.hub.api if path == token else world.hub.new_browser()
        given = {} if path == token else {"content": body, "headers": signature}
        got = await sender.request(method, path, **given)  # type: ignore[arg-type]
        return got.status_code, got.headers.get("x-error-code", ""), monotonic() - begun

    notice = f"/hooks/tiktok-shop/{world.app_id}"
    with frozen(pid):
        tokens = await asyncio.gather(*[timed("GET", token) for _ in range(15)])
        notices = await asyncio.gather(*[timed("POST", notice) for _ in range(15)])

    assert {(503, "database_unavailable")} == {answer[:2] for answer in (*tokens, *notices)}
    assert 5.0 > max(answer[2] for answer in tokens)
    assert 3.0 > max(answer[2] for answer in notices)
    assert (200, "") == (await timed("GET", token))[:2]
    assert (200, "") == (await timed("POST", notice))[:2]


async def test_without_an_audit_record_no_token_leaves(world: World) -> None:
    """TS-22: the record cannot be written, so nothing is released; afterwards every read is on record."""
    connection_id = await world.linked()
    path = f"/v1/connections/{connection_id}/token"
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("alter table audit rename to audit_away")
    refused = [await world.hub.api.get(path)]
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("alter table audit_away rename to audit")
        await connection.execute("revoke insert on audit from current_user, evergrant_web")
    refused += await asyncio.gather(*(world.hub.api.get(path) for _ in range(10)))
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("grant insert on audit to current_user, evergrant_web")
        begun = await connection.fetchval("select max(position) from audit")
    answers = [await world.hub.api.get(path) for _ in range(5)]
    answers += [await world.hub.api.post(f"/v1/connections/{connection_id}/{verb}") for verb in ("pause", "resume")]
    answers.append(await world.hub.api.post("/v1/connections/con_none/pause"))
    async with world.hub.parts.database.connection() as connection:
        rows = await connection.fetch("select request_id from audit where position > $1", begun)

    for got in refused:
        assert (503, "audit_unavailable") == (got.status_code, got.json()["error"]["code"])
        assert "access_token" not in got.text
    assert {got.headers["x-request-id"] for got in answers if got.is_success} == {row["request_id"] for row in rows}
