"""The documents keep pace with the program: every route, switch and limit is written down, in the same words."""

import re
from pathlib import Path

import pytest

from evergrant_sandbox import limits, switches
from evergrant_sandbox.control import rooms
from tests.sandbox.kit import Sandbox

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sandbox"


def flat(name: str) -> str:
    """A document without its line breaks."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


async def test_every_steering_route_is_documented_with_an_example(sandbox: Sandbox) -> None:
    """In docs/sandbox/control.md, each with a curl line; and none that is not there."""
    text = (DOCS / "control.md").read_text(encoding="utf-8")
    routes = {
        f"{min(route.methods - {'HEAD'})} {route.path}"
        for route in rooms.routes(sandbox.application.platform)
        if route.methods and "{rest:path}" not in route.path
    }
    documented = set(re.findall(r"^`((?:GET|POST|DELETE) /_sandbox/\S+)`$", text, re.MULTILINE))

    assert routes == documented
    for section in re.split(r"^`(?=GET|POST|DELETE)", text, flags=re.MULTILINE)[1:]:
        assert "curl" in section, section.partition("`")[0]


@pytest.mark.parametrize("limit", [*limits.NOT_IMITATED, *limits.FORCED_BY_LOOPBACK], ids=lambda limit: limit.name)
def test_every_limit_is_documented(limit: limits.Limit) -> None:
    """In the words of the page."""
    assert f"{limit.name} : {' '.join(limit.sentence.split())}" in flat("limits.md")


@pytest.mark.parametrize("switch", switches.SWITCHES.values(), ids=lambda switch: switch.name)
def test_every_switch_is_documented(switch: switches.Switch) -> None:
    """With its status and all its positions, the default first."""
    positions = " ".join(f"- `{name}`: {sentence}" for name, sentence in switch.positions.items())

    assert f"`{switch.name}` ({switch.known}) : {switch.about} {positions}" in flat("limits.md")
