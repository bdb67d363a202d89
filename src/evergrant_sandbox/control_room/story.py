"""Everything about one authorization in order: consents, codes, calls, notices, and how it ended."""

from dataclasses import dataclass

from evergrant_sandbox.book import history, log
from evergrant_sandbox.book.history import Happening, What
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.control_room.lineage import Lineage, Token
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.grant import Grant, Status

# The newest lines of a long life; older ones are a link away.
LENGTH = 200
_KINDS = ("token", "api", "notice")
_TITLES = {What.CONSENT: "The seller agreed", What.CODE: "A code was given out", What.ENDED: "It ended"}
_ICONS = {What.CONSENT: "check", What.CODE: "key", What.ENDED: "ban"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the story."""

    at: int
    icon: str
    title: str
    words: str
    # `good`, `bad` or nothing.
    tone: str = ""
    # The line of the log, where there is one.
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The steps in order, and from where to go on with older ones (None: they are all here)."""

    steps: list[Step]
    older: int | None


def of_grant(platform: Platform, grant: Grant, lineage: Lineage, *, before: int | None, now: int) -> Story:
    """The story of an authorization, or of the time before a line of the log."""
    end = log.last(platform.book) + 1 if before is None else before
    lines = log.read(platform.book, log.Filter(kinds=_KINDS, grant_id=grant.id, before=end, limit=LENGTH))
    older = lines[0].n if len(lines) == LENGTH else None
    happened = [each for each in history.of_grant(platform.book, grant.id) if (older or 0) <= each.line < end]
    placed = [((line.n, 0), _call(line, lineage)) for line in lines]
    placed += [((each.line, 1 + order), _happening(each)) for order, each in enumerate(happened)]
    steps = [step for _, step in sorted(placed, key=lambda each: each[0])]
    if before is None and grant.status(now) is Status.EXPIRED:
        _insert(steps, Step(at=grant.ends_at, icon="clock", title="It ended", words="its time was over", tone="bad"))
    return Story(steps=steps, older=older)


def _insert(steps: list[Step], end: Step) -> None:
    place = next((index for index, step in enumerate(steps) if step.at >= end.at), len(steps))
    steps.insert(place, end)


def _happening(each: Happening) -> Step:
    words = f"SHA-256 {each.detail}" if each.what is What.CODE else each.detail.replace("_", " ")
    tone = {What.CONSENT: "good", What.ENDED: "bad"}.get(each.what, "")
    return Step(at=each.at, icon=_ICONS[each.what], title=_TITLES[each.what], words=words, tone=tone)


def _call(line: Entry, lineage: Lineage) -> Step:
    if line.kind == "notice":
        title = f"Notice {line.notice_type}, attempt {line.attempt}"
        words, icon = f"the receiver answered {line.answer}".replace("_", " "), "mail"
        tone = "good" if line.answer == "200" else "bad"
    else:
        title, icon = f"{line.method} {line.path}", "refresh" if line.kind == "token" else "package"
        words, tone = _answer(line), "good" if line.code == 0 and line.status else "bad"
    presented, given = lineage.find(line.token_sha256), lineage.find(line.gave_access_sha256)
    parts = [words, _with(presented), f"gave pair {given.serial}" if given else ""]
    parts.append(f"hit by fault {line.fault}" if line.fault else "")
    return Step(
        at=line.at, icon=icon, title=title, words="; ".join(part for part in parts if part), tone=tone, line=line.n
    )


def _with(presented: Token | None) -> str:
    if presented is None:
        return ""
    return (
        f"with the {presented.half} token of pair {presented.serial}{', current now' if presented.is_current else ''}"
    )


def _answer(line: Entry) -> str:
    if line.status is None:
        return "under way" if line.ended_wall is None else "no answer reached the app"
    said = f"HTTP {line.status}" if line.code is None else f"HTTP {line.status}, code {line.code}"
    return f"{said}, {line.message}" if line.message else said
