"""The control room's forms, walked by label without JavaScript: what they change, and what they refuse."""

import pytest

from tests.sandbox.control_room.test_control_room_pages import authorized
from tests.sandbox.kit import Sandbox
from tests.sandbox.visiting import Visitor


# --- switches, rotation, orders, reset
async def test_a_switch_is_turned_by_a_button(sandbox: Sandbox, visitor: Visitor) -> None:
    """And stays turned; facts are not on the page."""
    await visitor.open("/control/switches")
    await visitor.press("Turn refusal_error to access_denied")
    positions = {each["name"]: each["position"] for each in (await sandbox.ask("switches"))["items"]}

    assert "access_denied" == positions["refusal_error"]
    assert "1 stands elsewhere than at first." in visitor.text
    assert "token_routes" not in visitor.text


async def test_an_apps_rotation_is_chosen(sandbox: Sandbox, visitor: Visitor) -> None:
    """Mode, what becomes of the old access token, and how long a while is."""
    await visitor.open("/control/world")
    visitor.fill("Refresh token", "retry_safe")
    visitor.fill("Old access token", "dies")
    visitor.fill("How long a while is", "90")
    await visitor.press("Save for Evergrant")
    app = (await sandbox.world())["apps"][0]
    said = visitor.text
    visitor.fill("How long a while is", "soon")
    await visitor.press("Save for Evergrant")

    assert ("retry_safe", "dies", 90) == (app["rotation"], app["old_access_token"], app["grace_seconds"])
    assert "from the next refresh on" in said
    assert (422, "invalid_rotation") == (visitor.reply.status, visitor.reply.header("x-error-code"))


async def test_orders_are_made(sandbox: Sandbox, visitor: Visitor) -> None:
    """As many as were asked for; a number that is none is refused."""
    shop = (await sandbox.world())["sellers"][0]["shops"][0]
    await visitor.open("/control/world")
    visitor.fill("How many", "4")
    await visitor.press("Make orders")
    after = (await sandbox.world())["sellers"][0]["shops"][0]
    codes = []
    for count in ("0", "501", "many", ""):
        await visitor.open("/control/world")
        visitor.fill("How many", count)
        await visitor.press("Make orders")
        codes.append(visitor.reply.header("x-error-code"))

    assert shop["orders"] + 4 == after["orders"]
    assert ["invalid_count"] * 4 == codes


async def test_a_new_world_begins_only_when_the_box_is_checked(sandbox: Sandbox, visitor: Visitor) -> None:
    """At the moment that was asked for."""
    await authorized(sandbox)
    await visitor.open("/control/world")
    await visitor.press("Reset the world")
    refused, kept = visitor.reply.header("x-error-code"), (await sandbox.ask("grants"))["items"]
    await visitor.open("/control/world")
    visitor.fill("Yes, forget", "yes")
    visitor.fill("Seed", "2")
    visitor.fill("At (UTC)", "2028-02-01T00:00")
    await visitor.press("Reset the world")
    world = await sandbox.world()

    assert ("not_confirmed", 1) == (refused, len(kept))
    assert (2, 0) == (world["seed"], world["grants"])
    assert world["now"].startswith("2028-02-01T00:00")


# --- the review queue
async def test_an_app_is_refused_with_reasons_and_then_approved(sandbox: Sandbox, visitor: Visitor) -> None:
    """Its maker reads the reasons; what is decided is no longer in the queue."""
    app = await sandbox.app(name="Waiting app", status="in_review")
    await visitor.open("/control/reviews")
    visitor.fill("Reasons to refuse", "The description is too short.\nThe Redirect URL does not answer.")
    await visitor.press("Refuse Waiting app")
    refused = await sandbox.app(key=app["key"])
    gone = "Waiting app" not in visitor.text
    await sandbox.app(key=app["key"], status="in_review")
    await visitor.open("/control/reviews")
    before = visitor.text
    await visitor.press("Approve Waiting app")

    assert ("draft", True) == (refused["status"], gone)
    assert ["The description is too short.", "The Redirect URL does not answer."] == refused["history"][0]["reasons"]
    assert "The Redirect URL does not answer." in before
    assert "published" == (await sandbox.app(key=app["key"]))["status"]


@pytest.mark.parametrize("reasons", ["", " \n ", "x" * 201, "\n".join("reason" for _ in range(21))])
async def test_a_refusal_gives_reasons(sandbox: Sandbox, visitor: Visitor, reasons: str) -> None:
    """Some, and not too many."""
    app = await sandbox.app(name="Waiting app", status="in_review")
    await visitor.open("/control/reviews")
    visitor.fill("Reasons to refuse", reasons)
    await visitor.press("Refuse Waiting app")

    assert (422, "invalid_reasons") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert "in_review" == (await sandbox.app(key=app["key"]))["status"]


async def test_what_is_not_in_review_is_not_decided(sandbox: Sandbox, visitor: Visitor) -> None:
    """Somebody was faster, or there is no such app."""
    app = await sandbox.app(name="Waiting app", status="in_review")
    await visitor.open("/control/reviews")
    await sandbox.app(key=app["key"], status="published")
    await visitor.press("Approve Waiting app")

    assert (409, "not_in_review") == (visitor.reply.status, visitor.reply.header("x-error-code"))
