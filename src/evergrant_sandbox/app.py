"""The composition root: puts the platform together, and is the only place that reads the wall clock and throws dice."""

import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from starlette.types import ASGIApp, Receive, Scope, Send

from evergrant_sandbox import site
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
from evergrant_sandbox.book import settings
from evergrant_sandbox.book.database import Book, open_book
from evergrant_sandbox.clock import Clock
from evergrant_sandbox.control import rooms
from evergrant_sandbox.endpoints.by_name import ByName
from evergrant_sandbox.endpoints.doorway import Doorway
from evergrant_sandbox.endpoints.signed_api import ITS_PATHS, SignedApi
from evergrant_sandbox.endpoints.token_host import TokenHost
from evergrant_sandbox.faults import Faults
from evergrant_sandbox.notices.agenda import Agenda
from evergrant_sandbox.notices.courier import PATIENCE, Courier
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.tokens import Mint

_TOKEN_PATHS = re.compile(r"/api/v2/token(/|$)")
_FIRST_SEED = 1


class Application:
    """One base address for all of the platform's hosts: the path decides which one is meant."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._doorway = Doorway(book=platform.book, clock=platform.clock, faults=platform.faults)
        self._token_host = TokenHost(issuer=platform.issuer, dice=platform.dice)
        self._signed_api = SignedApi(platform)
        self._site: ASGIApp = site.build(platform, steering=rooms.routes(platform), signed_api=self._api)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if _TOKEN_PATHS.match(path):
            await self._tokens(scope, receive, send)
        elif ITS_PATHS.match(path):
            await self._api(scope, receive, send)
        else:
            await self._site(scope, receive, send)

    def by_name(self) -> ByName:
        """The same platform for who comes by its real host names."""
        return ByName(tokens=self._tokens, api=self._api, site=self._site)

    async def _tokens(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._doorway.serve(self._token_host, scope, receive, send)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._doorway.serve(self._signed_api, scope, receive, send)


@asynccontextmanager
async def opened(
    folder: Path,
    *,
    wall: Callable[[], float] = time.time,  # noqa: TID251  (the one place)
    dice: Dice = secrets.token_bytes,
) -> AsyncIterator[Application]:
    """The application over the book in a folder, founded on its first start; closed when the block ends.

    Raises:
        BookInUseError: another sandbox holds the folder.
        UnknownBookError: what lies there is no book of this version.
        OSError: the folder cannot be used.
    """
    book = open_book(folder)
    try:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        jar = aiohttp.DummyCookieJar()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar, connector=connector) as session:
            yield Application(_platform(book, wall=wall, dice=dice, session=session))
    finally:
        book.close()


def _platform(book: Book, *, wall: Callable[[], float], dice: Dice, session: aiohttp.ClientSession) -> Platform:
    clock = Clock(wall=wall, offset=settings.read_offset(book))
    if settings.read(book, settings.SEED) is None:
        founding.found(book, number=_FIRST_SEED, dice=dice, now=clock.now())
    founding.bring_up_to_date(book)
    mint = Mint(settings.read_secret(book))
    switches = Switches(settings.switches(book))
    faults = Faults()
    herald = Herald(book=book, dice=dice, switches=switches)
    registrar = Registrar(book=book, switches=switches)
    reviewer = Reviewer(book=book, switches=switches)
    courier = Courier(book=book, clock=clock, switches=switches, faults=faults, session=session)
    return Platform(
        book=book,
        clock=clock,
        dice=dice,
        mint=mint,
        switches=switches,
        faults=faults,
        herald=herald,
        registry=Registry(book=book, mint=mint, switches=switches, dice=dice),
        registrar=registrar,
        subscriber=Subscriber(book=book, switches=switches),
        reviewer=reviewer,
        maker=Maker(registrar=registrar, reviewer=reviewer, switches=switches, dice=dice),
        undertaker=Undertaker(book=book, switches=switches, herald=herald),
        issuer=Issuer(book=book, mint=mint, switches=switches),
        market=Market(book=book, herald=herald),
        fulfilment=Fulfilment(book=book, herald=herald),
        agenda=Agenda(book=book, clock=clock, switches=switches, herald=herald, courier=courier),
    )
