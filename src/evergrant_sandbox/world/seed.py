"""The seeded world: who exists on a first start and after a reset, repeatable from a number."""

from dataclasses import dataclass
from random import Random

from evergrant_sandbox.world import ids, scopes
from evergrant_sandbox.world.app import App, Rotation, Stage, Visibility
from evergrant_sandbox.world.developer import Developer
from evergrant_sandbox.world.development_shop import LIFE, DevelopmentShop, Function, Onboarding
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.regions import REGIONS
from evergrant_sandbox.world.seller import Account, Kind, Origin, Role, Seller, Shop
from evergrant_sandbox.world.tokens import MARK

# One password for all seeded sign-ins: it is printed on the front page, nobody has to look it up twice.
PASSWORD = "sandbox"  # noqa: S105  (made up and public)

# Who made the seeded app, and every app that names no other maker.
DEVELOPER_EMAIL = "dana@evergrant.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockedShop:
    """A shop and how much is in it."""

    shop: Shop
    trade: str | None = None
    products: int = 10
    orders: int = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A seller with everything that belongs to it."""

    seller: Seller
    accounts: tuple[Account, ...]
    shops: tuple[StockedShop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    name: str
    email: str
    region: str
    phone: str
    shops: tuple[tuple[str, str, str | None, int, int], ...]
    kind: Kind = Kind.LOCAL
    origin: Origin = Origin.ONLINE
    staff: tuple[tuple[str, Role], ...] = ()


_PLANS = (
    _Plan(
        name="Thames & Clay Ltd",
        email="amelia@thamesandclay.example",
        region="GB",
        phone="+44 20 7946 0102",
        shops=(
            ("Thames & Clay", "GB", "pottery", 12, 60),
            ("Thames & Clay Seconds", "GB", "pottery", 6, 15),
        ),
        staff=(
            ("manager@thamesandclay.example", Role.ADMINISTRATOR),
            ("stock@thamesandclay.example", Role.OPERATIONS),
            ("support@thamesandclay.example", Role.CUSTOMER_SUPPORT),
            ("books@thamesandclay.example", Role.FINANCE),
            ("packing@thamesandclay.example", Role.SUB_ACCOUNT),
        ),
    ),
    _Plan(
        name="Cedar Ridge Outfitters LLC",
        email="logan@cedarridge.example",
        region="US",
        phone="+1 512 555 0143",
        shops=(("Cedar Ridge Outfitters", "US", "outdoor", 12, 80),),
    ),
    _Plan(
        name="Küchenliebe GmbH",
        email="clara@kuechenliebe.example",
        region="DE",
        phone="+49 30 901820",
        shops=(("Küchenliebe", "DE", "kitchen", 10, 40),),
    ),
    _Plan(
        name="PT Harum Nusantara",
        email="putri@harumnusantara.example",
        region="ID",
        phone="+62 21 5010 0199",
        shops=(
            ("Harum Nusantara", "ID", "care", 10, 90),
            ("Harum Hadiah", "ID", "care", 5, 20),
        ),
    ),
    _Plan(
        name="Brightpath Trading (Shenzhen) Co., Ltd.",
        email="wei@brightpath.example",
        region="CN",
        phone="+86 755 5550 0188",
        kind=Kind.CROSS_BORDER,
        shops=(
            ("Brightpath UK", "GB", "gadgets", 10, 35),
            ("Brightpath MY", "MY", "gadgets", 10, 45),
            ("Brightpath SG", "SG", "gadgets", 8, 20),
        ),
    ),
    _Plan(
        name="Test Seller GB",
        email="test.seller@partner.example",
        region="GB",
        phone="+44 20 7946 0111",
        origin=Origin.TEST,
        shops=(("SANDBOX7358231", "GB", "stationery", 4, 6),),
    ),
)


def households(seed: int) -> tuple[Household, ...]:
    """All seeded sellers with their sign-ins and shops."""
    dice = Random(f"households:{seed}").randbytes  # noqa: S311  (a repeatable world, no secrets)
    return tuple(_household(dice, plan) for plan in _PLANS)


def developer(seed: int) -> Developer:
    """The seeded developer, who has made the seeded app."""
    dice = Random(f"developer:{seed}").randbytes  # noqa: S311  (a repeatable world, no secrets)
    return Developer(id=developer_id(dice), email=DEVELOPER_EMAIL, password=PASSWORD, company="Evergrant")


def development_shop(maker: Developer, household: Household, *, now: int) -> DevelopmentShop:
    """What binds a seeded test seller to the seeded developer."""
    return DevelopmentShop(
        seller_id=household.seller.id,
        developer_id=maker.id,
        function=Function.CORE,
        onboarding=Onboarding.WITHOUT_PAPERS,
        made_at=now,
        ends_at=now + LIFE,
    )


def app(seed: int) -> App:
    """The seeded app: public, published, and free to be pointed elsewhere."""
    dice = Random(f"app:{seed}").randbytes  # noqa: S311  (printed on the front page anyway)
    return App(
        key=f"6{MARK}{ids.lower(dice, 8)}",
        secret=dice(20).hex(),
        service_id=ids.digits(dice, prefix="7", length=19),
        name="Evergrant",
        redirect_urls=("http://localhost:8080/cb/tiktok-shop/seeded",),
        scopes=scopes.ORDINARY,
        visibility=Visibility.PUBLIC,
        stage=Stage.PUBLISHED,
        webhook_url="",
        rotation=Rotation.STRICT,
        about="Keeps the authorization of your shop alive, and shows when it has to be renewed.",
        developer_id=developer(seed).id,
    )


def shop(dice: Dice, *, seller_id: str, name: str, region: str, kind: Kind) -> Shop:
    """A new shop with its id, its cipher and the code its seller sees."""
    prefix = REGIONS[region].prefix
    sort = "CB" if kind is Kind.CROSS_BORDER else "LC"
    return Shop(
        id=ids.digits(dice, prefix="7495", length=19),
        seller_id=seller_id,
        name=name,
        region=region,
        code=f"{region}{sort}{ids.capitals(dice, 8)}",
        cipher=f"{prefix}_{MARK}{ids.base64url(dice, 27)}",
        warehouse_id=ids.digits(dice, prefix="7068", length=19),
    )


def phone(dice: Dice, region: str) -> str:
    """A new seller's telephone number."""
    return f"+{REGIONS[region].dial} {ids.digits(dice, prefix='20', length=9)}"


def developer_id(dice: Dice) -> str:
    """A new developer's id."""
    return ids.digits(dice, prefix="7493", length=19)


def seller_id(dice: Dice) -> str:
    """A new seller's id."""
    return ids.digits(dice, prefix="7494", length=19)


def _household(dice: Dice, plan: _Plan) -> Household:
    number = seller_id(dice)
    people = ((plan.email, Role.OWNER), *plan.staff)
    return Household(
        seller=Seller(
            id=number, name=plan.name, region=plan.region, kind=plan.kind, phone=plan.phone, origin=plan.origin
        ),
        accounts=tuple(Account(email=email, password=PASSWORD, seller_id=number, role=role) for email, role in people),
        shops=tuple(
            StockedShop(
                shop=shop(dice, seller_id=number, name=name, region=region, kind=plan.kind),
                trade=trade,
                products=products,
                orders=orders,
            )
            for name, region, trade, products, orders in plan.shops
        ),
    )
