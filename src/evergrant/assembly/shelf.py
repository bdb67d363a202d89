"""The books, put together: everything of the store over one database, one vault and one spool."""

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from evergrant.actions.custody import Custody
from evergrant.actions.mending import Outward
from evergrant.actions.ports import Books
from evergrant.actions.watching import Pace
from evergrant.settings import Settings
from evergrant.store import vault as vaults
from evergrant.store.answers import Answers
from evergrant.store.apps import Apps
from evergrant.store.chain import Chain
from evergrant.store.connections import Connections
from evergrant.store.database import Database
from evergrant.store.epochs import Epochs
from evergrant.store.erasures import Erasures
from evergrant.store.exceptions import Exceptions
from evergrant.store.exchanges import Exchanges
from evergrant.store.flows import Flows
from evergrant.store.generations import Generations
from evergrant.store.imports import Imports
from evergrant.store.inbox import Inbox
from evergrant.store.ledger import Outages
from evergrant.store.links import Links
from evergrant.store.mappings import Mappings
from evergrant.store.paces import Paces
from evergrant.store.proofs import Proofs
from evergrant.store.pushes import Pushes
from evergrant.store.quarantine import Quarantine
from evergrant.store.recovery import Recovery
from evergrant.store.replays import Replays
from evergrant.store.rules import Rules
from evergrant.store.shop_paces import ShopPaces
from evergrant.store.signing import Signer
from evergrant.store.spool import Spool
from evergrant.store.suspects import Suspects
from evergrant.store.terms import Terms
from evergrant.store.tokens import Tokens
from evergrant.store.upkeep import Upkeep
from evergrant.store.vault import Vault
from evergrant.store.watches import Watches


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All books, and those of them that others need by name."""

    books: Books
    apps: Apps
    links: Links
    quarantine: Quarantine
    connections: Connections
    inbox: Inbox
    epochs: Epochs
    signer: Signer
    recovery: Recovery
    generations: Generations
    erasures: Erasures
    outages: Outages


def filled(settings: Settings, database: Database, vault: Vault, spool: Spool) -> Shelf:
    """Every book, over this database."""
    keys = settings.data_dir / "keys"
    apps, links = Apps(database, vault, monotonic), Links(database, vault)
    connections, inbox = Connections(database), Inbox(database)
    quarantine = Quarantine(database, vault, timedelta(hours=settings.claim_hours), settings.arrivals_a_minute)
    signer = Signer(lambda: vaults.read_keys(keys))
    epochs, recovery = Epochs(database, settings.data_dir / "recovery"), Recovery(database)
    generations, erasures = Generations(database, vault, signer, keys), Erasures(database, spool, Proofs(keys))
    paces = Paces(database, per_second=settings.app_calls_per_second, at_once=settings.app_calls_at_once)
    outages = Outages(database, by_writing=settings.check_by_writing)
    books = Books(
        apps=apps,
        paces=paces,
        shop_paces=ShopPaces(database, per_second=settings.calls_per_second),
        suspects=Suspects(database, vault, spool),
        links=links,
        exchanges=Exchanges(database, vault, spool, epochs),
        quarantine=quarantine,
        connections=connections,
        tokens=Tokens(database, vault, spool, epochs, paces),
        flows=Flows(database),
        terms=Terms(database, keep_buyer_days=settings.keep_buyer_days),
        inbox=inbox,
        answers=Answers(database, vault),
        watches=Watches(database, _pace(settings)),
        custody=Custody(generations=generations, erasures=erasures, imports=Imports(database, vault)),
        upkeep=Upkeep(chain=Chain(database, signer), epochs=epochs, recovery=recovery),
        outward=_outward(database),
        outages=outages,
    )
    return Shelf(
        books=books,
        apps=apps,
        links=links,
        quarantine=quarantine,
        connections=connections,
        inbox=inbox,
        epochs=epochs,
        signer=signer,
        recovery=recovery,
        generations=generations,
        erasures=erasures,
        outages=outages,
    )


def _outward(database: Database) -> Outward:
    return Outward(
        pushes=Pushes(database),
        mappings=Mappings(database),
        exceptions=Exceptions(database),
        replays=Replays(database),
        rules=Rules(database),
    )


def _pace(settings: Settings) -> Pace:
    """How often is looked by itself, as it was set."""
    return Pace(
        quiet=timedelta(minutes=settings.watch_after_minutes),
        compare_every=timedelta(hours=settings.compare_hours),
        looks_a_minute=settings.watch_calls_a_minute,
        patience=timedelta(minutes=settings.notice_patience_minutes),
    )
