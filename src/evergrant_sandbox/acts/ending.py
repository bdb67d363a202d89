"""An authorization ends before its time: the seller cancels, the platform deactivates, the developer gives it back."""

from dataclasses import dataclass

from evergrant_sandbox import switches
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.book import grants, history, pairs
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.history import What
from evergrant_sandbox.switches import Switch, Switches
from evergrant_sandbox.world.grant import EndedBy, Grant, State


class NotAliveError(Exception):
    """The authorization was over already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    state: State
    by: EndedBy
    # The switch that says whether notice 6 goes out; None: it always does.
    notice: Switch | None


_CANCEL = _Way(state=State.CANCELLED, by=EndedBy.SELLER, notice=None)
_DEACTIVATE = _Way(state=State.DEACTIVATED, by=EndedBy.PLATFORM, notice=switches.NOTICE_ON_DEACTIVATION)
_REVOKE = _Way(state=State.DEACTIVATED, by=EndedBy.DEVELOPER, notice=switches.NOTICE_ON_DEVELOPER_REVOKE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaker:
    """Ends authorizations and kills what they gave."""

    book: Book
    switches: Switches
    herald: Herald

    def cancel(self, grant: Grant, *, now: int) -> None:
        """The seller cancels; "this will trigger a [Seller deauthorization] webhook" (source S2).

        Raises:
            NotAliveError: it was over already.
        """
        self._end(grant, _CANCEL, now=now)

    def deactivate(self, grant: Grant, *, now: int) -> None:
        """The platform deactivates; "by whom" its pages do not say.

        Raises:
            NotAliveError: it was over already.
        """
        self._end(grant, _DEACTIVATE, now=now)

    def give_back(self, grant: Grant, *, now: int) -> None:
        """The developer deauthorizes (wire sheet 3.5).

        Raises:
            NotAliveError: it was over already.
        """
        self._end(grant, _REVOKE, now=now)

    def _end(self, grant: Grant, way: _Way, *, now: int) -> None:
        with self.book.transaction():
            if not grants.end(self.book, grant.id, state=way.state, by=way.by, at=now):
                raise NotAliveError(f"the authorization is {grant.status(now)}")
            pairs.revoke_all(self.book, grant_id=grant.id, at=now)
            history.note(self.book, grant_id=grant.id, at=now, what=What.ENDED, detail=f"{way.state} by {way.by}")
            if way.notice is None or self.switches.of(way.notice) == "on":
                self.herald.deauthorization(grant, at=now)
