"""How every steering route is entered: from loopback only, JSON in, JSON out, and an error is a sentence that helps."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from evergrant_sandbox import origin
from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.acts.trade import NothingForSaleError
from evergrant_sandbox.book import log
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.origin import ForeignCallError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.switches import UnknownSwitchError
from evergrant_sandbox.world.review import OutOfTurnError

Handler = Callable[[Request], Awaitable[object]]
Body = TypeVar("Body", bound=msgspec.Struct)


class SteeringError(Exception):
    """What was asked for cannot be done; the sentence says what to do instead."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        self.code = code
        self.status = status
        super().__init__(message)


# Errors of the acts -> the code they answer with.
_CODES: dict[type[Exception], tuple[int, str]] = {
    UnknownSwitchError: (400, "unknown_switch"),
    NotAliveError: (409, "not_alive"),
    NothingForSaleError: (409, "nothing_for_sale"),
    OutOfTurnError: (409, "not_in_review"),
}


async def read(request: Request, shape: type[Body]) -> Body:
    """The body, as the shape wants it; no body is an empty one.

    Raises:
        SteeringError: it is no JSON, or does not fit.
    """
    body = await request.body() or b"{}"
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise SteeringError("invalid_body", f"{error}. docs/sandbox/control.md lists what this route takes.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SteeringError("invalid_json", f"The body is not JSON: {error}.") from error


def number_of(request: Request, name: str, default: int, most: int = 2**53) -> int:
    """A number in the query.

    Raises:
        SteeringError: it is none, or too large.
    """
    given = request.query_params.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 19 or int(given) > most:
        raise SteeringError("invalid_query", f"{name} is a number from 0 to {most}.")
    return int(given)


def steer(platform: Platform, path: str, method: str, handler: Handler, *, status: int = 200) -> Route:
    """A steering route around a handler."""

    async def endpoint(request: Request) -> Response:
        begun = platform.clock.wall()
        try:
            origin.check(request)
            response = _json(status, await handler(request))
        except ForeignCallError as error:
            response = _error(403, error.code, str(error))
        except SteeringError as error:
            response = _error(error.status, error.code, str(error))
        except tuple(_CODES) as error:
            refused, code = _CODES[type(error)]
            response = _error(refused, code, str(error))
        _note(platform, request, response, begun)
        return response

    return Route(f"/_sandbox{path}", endpoint, methods=[method])


def _json(status: int, said: object) -> Response:
    return Response(msgspec.json.encode(said), status_code=status, media_type="application/json")


def _error(status: int, code: str, message: str) -> Response:
    return _json(status, {"error": {"code": code, "message": message}})


def _note(platform: Platform, request: Request, response: Response, begun: float) -> None:
    entry = Entry(
        kind="control",
        at=platform.clock.now(),
        begun_wall=begun,
        ended_wall=platform.clock.wall(),
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        status=response.status_code,
    )
    with platform.book.transaction():
        log.append(platform.book, entry)
