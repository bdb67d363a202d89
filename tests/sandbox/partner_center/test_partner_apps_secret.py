"""A new App Secret: what becomes of the old one is a switch, and token host, API and notices go by it."""

from typing import Any

import pytest

from evergrant_sandbox import signing
from tests.sandbox.kit import DAY, Sandbox, eventually
from tests.sandbox.receiving import Receiver
from tests.sandbox.visiting import Visitor

OWNER = "amelia@thamesandclay.example"
SHOPS = "/authorization/202309/shops"


async def rotated(sandbox: Sandbox, app: Any) -> Any:
    """The app after "Create new App Secret"."""
    visitor = Visitor(sandbox)
    await visitor.open(f"/partner/apps/{app['key']}/secret")
    visitor.fill("Email", "dana@evergrant.example")
    visitor.fill("Password", "sandbox")
    await visitor.press("Log in")
    await visitor.press("Create new App Secret")
    assert "There is a new App Secret." in visitor.text
    (turned,) = [each for each in (await sandbox.world())["apps"] if each["key"] == app["key"]]
    assert turned["secret"] != app["secret"]
    assert turned["secret"] not in visitor.reply.text
    return turned


async def taken(sandbox: Sandbox, app: Any, access_token: str) -> tuple[int, int]:
    """What API and token host say to an app with this secret."""
    api = await sandbox.signed(app, access_token, "GET", SHOPS)
    token = await sandbox.exchange(app, "no such code")
    return api.json["code"], token["code"]


GOOD, BAD = (0, 36004004), (106001, 36009004)


async def test_the_old_secret_dies_at_once(sandbox: Sandbox) -> None:
    """The default; the new one is taken, and tokens stay as they were."""
    app = await sandbox.app()
    pair = await sandbox.connected(app, {"email": OWNER})
    turned = await rotated(sandbox, app)

    assert BAD == await taken(sandbox, app, pair["access_token"])
    assert GOOD == await taken(sandbox, turned, pair["access_token"])
    assert (None, None) == (turned["old_secret"], turned["old_secret_ends_at"])


async def test_the_old_secret_can_live_for_a_day(sandbox: Sandbox) -> None:
    """Then both are taken; to the second."""
    await sandbox.steer("switches", secret_rotation="old_valid_24h")
    app = await sandbox.app()
    pair = await sandbox.connected(app, {"email": OWNER})
    turned = await rotated(sandbox, app)

    assert app["secret"] == turned["old_secret"]
    assert GOOD == await taken(sandbox, app, pair["access_token"])
    assert GOOD == await taken(sandbox, turned, pair["access_token"])
    sandbox.wall.at += DAY - 1
    assert GOOD == await taken(sandbox, app, pair["access_token"])
    sandbox.wall.at += 1
    assert BAD == await taken(sandbox, app, pair["access_token"])
    assert GOOD == await taken(sandbox, turned, pair["access_token"])


async def test_only_the_last_secret_but_one_lives_on(sandbox: Sandbox) -> None:
    """The one before it is gone when there is a third."""
    await sandbox.steer("switches", secret_rotation="old_valid_24h")
    first = await sandbox.app()
    pair = await sandbox.connected(first, {"email": OWNER})
    second = await rotated(sandbox, first)
    third = await rotated(sandbox, second)

    told = [await taken(sandbox, each, pair["access_token"]) for each in (first, second, third)]
    assert [BAD, GOOD, GOOD] == told


@pytest.mark.parametrize("position", ["old_dies_at_once", "old_valid_24h"])
async def test_notices_are_signed_with_the_newest(sandbox: Sandbox, receiver: Receiver, position: str) -> None:
    """Whichever way the switch stands."""
    await sandbox.steer("switches", secret_rotation=position)
    app = await sandbox.app(webhook_url=receiver.url)
    given = await sandbox.steer("authorize", app=app["key"], seller=OWNER)
    turned = await rotated(sandbox, app)
    await sandbox.steer(f"grants/{given['grant_id']}/cancel")

    async def arrived() -> bool:
        return bool(receiver.deliveries)

    await eventually(arrived)
    notice = receiver.deliveries[0]
    assert notice.signature == signing.sign_notice(app_key=app["key"], secret=turned["secret"], body=notice.body)


async def test_an_empty_secret_is_never_taken(sandbox: Sandbox) -> None:
    """There is no old one unless there was one."""
    app = await sandbox.app()
    pair = await sandbox.connected(app, {"email": OWNER})
    api = await sandbox.signed({**app, "secret": ""}, pair["access_token"], "GET", SHOPS)
    assert 106001 == api.json["code"]
