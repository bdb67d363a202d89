"""A world for the sandbox's figures: sellers with a shop each, and a grant with a fresh pair for every one of them."""

from dataclasses import dataclass, replace
from pathlib import Path

from bench.ground import Told
from evergrant_sandbox import app as composition
from evergrant_sandbox.book import apps, grants, pairs, sellers
from evergrant_sandbox.book.pairs import NewPair
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import seed
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import EndedBy, Grant, State
from evergrant_sandbox.world.seller import Kind, Origin, Seller, Shop
from evergrant_sandbox.world.tokens import Seal

PREFIX = "GCP"
STOCKED = 100
"""Shops with orders in them: those that reads of orders are about."""
ORDERS, PRODUCTS = 40, 5
AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the load generator has to know of it."""

    app_key: str
    app_secret: str
    mint: str
    ciphers: tuple[str, ...]


async def fill(folder: Path, count: int, told: Told) -> World:
    """Found a world in an empty folder and put so many grants into it; numbers run from 1."""
    async with composition.opened(folder) as application:
        platform = application.platform
        app = replace(seed.app(1), key="6sbxbench01", service_id="7000000000000000042", name="Bench")
        with platform.book.transaction():
            apps.keep(platform.book, app)
        ciphers: list[str] = []
        for begin in range(1, count + 1, AT_ONCE):
            some = range(begin, min(begin + AT_ONCE, count + 1))
            with platform.book.transaction():
                shops = [_settled(platform, app, number) for number in some]
            ciphers += [shop.cipher for shop in shops[: max(0, STOCKED - len(ciphers))]]
            told(f"sandbox: {some.stop - 1:,} of {count:,} grants")
        return World(app_key=app.key, app_secret=app.secret, mint=platform.mint.secret.hex(), ciphers=tuple(ciphers))


def _settled(platform: Platform, app: App, number: int) -> Shop:
    """A seller, its shop, its consent and the pair that was given for it."""
    book, now = platform.book, platform.clock.now()
    name = f"Bench {number}"
    seller_id = f"7494{number:015d}"
    sellers.add(
        book, Seller(id=seller_id, name=name, region="GB", kind=Kind.LOCAL, phone=f"+44 {number}", origin=Origin.ONLINE)
    )
    shop = Shop(
        id=f"7495{number:015d}",
        seller_id=seller_id,
        name=name,
        region="GB",
        code=f"GBLC{number:08d}",
        cipher=f"{PREFIX}_sbx{number:036d}",
        warehouse_id=f"7068{number:015d}",
    )
    sellers.add_shop(book, shop, trade=None)
    if number <= STOCKED:
        platform.market.stock(shop, PRODUCTS, now=now)
        platform.market.fill(shop, ORDERS, now=now)
    grant = Grant(
        id=number,
        app_key=app.key,
        seller_id=seller_id,
        shop_id=shop.id,
        open_id=platform.mint.open_id(app_key=app.key, whose=seller_id),
        prefix=PREFIX,
        scopes=app.scopes,
        granted_at=now,
        period=365 * DAY,
        ends_at=now + 365 * DAY,
        state=State.ACTIVE,
        ended_at=None,
        ended_by=EndedBy.NOBODY,
        consents=1,
        contact_email="bench@example.test",
        contact_phone="",
    )
    grants.keep(book, grant, warn_at=None, lapse_at=None)
    pair = NewPair(
        seal=Seal(number, 1),
        consent=1,
        scopes=grant.scopes,
        access_ends_at=now + app.access_life,
        refresh_ends_at=grant.ends_at,
    )
    pairs.keep(book, pair)
    return shop
