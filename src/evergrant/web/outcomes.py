"""How a link came out, in words for the person who comes back; and the cookie that tells their browser from others."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.responses import Response

from evergrant.actions.connect import Departure
from evergrant.actions.ports import LinkSession
from evergrant.actions.reading import Listed
from evergrant.core import errors, link
from evergrant.core.claim import Stage
from evergrant.core.link import Mismatch, Outcome, Purpose
from evergrant.web import access, words
from evergrant.web.desk import Desk

BINDING = "eg_link_"
BINDING_LIFE = link.STATE_LIFE + timedelta(hours=1)
"""Longer than the way to the platform and back, so that a reload of the result still finds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the person reads. `code` is empty for success, and names the error otherwise; `open` while it goes on."""

    open: bool
    succeeded: bool
    code: str
    title: str
    sentence: str
    renews: str | None = None
    """The connection another try would renew, where the wrong thing was authorized."""
    claim_id: str | None = None
    """What waits for an owner because of it, and can be added as new."""

    @property
    def can_repeat(self) -> bool:
        """Whether choosing again is the cure."""
        return self.code in AGAIN


AGAIN = frozenset({errors.WrongShopError.code, errors.WrongUserTypeError.code, errors.AuthorizationRefusedError.code})
"""What another choice on the platform's page cures."""


FINISHING = Told(
    open=True,
    succeeded=False,
    code="",
    title="Finishing with TikTok",
    sentence="Your consent has arrived. This takes a moment; the page looks again by itself.",
)


WRONG = "Another shop was authorized"


def binding_name(session_id: str) -> str:
    """The cookie of one link session, so that several tabs do not disturb each other."""
    return f"{BINDING}{session_id.removeprefix('lnk_')}"


def bind(answer: Response, desk: Desk, departure: Departure) -> None:
    """Give the browser the secret it must bring back."""
    name = binding_name(departure.session.id)
    access.set_cookie(answer, desk, name, departure.browser.reveal(), seconds=int(BINDING_LIFE.total_seconds()))


async def told(session: LinkSession, desk: Desk) -> Told:
    """How the session came out, for people."""
    if session.outcome == Outcome.COMPLETED:
        return await _succeeded(session, desk)
    if session.outcome == Outcome.FAILED:
        told = failed(session.code or errors.EvergrantError.code)
        named = await mismatch(session, desk)
        if named is None:
            return replace(told, renews=session.connection_id)
        waits = named.chosen.claim_id
        return replace(told, title=WRONG, sentence=named.sentence, renews=session.connection_id, claim_id=waits)
    return FINISHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a link was for and what was authorized instead: shops by id and name."""

    expected: Mapping[str, str]
    found: Mapping[str, str]
    chosen: Mismatch

    @property
    def sentence(self) -> str:
        """What the person reads who chose."""
        expected, found = (words.listed(list(shops.values())) for shops in (self.expected, self.found))
        said = f"This link is for {expected}, and {found} was authorized. Nothing changed for {expected}."
        if self.chosen.connection_id:
            return f"{said} {found} was connected before, and keeps what was authorized."
        return f"{said} {found} can be added as a new connection." if self.chosen.claim_id else said


async def mismatch(session: LinkSession, desk: Desk) -> Named | None:
    """The shops on either side, if the session failed for choosing the wrong one."""
    chosen = session.mismatch
    if chosen is None or session.connection_id is None:
        return None
    names: dict[str, str] = {}
    if chosen.claim_id:
        with suppress(errors.NotFoundError):
            claim = await desk.claims.find(session.tenant_id, chosen.claim_id)
            names = {shop.id: shop.name for shop in claim.shops}
            if claim.stage is not Stage.WAITING:
                chosen = replace(chosen, claim_id=None)
    elif chosen.connection_id:
        names = await _shops_of(chosen.connection_id, session, desk)
    expected = await _shops_of(session.connection_id, session, desk)
    return Named(expected=expected, found={key: names.get(key) or key for key in chosen.shop_ids}, chosen=chosen)


async def _shops_of(connection_id: str, session: LinkSession, desk: Desk) -> dict[str, str]:
    known = (await desk.connections.listed(session.tenant_id, connection_id)).connection
    return {shop.id: shop.name or shop.id for shop in known.shops}


def sentence_of(code: str) -> str:
    """The sentence of an error, by its code."""
    return SENTENCES.get(code, errors.EvergrantError().sentence)


async def _succeeded(session: LinkSession, desk: Desk) -> Told:
    assert session.result_id is not None
    found = await desk.connections.listed(session.tenant_id, session.result_id)
    return of_connection(found, renewed=session.purpose is not Purpose.LINK)


def of_connection(found: Listed, *, renewed: bool) -> Told:
    """It came out well: which shops are authorized, and until when."""
    shops = words.listed([shop.name or shop.id for shop in found.connection.shops if shop.authorized])
    ends = found.connection.authorization.ends
    until = f" until {words.day(ends)}" if ends else ""
    title = "Your TikTok Shop is now successfully renewed!" if renewed else "Your TikTok Shop is connected!"
    return Told(open=False, succeeded=True, code="", title=title, sentence=f"{shops} is authorized{until}.")


def failed(code: str) -> Told:
    """It came to nothing, and why."""
    title = "Nothing was changed" if code == errors.AuthorizationRefusedError.code else "That did not work"
    return Told(open=False, succeeded=False, code=code, title=title, sentence=sentence_of(code))


def _every(kind: type[errors.EvergrantError]) -> list[type[errors.EvergrantError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _every(child))]


SENTENCES = {
    kind.code: kind().sentence for family in (errors.LinkError, errors.PlatformError) for kind in _every(family)
}
"""What a session can end with, in a sentence each."""
