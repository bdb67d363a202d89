"""Break things by page: one button, the form, what it refuses, and what is held."""

import asyncio
from typing import Any

import pytest

from tests.sandbox.kit import Sandbox, eventually
from tests.sandbox.visiting import Visitor


async def faults(sandbox: Sandbox) -> Any:
    """All that are set."""
    return (await sandbox.ask("faults"))["items"]


@pytest.mark.parametrize(
    ("button", "fault"),
    [
        ("The reply to the next refresh is lost", {"action": "lose_reply", "path": "/api/v2/token/refresh"}),
        ("The reply to the next code exchange is lost", {"action": "lose_reply", "path": "/api/v2/token/get"}),
        ("The next refresh is held after the token was rotated", {"action": "hold", "barrier": "after_rotate"}),
        ("The API says 429 for a minute", {"action": "status", "status": 429, "kind": "api", "lasts_seconds": 60.0}),
        ("The token host is away for a minute", {"action": "status", "status": 502, "kind": "token"}),
        ("Every signed call takes two seconds", {"action": "delay", "seconds": 2.0, "kind": "api"}),
        ("The next notice never arrives", {"action": "drop", "kind": "notice", "times": 1}),
        ("The next notice arrives, and comes again", {"action": "lose_reply", "kind": "notice", "times": 1}),
    ],
)
async def test_a_fault_is_set_with_one_button(
    sandbox: Sandbox, visitor: Visitor, button: str, fault: dict[str, Any]
) -> None:
    """It says what it does."""
    await visitor.open("/control/faults")
    await visitor.press(button)
    (made,) = await faults(sandbox)

    assert fault == {name: made[name] for name in fault}
    assert "It is set." in visitor.text


async def test_a_busy_api_says_when_to_come_back(sandbox: Sandbox, visitor: Visitor) -> None:
    """The button's 429 carries Retry-After and the platform's envelope."""
    await visitor.open("/control/faults")
    await visitor.press("The API says 429 for a minute")
    reply = await sandbox.client.get("/authorization/202309/shops")

    assert (429, "60", 36009002) == (reply.status, reply.header("retry-after"), reply.json["code"])


@pytest.mark.parametrize(
    ("action", "filled", "fault"),
    [
        (
            "status",
            {"HTTP status": "429", "Retry-After": "7", "In the platform": "yes", "Kind": "token"},
            {"status": 429, "code": 36009002, "kind": "token"},
        ),
        ("status", {"HTTP status": "502", "In the platform": "", "When": "after_work"}, {"moment": "after_work"}),
        ("delay", {"Seconds late": "1.5", "Kind": "notice"}, {"seconds": 1.5, "kind": "notice"}),
        ("truncate", {"Bytes that come": "12", "From the matching": "2", "How many": "3"}, {"nth": 2, "times": 3}),
        ("wrong_type", {"Path": "/order/*"}, {"path": "/order/*"}),
        ("lose_reply", {"Authorization id": "7123"}, {"grant": "7123"}),
        ("hold", {"Where it is held": "half_body", "Over after": "30"}, {"barrier": "half_body", "lasts_seconds": 30}),
        ("drop", {}, {"kind": "notice"}),
    ],
)
async def test_a_fault_is_set_by_the_form(
    sandbox: Sandbox, visitor: Visitor, action: str, filled: dict[str, str], fault: dict[str, Any]
) -> None:
    """Every action with its own fields."""
    await visitor.open(f"/control/faults?action={action}")
    for label, value in filled.items():
        visitor.fill(label, value)
    await visitor.press("Set this fault")
    (made,) = await faults(sandbox)

    assert action == made["action"]
    assert fault == {name: made.get(name) for name in fault}


@pytest.mark.parametrize(
    ("action", "label", "value"),
    [
        ("status", "HTTP status", "99"),
        ("status", "HTTP status", "600"),
        ("status", "Code", "-1"),
        ("status", "Retry-After", "1.5"),
        ("delay", "Seconds late", "3601"),
        ("delay", "Seconds late", "nan"),
        ("delay", "Seconds late", "1e3"),
        ("truncate", "Bytes that come", "9999999"),
        ("hold", "Where it is held", "nowhere"),
        ("hold", "Kind", "gossip"),
        ("lose_reply", "From the matching", "0"),
        ("lose_reply", "How many", "²"),
        ("lose_reply", "Authorization id", "abc"),
        ("lose_reply", "Over after", "1" * 400),
    ],
)
async def test_a_form_that_cannot_be_taken_says_where(
    sandbox: Sandbox, visitor: Visitor, action: str, label: str, value: str
) -> None:
    """A sentence at the field, what was typed stays, and nothing is set."""
    await visitor.open(f"/control/faults?action={action}")
    visitor.fill(label, value)
    visitor.fill("App", "")
    await visitor.press("Set this fault")
    marked = visitor.page.xpath("//*[@aria-invalid='true']")

    assert (422, "invalid_fault") == (visitor.reply.status, visitor.reply.header("x-error-code"))
    assert 1 == len(marked)
    assert visitor.page.xpath(f"//*[@id='{marked[0].get('aria-describedby')}']")
    assert "Please check the form" in visitor.text
    assert [] == await faults(sandbox)


async def test_a_held_call_is_shown_and_released(sandbox: Sandbox, visitor: Visitor) -> None:
    """Where it waits and for whom; then it goes on."""
    app = (await sandbox.world())["apps"][0]
    await visitor.open("/control/faults")
    await visitor.press("The next refresh is held after the token was rotated")
    pair = await sandbox.connected(app, {"email": "amelia@thamesandclay.example"})
    call = asyncio.create_task(sandbox.refresh(app, pair["refresh_token"]))

    async def held() -> Any:
        return (await faults(sandbox))[0]["waiting"]

    await eventually(held)
    await visitor.open("/control/faults")
    shown = visitor.text
    (line,) = (await sandbox.ask("log", kind="token", status="none"))["items"]
    await visitor.open(f"/control/calls/{line['n']}")
    under_way = visitor.text
    await visitor.open("/control/faults")
    await visitor.press("Release f1")
    answer = await call
    (line,) = (await sandbox.ask("log", kind="token", status="fault"))["items"]

    assert "/api/v2/token/refresh" in shown
    assert "under way" in under_way
    assert "What was held goes on." in visitor.text
    assert (0, 200) == (answer["code"], line["status"])


async def test_faults_are_removed_one_by_one_and_all(sandbox: Sandbox, visitor: Visitor) -> None:
    """And one that is gone cannot be removed again."""
    await visitor.open("/control/faults")
    for _ in range(3):
        await visitor.press("The next notice never arrives")
    await visitor.press("Remove f2")
    left = [each["id"] for each in await faults(sandbox)]
    await visitor.press("Remove all")
    after = await faults(sandbox)
    await visitor.press("The next notice never arrives")
    await sandbox.client.call("DELETE", "/_sandbox/faults")
    await visitor.press("Remove f4")

    assert (["f1", "f3"], []) == (left, after)
    assert (404, "unknown_fault") == (visitor.reply.status, visitor.reply.header("x-error-code"))
