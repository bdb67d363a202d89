"""The platform's envelope around every answer, and what a refused call asks for. "Success is `code == 0`, not the HTTP
status" (wire sheet 2.3).
"""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from evergrant.providers.wire import CallRefused, Reply, Throttled, Trouble, Unreadable

DEFAULT_WAIT = timedelta(seconds=5)
SHORTEST_WAIT = timedelta(seconds=1)
"""`Retry-After: 0`, or a date that is past, is no invitation to ask without end."""
LONGEST_WAIT = timedelta(hours=1)

TROUBLES: Mapping[int, Trouble] = {
    105001: Trouble.AUTHORIZATION_GONE,
    105002: Trouble.TOKEN_EXPIRED,
    105005: Trouble.SCOPE_MISSING,
    101000: Trouble.WRONG_SHOP,
    106001: Trouble.MISCONFIGURED,
    106013: Trouble.OUR_MISTAKE,
    36009002: Trouble.THROTTLED,
    36009003: Trouble.UNAVAILABLE,
    36009004: Trouble.OUR_MISTAKE,
    36009007: Trouble.UNAVAILABLE,
    36009009: Trouble.OUR_MISTAKE,
    36009010: Trouble.OUR_MISTAKE,
    36009014: Trouble.OUR_MISTAKE,
    36009033: Trouble.MISCONFIGURED,
}
"""What each documented code asks for (3.7). A signature that is suddenly refused is an app secret that was changed."""

KEYWORDS: tuple[tuple[str, Trouble], ...] = (
    ("access-token", Trouble.AUTHORIZATION_GONE),
    ("access_token", Trouble.AUTHORIZATION_GONE),
    ("app_key", Trouble.MISCONFIGURED),
    ("timestamp", Trouble.CLOCK_WRONG),
)
"""`36009004` is "reused for many things, so read the message too" (3.7)."""


class Envelope(msgspec.Struct):
    """What stands around everything."""

    code: int
    message: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


def opened(reply: Reply) -> Envelope | Unreadable:
    """The envelope, if it is one."""
    try:
        return msgspec.json.decode(reply.body, type=Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Unreadable(why=f"not the platform's envelope, HTTP {reply.status}, {len(reply.body)} bytes")


def _wait(reply: Reply) -> timedelta:
    if reply.retry_after is None:
        return DEFAULT_WAIT
    return timedelta(seconds=min(max(reply.retry_after, SHORTEST_WAIT.total_seconds()), LONGEST_WAIT.total_seconds()))


def throttled(reply: Reply) -> Throttled:
    """The platform asks to wait."""
    return Throttled(wait=_wait(reply))


def call_refused(reply: Reply, envelope: Envelope | Unreadable) -> CallRefused:
    """What has to be done about a call that brought nothing."""
    if isinstance(envelope, Unreadable):
        is_throttled = reply.status == 429
        return (
            CallRefused(trouble=Trouble.THROTTLED, wait=_wait(reply))
            if is_throttled
            else CallRefused(trouble=Trouble.UNAVAILABLE)
        )
    trouble = Trouble.THROTTLED if reply.status == 429 else TROUBLES.get(envelope.code, Trouble.UNAVAILABLE)
    if envelope.code == 36009004:
        message = envelope.message.lower()
        trouble = next((kind for word, kind in KEYWORDS if word in message), trouble)
    wait = _wait(reply) if trouble is Trouble.THROTTLED else None
    return CallRefused(trouble=trouble, platform_code=envelope.code, wait=wait)
