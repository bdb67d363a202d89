"""The four refresh behaviours: what the first and every further use of a refresh token gives, as one table."""

from enum import StrEnum

from evergrant_sandbox.world.app import Rotation


class Outcome(StrEnum):
    """What a presented refresh token gives."""

    NEW_PAIR = "new_pair"
    NEW_ACCESS_TOKEN = "new_access_token"  # noqa: S105  (an outcome, no secret)
    SAME_PAIR_AGAIN = "same_pair_again"
    REFUSED = "refused"
    GRANT_REVOKED = "grant_revoked"


class Use(StrEnum):
    """How often the token was used before, and whether that was a moment ago."""

    FIRST = "first"
    AGAIN_AT_ONCE = "again_at_once"
    AGAIN_LATER = "again_later"


OUTCOMES: dict[Rotation, dict[Use, Outcome]] = {
    # The refresh token never changes; any use works.
    Rotation.STABLE: {
        Use.FIRST: Outcome.NEW_ACCESS_TOKEN,
        Use.AGAIN_AT_ONCE: Outcome.NEW_ACCESS_TOKEN,
        Use.AGAIN_LATER: Outcome.NEW_ACCESS_TOKEN,
    },
    # A client that lost the answer may ask again and gets the same pair; FAPI 2.0 asks this of servers that rotate.
    Rotation.RETRY_SAFE: {
        Use.FIRST: Outcome.NEW_PAIR,
        Use.AGAIN_AT_ONCE: Outcome.SAME_PAIR_AGAIN,
        Use.AGAIN_LATER: Outcome.REFUSED,
    },
    Rotation.STRICT: {
        Use.FIRST: Outcome.NEW_PAIR,
        Use.AGAIN_AT_ONCE: Outcome.REFUSED,
        Use.AGAIN_LATER: Outcome.REFUSED,
    },
    # Reuse means theft: RFC 9700, 4.14.
    Rotation.FAMILY: {
        Use.FIRST: Outcome.NEW_PAIR,
        Use.AGAIN_AT_ONCE: Outcome.GRANT_REVOKED,
        Use.AGAIN_LATER: Outcome.GRANT_REVOKED,
    },
}


def use_of(*, used_at: int | None, successor_used: int | None, grace: int, now: int) -> Use:
    """Which use this is. Once the pair it gave was itself used, nobody can have lost that answer."""
    if used_at is None:
        return Use.FIRST
    if successor_used is None and now - used_at <= grace:
        return Use.AGAIN_AT_ONCE
    return Use.AGAIN_LATER
