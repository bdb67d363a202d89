"""`/_sandbox/log`: what the platform saw; `/openapi.json`: what it answers."""

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from evergrant_sandbox.book import log
from evergrant_sandbox.book.log import Filter
from evergrant_sandbox.control.shapes import LogView, log_view
from evergrant_sandbox.control.steering import SteeringError, number_of, steer
from evergrant_sandbox.openapi.document import document
from evergrant_sandbox.openapi.shapes import Schema
from evergrant_sandbox.platform import Platform

KINDS = ("token", "api", "notice", "page", "control")


class Lines(msgspec.Struct, frozen=True):
    """Lines of the log; `last` is the number of the newest line there is, and goes into `after`."""

    items: list[LogView]
    last: int


class Watch:
    """The log."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            steer(self._platform, "/log", "GET", self.read),
            steer(self._platform, "/openapi.json", "GET", self.describe),
        ]

    async def describe(self, _: Request) -> Schema:
        """The wire as an OpenAPI document, written from the wire sheet."""
        return document()

    async def read(self, request: Request) -> Lines:
        """Lines after a number, or the last ones before a number; oldest first."""
        kind = request.query_params.get("kind")
        if kind is not None and kind not in KINDS:
            raise SteeringError("invalid_query", f"kind is one of {', '.join(KINDS)}.")
        status = request.query_params.get("status")
        if status is not None and not log.is_status(status):
            raise SteeringError("invalid_query", f"status is an HTTP status, or one of {', '.join(log.STATUSES)}.")
        grant = number_of(request, "grant", -1, most=2**63 - 1)
        before = number_of(request, "before", -1)
        wanted = Filter(
            kinds=() if kind is None else (kind,),
            app_key=request.query_params.get("app"),
            grant_id=None if grant < 0 else grant,
            shop_id=request.query_params.get("shop"),
            status=status,
            after=number_of(request, "after", 0),
            before=None if before < 0 else before,
            limit=number_of(request, "limit", 1000, most=10_000),
        )
        entries = log.read(self._platform.book, wanted)
        return Lines(items=[log_view(entry) for entry in entries], last=log.last(self._platform.book))
