"""`/_sandbox/switches`: every disputed or unknown behaviour, by name."""

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.book import settings
from evergrant_sandbox.control.steering import SteeringError, steer
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.switches import Switch


class SwitchView(msgspec.Struct, frozen=True):
    """A switch: what it is about, how sure that is, where it stands and what it can be turned to."""

    name: str
    about: str
    known: str
    position: str
    default: str
    positions: dict[str, str]


class Switchboard(msgspec.Struct, frozen=True):
    """All switches."""

    items: list[SwitchView]


class Disputes:
    """Switches."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/switches", "GET", self.show),
            steer(self._platform, "/switches", "POST", self.turn),
        ]

    async def show(self, _: Request) -> Switchboard:
        """All switches."""
        return Switchboard(items=[self._view(switch) for switch in switches.SWITCHES.values()])

    async def turn(self, request: Request) -> Switchboard:
        """Turn one or more switches: `{"code_reuse": "revokes"}`. If one cannot be turned, none is."""
        try:
            asked = msgspec.json.decode(await request.body() or b"{}", type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SteeringError("invalid_body", 'Say which: {"refusal_error": "access_denied"}.') from error
        trial = switches.Switches(asked)
        for name, position in asked.items():
            trial.turn(name, position)
        with self._platform.book.transaction():
            for name, position in asked.items():
                self._platform.switches.turn(name, position)
                settings.write_switch(self._platform.book, name, position)
        return await self.show(request)

    def _view(self, switch: Switch) -> SwitchView:
        return SwitchView(
            name=switch.name,
            about=switch.about,
            known=switch.known,
            position=self._platform.switches.of(switch),
            default=switch.default,
            positions=dict(switch.positions),
        )
