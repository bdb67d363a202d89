"""`/_sandbox/faults`: what is to go wrong, who is being held, and how they are let go."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox import errors
from evergrant_sandbox.control.shapes import FaultView, fault_view
from evergrant_sandbox.control.steering import SteeringError, read, steer
from evergrant_sandbox.faults import Action, Barrier, Effect, Fault, InvalidFaultError, Match, Moment
from evergrant_sandbox.fields import Digits, Text
from evergrant_sandbox.platform import Platform


class GivenFault(msgspec.Struct, forbid_unknown_fields=True):
    """A fault: which calls, and what happens to them."""

    action: Action
    app: str | None = None
    grant: Digits | None = None
    kind: Literal["token", "api", "notice"] | None = None
    path: Text | None = None
    nth: Annotated[int, Meta(ge=1, le=10**9)] = 1
    times: Annotated[int, Meta(ge=1, le=10**9)] | None = None
    lasts_seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    moment: Moment = Moment.BEFORE_WORK
    status: Annotated[int, Meta(ge=200, le=599)] = 503
    envelope: bool = True
    code: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    message: Text | None = None
    retry_after: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    seconds: Annotated[float, Meta(ge=0, le=3600)] = 0.0
    after_bytes: Annotated[int, Meta(ge=0, le=2**20)] = 0
    barrier: Barrier = Barrier.BEFORE_ROTATE


class Release(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of the calls that are held."""

    verdict: Literal["continue", "cut"] = "continue"


class Faults(msgspec.Struct, frozen=True):
    """All faults that are set."""

    items: list[FaultView]


class Count(msgspec.Struct, frozen=True):
    """How many were let go, or removed."""

    count: int


class Mischief:
    """Faults."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._faults = platform.faults

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/faults", "GET", self.show),
            steer(self._platform, "/faults", "POST", self.set, status=201),
            steer(self._platform, "/faults", "DELETE", self.clear),
            steer(self._platform, "/faults/{id}", "DELETE", self.clear),
            steer(self._platform, "/faults/{id}/release", "POST", self.release),
        ]

    async def show(self, _: Request) -> Faults:
        """All faults, how often they hit, and who is waiting."""
        return Faults(items=[fault_view(fault) for fault in self._faults])

    async def set(self, request: Request) -> FaultView:
        """A new fault, in force from the next call on."""
        given = await read(request, GivenFault)
        match = Match(
            app=given.app,
            grant=int(given.grant) if given.grant else None,
            kind=given.kind,
            path=given.path,
            nth=given.nth,
            times=given.times,
            lasts=given.lasts_seconds,
        )
        try:
            return fault_view(self._faults.set(match, _effect(given)))
        except InvalidFaultError as error:
            raise SteeringError("invalid_fault", str(error)) from error

    async def clear(self, request: Request) -> Count:
        """Remove one fault or all; what they held goes on."""
        fault = self._fault(request) if "id" in request.path_params else None
        return Count(count=self._faults.clear(fault.id if fault else None))

    async def release(self, request: Request) -> Count:
        """Let the held calls go on, or cut their connections."""
        asked = await read(request, Release)
        return Count(count=self._faults.release(self._fault(request), asked.verdict))

    def _fault(self, request: Request) -> Fault:
        fault = self._faults.find(request.path_params["id"])
        if fault is None:
            raise SteeringError(
                "unknown_fault",
                f"No fault {request.path_params['id']!r} is set; GET /_sandbox/faults lists them.",
                status=404,
            )
        return fault


def _effect(given: GivenFault) -> Effect:
    usual = errors.TOO_MANY_REQUESTS if given.status == 429 else errors.INTERNAL_ERROR
    return Effect(
        action=given.action,
        moment=given.moment,
        status=given.status,
        enveloped=given.envelope,
        code=usual.number if given.code is None else given.code,
        message=given.message or usual.message,
        retry_after=given.retry_after,
        seconds=given.seconds,
        after_bytes=given.after_bytes,
        barrier=given.barrier,
    )
