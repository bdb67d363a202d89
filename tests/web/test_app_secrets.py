"""An app's secret changes while everything runs: old and new are accepted side by side, and never one for the other."""

import asyncio

from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import signing
from evergrant.store import apps
from tests.world_fixture import KEY, SECRET, World

NEW = "story_secret_new_77"


async def delivered(world: World, secret: str, number: int) -> int:
    """The status a notice gets that is signed with this secret."""
    body = b'{"type":99,"timestamp":1,"tts_notification_id":"s%d"}' % number
    return await world.deliver(body, signing.sign_notice(KEY, Secret(secret), body))


async def test_old_and_new_secret_are_accepted_side_by_side_until_the_old_is_retired(world: World) -> None:
    """Notices under either; calls under the new alone; then the old one forges nothing. No secret is shown or kept open."""
    api, path = world.hub.api, f"/v1/apps/{world.app_id}"

    async def old_notices() -> list[int]:
        return [await delivered(world, SECRET, number) for number in range(100, 130)]

    sending = asyncio.create_task(old_notices())
    assert [401, 200] == [await delivered(world, NEW, 1), await delivered(world, SECRET, 2)]
    changed = await api.patch(path, json={"secret": NEW})
    again = await api.patch(path, json={"secret": NEW})
    assert [200, 200] == [await delivered(world, NEW, 3), await delivered(world, SECRET, 4)]
    assert {200} == set(await sending)
    assert [(200, 1), (200, 1)] == [(got.status_code, got.json()["older_secrets"]) for got in (changed, again)]
    assert NEW not in changed.text + again.text
    assert NEW == (await world.hub.parts.apps.by_id(world.app_id)).secret.reveal()

    assert 0 == (await api.patch(path, json={"retire_older": True})).json()["older_secrets"]
    assert [200, 401] == [await delivered(world, NEW, 5), await delivered(world, SECRET, 6)]

    refused = [await api.patch(path, json=body) for body in ({}, {"secret": ""}, {"key": "x"})]
    missing = await api.patch("/v1/apps/app_x", json={"secret": "no"})
    for number in range(apps.MOST_OLDER):
        assert (await api.patch(path, json={"secret": f"n{number}"})).is_success
    too_many = await api.patch(path, json={"secret": "one more"})
    assert [422, 422, 422, 404, 409] == [got.status_code for got in (*refused, missing, too_many)]


async def test_a_new_secret_the_platform_refuses_is_told_and_no_old_one_is_tried(world: World) -> None:
    """A mistyped secret: the app says so, nothing is presented under the old one, and sellers keep what they have."""
    connection_id = await world.linked()
    await world.hub.api.patch(f"/v1/apps/{world.app_id}", json={"secret": NEW})
    before = len(world.sandbox.log(kind="token"))
    await world.hub.api.post(f"/v1/connections/{connection_id}/refresh")
    await world.hub.work()

    calls = world.sandbox.log(kind="token")[before:]
    listed = (await world.hub.api.get("/v1/apps")).json()["items"]
    assert 1 == len(calls)
    assert listed[0]["credentials_refused_at"]
    assert "active" == (await world.connection(connection_id))["status"]
    assert 200 == (await world.hub.api.get(f"/v1/connections/{connection_id}/token")).status_code
