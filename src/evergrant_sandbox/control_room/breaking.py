"""What can be broken, as a form offers it: the actions with their fields, ready-made faults, and how a form is read."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from evergrant_sandbox import errors
from evergrant_sandbox.control_room import desk
from evergrant_sandbox.faults import Action, Barrier, Effect, Match, Moment


@dataclass(frozen=True, slots=True)
class Offer:
    """An action, in plain words, and the fields it uses."""

    action: Action
    label: str
    sentence: str
    fields: tuple[str, ...] = ()


OFFERS = (
    Offer(Action.LOSE_REPLY, "Lose the reply", "The work is done, the connection is cut, not one byte comes back."),
    Offer(
        Action.STATUS,
        "Answer with a status",
        "This answer instead of the platform's.",
        ("status", "code", "message", "retry_after", "envelope", "moment"),
    ),
    Offer(Action.DELAY, "Answer late", "The answer comes, but later.", ("seconds", "moment")),
    Offer(
        Action.TRUNCATE,
        "Cut it short",
        "The head promises the whole body, then some bytes come, then the connection is cut.",
        ("after_bytes",),
    ),
    Offer(Action.WRONG_TYPE, "Answer with a web page", "HTTP 200 with a proxy's HTML.", ("moment",)),
    Offer(Action.HOLD, "Hold the call", "It waits at a barrier until it is released or cut.", ("barrier",)),
    Offer(Action.DROP, "Drop notices", "A notice is lost, and the platform believes that it was delivered."),
)
BARRIERS = {
    Barrier.BEFORE_ROTATE: "before the work: nothing was rotated or sent",
    Barrier.AFTER_ROTATE: "after the work: rotated or delivered, nothing answered",
    Barrier.HALF_BODY: "in the middle of the body",
    Barrier.FULL_BODY: "at the end of the body",
}
MOMENTS = {
    Moment.BEFORE_WORK: "before the work: nothing was done",
    Moment.AFTER_WORK: "after the work: it was done all the same",
}
KINDS = {"": "Token and signed calls", "token": "Token calls", "api": "Signed calls", "notice": "Notices"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A fault that is set with one button."""

    name: str
    sentence: str
    match: Match
    effect: Effect


_REFRESH, _EXCHANGE = "/api/v2/token/refresh", "/api/v2/token/get"
_SLOW = errors.TOO_MANY_REQUESTS
PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "lost_refresh",
            "The reply to the next refresh is lost",
            Match(kind="token", path=_REFRESH, times=1),
            Effect(action=Action.LOSE_REPLY),
        ),
        Preset(
            "lost_exchange",
            "The reply to the next code exchange is lost",
            Match(kind="token", path=_EXCHANGE, times=1),
            Effect(action=Action.LOSE_REPLY),
        ),
        Preset(
            "held_refresh",
            "The next refresh is held after the token was rotated",
            Match(kind="token", path=_REFRESH, times=1),
            Effect(action=Action.HOLD, barrier=Barrier.AFTER_ROTATE),
        ),
        Preset(
            "busy_api",
            "The API says 429 for a minute",
            Match(kind="api", lasts=60),
            Effect(action=Action.STATUS, status=429, code=_SLOW.number, message=_SLOW.message, retry_after=60),
        ),
        Preset(
            "token_host_away",
            "The token host is away for a minute",
            Match(kind="token", lasts=60),
            Effect(action=Action.STATUS, status=502, enveloped=False),
        ),
        Preset(
            "slow_api", "Every signed call takes two seconds", Match(kind="api"), Effect(action=Action.DELAY, seconds=2)
        ),
        Preset(
            "lost_notice", "The next notice never arrives", Match(kind="notice", times=1), Effect(action=Action.DROP)
        ),
        Preset(
            "notice_twice",
            "The next notice arrives, and comes again",
            Match(kind="notice", times=1),
            Effect(action=Action.LOSE_REPLY),
        ),
    )
}


class UnreadableError(Exception):
    """A form that cannot be taken; a sentence for each field."""

    def __init__(self, faults: dict[str, str]) -> None:
        self.faults = faults
        super().__init__("the form cannot be taken")


def offer_of(name: str | None) -> Offer:
    """The action with this name, or the first."""
    return next((offer for offer in OFFERS if offer.action == name), OFFERS[0])


def read(offer: Offer, fields: Mapping[str, str]) -> tuple[Match, Effect]:
    """The fault a form describes.

    Raises:
        UnreadableError: fields that are no numbers, or too large.
    """
    form = _Form(fields)
    match = Match(
        app=form.word("app"),
        grant=form.whole("grant", most=10**18),
        kind=NOTICES_ONLY if offer.action is Action.DROP else form.one_of("kind", KINDS),
        path=form.word("path"),
        nth=form.whole("nth", least=1, most=10**9) or 1,
        times=form.whole("times", least=1, most=10**9),
        lasts=form.decimal("lasts", most=86_400),
    )
    status = form.whole("status", least=200, most=599) if "status" in offer.fields else None
    usual = _SLOW if status == _TOO_MANY else errors.INTERNAL_ERROR
    code = form.whole("code", most=10**12)
    effect = Effect(
        action=offer.action,
        moment=Moment(form.one_of("moment", MOMENTS) or Moment.BEFORE_WORK),
        status=status or 503,
        enveloped="envelope" in fields,
        code=usual.number if code is None else code,
        message=form.word("message") or usual.message,
        retry_after=form.whole("retry_after", most=86_400),
        seconds=form.decimal("seconds", most=3600) or 0.0,
        after_bytes=form.whole("after_bytes", most=2**20) or 0,
        barrier=Barrier(form.one_of("barrier", BARRIERS) or Barrier.BEFORE_ROTATE),
    )
    if form.faults:
        raise UnreadableError(form.faults)
    return match, effect


NOTICES_ONLY = "notice"
_TOO_MANY = 429


class _Form:
    """Fields as they were typed, and what is wrong with them."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self.faults: dict[str, str] = {}

    def word(self, name: str) -> str | None:
        return self._fields.get(name, "").strip() or None

    def one_of(self, name: str, known: Container[str]) -> str | None:
        given = self.word(name)
        if given is not None and given not in known:
            self.faults[name] = "Choose one from the list."
            return None
        return given

    def whole(self, name: str, *, most: int, least: int = 0) -> int | None:
        given = self.word(name)
        if given is None:
            return None
        found = desk.number(given)
        if found is None or not least <= found <= most:
            self.faults[name] = f"This is a whole number from {least} to {most}."
            return None
        return found

    def decimal(self, name: str, *, most: int) -> float | None:
        given = self.word(name)
        if given is None:
            return None
        digits = given.replace(".", "", 1)
        if not (digits.isascii() and digits.isdigit() and len(digits) < len(str(most)) + 6) or float(given) > most:
            self.faults[name] = f"This is a number of seconds up to {most}."
            return None
        return float(given)
