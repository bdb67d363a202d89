"""What somebody who watched from outside would say: of the platform by its own book, of the hub by its own rows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from evergrant_sandbox.book import grants, pairs
from evergrant_sandbox.world.tokens import Half, sha256
from tests.model.hand import Hand

ENDED_BY_WORD = frozenset({"cancelled", "deactivated"})


@dataclass(slots=True)
class Line:
    """One seller, and what happened between them, the platform and us. `grant_id` and `connection_id` once there are any."""

    email: str
    customer: str
    shop_ids: list[str]
    grant_id: str = ""
    connection_id: str = ""
    identity: tuple[str, ...] = ()
    paused: bool = False
    let_go: bool = False
    """The vendor let go of it, and no consent came since."""
    came_back: int = 0
    """How many consents were finished."""
    lost_since: bool = False
    """An answer may have been lost since the last consent that was finished."""
    consent_lost: bool = False
    """A consent was given whose code never became a pair here."""
    told_of_end: bool = False
    """A notice of an end was delivered after the end."""
    ended_at: datetime | None = None
    versions: int = 0
    read_at: object = None
    """What was known when its token was read last."""
    notices: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as the platform has it."""

    alive: bool
    state: str
    refresh_hash: str
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A connection as the hub has it."""

    id: str
    state: str
    reason: str | None
    ends: datetime | None
    in_doubt: bool
    identity: tuple[str, ...]
    version: int | None
    fence: int | None
    refresh_hash: str | None
    paused: bool
    opened: int


def grant(hand: Hand, line: Line) -> Grant:
    """The line's grant, by the platform's own book."""
    platform = hand.sandbox.application.platform
    kept = grants.find(platform.book, int(line.grant_id))
    assert kept
    newest = pairs.newest(platform.book, kept.id).refresh
    shown = platform.mint.token(Half.REFRESH, prefix=kept.prefix, seal=newest) if newest else None
    status = kept.status(hand.sandbox.now)
    return Grant(
        alive=status == "active" and kept.ends_at > hand.sandbox.now,
        state=status,
        refresh_hash=sha256(shown).hex() if shown else "",
        ends=datetime.fromtimestamp(kept.ends_at, UTC),
    )


ROWS = """
select c.id, c.state, c.reason, c.authorization_ends, c.in_doubt_since, c.app_id, c.provider, c.region, c.open_id, c.clock,
    c.merchant_id, t.version, t.fence, encode(t.refresh_hash, 'hex') as refresh_hash,
    (select bool_and(f.paused_by_vendor) from flows f where f.tenant_id = c.tenant_id and f.connection_id = c.id) as paused,
    (select count(*) from presentations p where p.tenant_id = c.tenant_id and p.connection_id = c.id and p.outcome is null) as opened
from connections c left join tokens t on t.tenant_id = c.tenant_id and t.connection_id = c.id
where c.merchant_id = any($1)
"""


async def rows(hand: Hand, customers: list[str]) -> dict[str, Row]:
    """The connections of these customers."""
    return {row["id"]: _row(row) for row in await hand.sql(ROWS, customers)}


def _row(row: Any) -> Row:
    identity = tuple(row[name] for name in ("app_id", "provider", "region", "open_id", "clock", "merchant_id"))
    return Row(
        id=row["id"],
        state=row["state"],
        reason=row["reason"],
        ends=row["authorization_ends"],
        in_doubt=row["in_doubt_since"] is not None,
        identity=identity,
        version=row["version"],
        fence=row["fence"],
        refresh_hash=row["refresh_hash"],
        paused=bool(row["paused"]),
        opened=row["opened"],
    )


SHOWN = (
    "SELECT lower(hex(token_sha256)), count(*) FROM log WHERE kind = 'token' AND path LIKE '%/refresh' AND n > ?"
    " AND token_sha256 IS NOT NULL GROUP BY 1"
)


def shown(hand: Hand, since: int) -> dict[str, int]:
    """How often each refresh token reached the platform, by its SHA-256, since that line of its log."""
    return dict(hand.sandbox.application.platform.book.all(SHOWN, since))


PROBED = (
    "SELECT (SELECT min(at) FROM log WHERE n > ?1 AND kind = 'token' AND gave_refresh_sha256 = ?2), max(at) FROM log"
    " WHERE n > ?1 AND kind = 'token' AND path LIKE '%/refresh' AND token_sha256 = ?2"
)


def age_when_shown_last(hand: Hand, token: str, since: int) -> int:
    """How old a refresh token was when the platform saw it last, in seconds."""
    given, last = hand.sandbox.application.platform.book.one(PROBED, since, bytes.fromhex(token)) or (0, 0)
    return int(last - given)


async def excused(hand: Hand, hashes: list[str]) -> dict[str, int]:
    """How often each may have been shown again: after the platform asked to wait, and one declared probe per doubt."""
    found = await hand.sql(
        """
        select encode(refresh_hash, 'hex') as hash, count(*) filter (where probe or outcome = 'told_to_wait') as times
        from presentations where encode(refresh_hash, 'hex') = any($1) group by 1
        """,
        hashes,
    )
    return {row["hash"]: row["times"] for row in found}
