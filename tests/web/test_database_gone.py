"""The database goes away and comes back: an honest 503 everywhere, nothing lost, and nothing to be done by hand."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

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


async def test_without_an_audit_record_no_token_leaves(world: World) -> None:
    """TS-22: the record cannot be written, so nothing is released; afterwards every read is on record."""
    connection_id = await world.linked()
    path = f"/v1/connections/{connection_id}/token"
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("alter table audit rename to audit_away")
    refused = await world.hub.api.get(path)
    async with world.hub.parts.database.connection() as connection:
        await connection.execute("alter table audit_away rename to audit")
    answers = [await world.hub.api.get(path) for _ in range(5)]
    async with world.hub.parts.database.connection() as connection:
        rows = await connection.fetch("select request_id from audit where action = 'token.read'")

    assert (503, "audit_unavailable") == (refused.status_code, refused.json()["error"]["code"])
    assert "access_token" not in refused.text
    assert {got.headers["x-request-id"] for got in answers} == {row["request_id"] for row in rows}
