"""The parts of one platform, as the assembly has put them together; handed to the rooms at the rim."""

import asyncio
from dataclasses import dataclass

from evergrant_sandbox.acts import founding
from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.acts.consent import Registry
from evergrant_sandbox.acts.ending import Undertaker
from evergrant_sandbox.acts.founding import Registrar
from evergrant_sandbox.acts.fulfilment import Fulfilment
from evergrant_sandbox.acts.making import Maker
from evergrant_sandbox.acts.review import Reviewer
from evergrant_sandbox.acts.subscribing import Subscriber
from evergrant_sandbox.acts.tokens import Issuer
from evergrant_sandbox.acts.trade import Market
from evergrant_sandbox.book import log, settings
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.clock import Clock
from evergrant_sandbox.faults import Faults
from evergrant_sandbox.notices.agenda import Agenda
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.tokens import Mint


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One world with its clock, its switches and everyone who acts in it."""

    book: Book
    clock: Clock
    dice: Dice
    mint: Mint
    switches: Switches
    faults: Faults
    herald: Herald
    registry: Registry
    registrar: Registrar
    subscriber: Subscriber
    reviewer: Reviewer
    maker: Maker
    undertaker: Undertaker
    issuer: Issuer
    market: Market
    fulfilment: Fulfilment
    agenda: Agenda

    async def begin_anew(self, *, number: int, instant: int | None) -> None:
        """Forget everything and found a seeded world, at the given moment or the present."""
        # First: a delivery that is held would end in the new world. It is let go, and moves, before all have to stand.
        self.faults.clear()
        await asyncio.sleep(0)
        async with self.agenda.stillness():
            self.faults.clear()
            self.switches.back_to_defaults()
            self.clock.offset = 0.0
            if instant is not None:
                self.clock.turn_to(instant)
            with self.book.transaction():
                lines = log.last(self.book)
                settings.empty(self.book)
                began = Entry(
                    kind="control", at=self.clock.now(), begun_wall=self.clock.wall(), message="a new world begins"
                )
                log.begin_anew(self.book, began, after=lines)
                settings.write_offset(self.book, self.clock.offset)
                founding.found(self.book, number=number, dice=self.dice, now=self.clock.now())
            self.mint.secret = settings.read_secret(self.book)
