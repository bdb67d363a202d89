"""What a bare ASGI function reads of a request: a header, and the whole body."""

from starlette.types import Receive, Scope

from evergrant.core.errors import InvalidRequestError


def header(scope: Scope, name: bytes) -> str:
    """A header's value; nothing if it is not there."""
    return next((value.decode("latin-1") for known, value in scope["headers"] if known == name), "")


async def whole(scope: Scope, receive: Receive) -> bytes:
    """The whole body; the Guard says how large it may be.

    Raises:
        InvalidRequestError: it broke off.
    """
    declared = header(scope, b"content-length")
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidRequestError("The body did not arrive whole.")
        chunk: bytes = message.get("body", b"")
        body += chunk
        if not message.get("more_body") or str(len(body)) == declared:
            return body  # as long as it said: the server's own "that was all" need not be waited for
