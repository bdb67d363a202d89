"""Rate limits: how many calls an app has made for a shop and a path in the present second or hour (wire sheet 3.8)."""

from dataclasses import dataclass, field

from evergrant_sandbox import errors
from evergrant_sandbox.clock import HOUR
from evergrant_sandbox.errors import RefusalError

# world, app, shop and path
_Key = tuple[bytes, str, str, str]


@dataclass(slots=True, kw_only=True)
class Window:
    """The calls counted since the last full second or hour of platform time. Held in memory."""

    length: int
    began: int = 0
    counts: dict[_Key, int] = field(default_factory=dict)

    def count(self, key: _Key, *, most: int, now: int) -> None:
        """One more call.

        Raises:
            RefusalError: there have been enough; it says when to come back.
        """
        began = now - now % self.length
        if began != self.began:
            self.began = began
            self.counts.clear()
        made = self.counts.get(key, 0)
        if made >= most:
            raise RefusalError(errors.TOO_MANY_REQUESTS, retry_after=began + self.length - now)
        self.counts[key] = made + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Both limits there are."""

    seconds: Window = field(default_factory=lambda: Window(length=1))
    hours: Window = field(default_factory=lambda: Window(length=HOUR))
