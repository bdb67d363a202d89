"""A developer makes an app in Partner Center, changes it, and gives it another secret."""

from dataclasses import dataclass, replace

from evergrant_sandbox import switches
from evergrant_sandbox.acts.founding import Registrar
from evergrant_sandbox.acts.review import Reviewer
from evergrant_sandbox.book import apps
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import ids, review
from evergrant_sandbox.world.app import App, Stage
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.tokens import MARK

_SECRET_BYTES = 20
# How long both secrets are taken where the switch says so.
_OVERLAP = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What Partner Center gives an app when it is created."""

    key: str
    secret: str
    service_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Makes and changes apps for those who develop them."""

    registrar: Registrar
    reviewer: Reviewer
    switches: Switches
    dice: Dice

    def credentials(self) -> Credentials:
        """A new App Key, App Secret and service id."""
        return Credentials(
            key=f"6{MARK}{ids.lower(self.dice, 8)}",
            secret=self.dice(_SECRET_BYTES).hex(),
            service_id=ids.digits(self.dice, prefix="7", length=19),
        )

    def make(self, app: App, *, now: int) -> App:
        """A new app, a draft."""
        made = replace(app, stage=Stage.DRAFT)
        self.registrar.keep(made, now=now)
        return made

    def change(self, changed: App, *, now: int) -> App:
        """What its maker has changed; a live listing goes back to review by it."""
        book = self.registrar.book
        with book.transaction():
            before = apps.find(book, changed.key)
            self.registrar.keep(changed, now=now)
            if before is not None and review.relists(before, changed):
                return self.reviewer.edited(changed, now=now)
        return changed

    def rotate_secret(self, app: App, *, now: int) -> App:
        """A new App Secret; whether the old one is taken for a while beside it is a switch."""
        overlaps = self.switches.of(switches.SECRET_ROTATION) == "old_valid_24h"
        turned = replace(
            app,
            secret=self.dice(_SECRET_BYTES).hex(),
            old_secret=app.secret if overlaps else "",
            old_secret_ends_at=now + _OVERLAP if overlaps else 0,
        )
        self.registrar.keep(turned, now=now)
        return turned
