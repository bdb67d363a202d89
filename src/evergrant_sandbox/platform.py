"""The parts of one platform, as the assembly has put them together; handed to the rooms at the rim."""

from dataclasses import dataclass

from evergrant_sandbox.acts.announce import Herald
from evergrant_sandbox.acts.consent import Registry
from evergrant_sandbox.acts.ending import Undertaker
from evergrant_sandbox.acts.founding import Registrar
from evergrant_sandbox.acts.fulfilment import Fulfilment
from evergrant_sandbox.acts.subscribing import Subscriber
from evergrant_sandbox.acts.tokens import Issuer
from evergrant_sandbox.acts.trade import Market
from evergrant_sandbox.book.database import Book
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
    undertaker: Undertaker
    issuer: Issuer
    market: Market
    fulfilment: Fulfilment
    agenda: Agenda
