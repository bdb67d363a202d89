"""Which pair a token in the log belongs to: the log keeps hashes, the book keeps no token, so hashes are made anew."""

from dataclasses import dataclass

from evergrant_sandbox.book import pairs
from evergrant_sandbox.book.pairs import Kept
from evergrant_sandbox.clock import rfc3339
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.tokens import Half, Seal, sha256

# Of an authorization that was refreshed more often, older tokens are not looked for.
DEPTH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, recognised: which half of which pair, and how it stands now."""

    half: Half
    serial: int
    is_current: bool
    standing: str

    @property
    def words(self) -> str:
        """As a page says it."""
        return f"{self.half} token of pair {self.serial}, {self.standing}"


class Lineage:
    """The pairs of one authorization, by the hashes of their tokens."""

    def __init__(self, platform: Platform, grant: Grant, *, now: int) -> None:
        self.pairs = pairs.newest_first(platform.book, grant.id, DEPTH)
        newest = pairs.newest(platform.book, grant.id)
        self._current = {
            (Half.ACCESS, newest.access.serial if newest.access else 0),
            (Half.REFRESH, newest.refresh.serial if newest.refresh else 0),
        }
        self._is_alive = grant.is_alive(now)
        self._now = now
        self._by_hash = {
            sha256(platform.mint.token(half, prefix=grant.prefix, seal=Seal(grant.id, pair.serial))): (half, pair)
            for pair in self.pairs
            for half in Half
        }

    def find(self, hashed: bytes | None) -> Token | None:
        """The token behind a hash, if it is one of this authorization."""
        half, pair = self._by_hash.get(hashed or b"", (None, None))
        return self.token(half, pair) if half and pair else None

    def token(self, half: Half, pair: Kept) -> Token:
        """One half of a pair as it stands."""
        newest = (half, pair.serial) in self._current
        standing = self._access(pair) if half is Half.ACCESS else self._refresh(pair)
        if not self._is_alive and standing == "valid":
            standing = "over with the authorization"
        is_current = newest and standing == "valid"
        if standing == "valid":
            standing = "current" if newest else "still valid beside a newer one"
        return Token(half=half, serial=pair.serial, is_current=is_current, standing=standing)

    def _access(self, pair: Kept) -> str:
        if pair.access_revoked_at is not None:
            return f"revoked {rfc3339(pair.access_revoked_at)}"
        return "valid" if pair.access_ends_at > self._now else f"expired {rfc3339(pair.access_ends_at)}"

    def _refresh(self, pair: Kept) -> str:
        if pair.refresh_ends_at is None:
            return "unchanged"
        if pair.used_at is not None:
            return f"used {rfc3339(pair.used_at)}, gave pair {pair.successor}"
        if pair.refresh_revoked_at is not None:
            return f"revoked {rfc3339(pair.refresh_revoked_at)}"
        return "valid" if pair.refresh_ends_at > self._now else f"expired {rfc3339(pair.refresh_ends_at)}"
