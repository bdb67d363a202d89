"""`/_sandbox/clock`: platform time, read and turned."""

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox import clock
from evergrant_sandbox.clock import checked, read_duration, read_instant, rfc3339
from evergrant_sandbox.control import shapes
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.platform import Platform


class Turn(msgspec.Struct, forbid_unknown_fields=True):
    """To an instant, or on by a duration."""

    now: str | float | None = None
    advance: str | None = None


class Time:
    """Platform time."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/clock", "GET", self.show),
            steer(self._platform, "/clock", "POST", self.turn),
        ]

    async def show(self, _: Request) -> shapes.Clock:
        """The clock as it stands."""
        return clock_view(self._platform.clock)

    async def turn(self, request: Request) -> shapes.Clock:
        """Turn the clock on; answers when everything that fell due on the way has happened."""
        asked = await read(request, Turn)
        await turn_clock(self._platform, self._instant(asked))
        return clock_view(self._platform.clock)

    def _instant(self, asked: Turn) -> int:
        try:
            if asked.now is not None and asked.advance is None:
                return read_instant(asked.now)
            if asked.advance is not None and asked.now is None:
                return checked(self._platform.clock.now() + read_duration(asked.advance))
        except ValueError as error:
            raise SteeringError("invalid_time", f"{str(error).capitalize()}.") from error
        raise SteeringError("invalid_body", 'Say either {"advance": "30d"} or {"now": "2027-01-01T00:00:00Z"}.')


async def turn_clock(platform: Platform, instant: int) -> None:
    """Turn the clock on to an instant.

    Raises:
        SteeringError: the instant is past.
    """
    try:
        await platform.agenda.turn_to(instant)
    except ValueError as error:
        raise SteeringError("clock_goes_forward", f"{str(error).capitalize()}.", status=409) from error


def clock_view(running: clock.Clock) -> shapes.Clock:
    """A clock as JSON."""
    now = running.now()
    return shapes.Clock(now=rfc3339(now), unix=now, offset_seconds=round(running.offset, 3))
