"""The JSON of the steering routes, as they answer it."""

import msgspec

from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.clock import DAY, rfc3339
from evergrant_sandbox.control.shapes_of_apps import AppView
from evergrant_sandbox.faults import Action, Fault, Moment
from evergrant_sandbox.world.developer import Developer
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.seller import Account, Seller, Shop


class Clock(msgspec.Struct, frozen=True):
    """The clock."""

    now: str
    unix: int
    offset_seconds: float


class ShopView(msgspec.Struct, frozen=True):
    """A shop, and how much is in it."""

    id: str
    name: str
    region: str
    code: str
    cipher: str
    warehouse_id: str
    orders: int
    products: int


class AccountView(msgspec.Struct, frozen=True):
    """A sign-in."""

    email: str
    password: str
    role: str


class SellerView(msgspec.Struct, frozen=True):
    """A seller with sign-ins and shops; `email` and `password` are the owner's."""

    id: str
    name: str
    email: str
    password: str
    region: str
    kind: str
    test: bool
    phone: str
    accounts: list[AccountView]
    shops: list[ShopView]


class DeveloperView(msgspec.Struct, frozen=True):
    """A developer's sign-in to Partner Center."""

    id: str
    email: str
    password: str
    company: str


class World(msgspec.Struct, frozen=True):
    """Everything there is, but for grants, which have a route of their own."""

    now: str
    seed: int
    developers: list[DeveloperView]
    apps: list[AppView]
    sellers: list[SellerView]
    grants: int


class GrantShop(msgspec.Struct, frozen=True):
    """A shop a grant covers."""

    id: str
    name: str
    region: str
    cipher: str


class GrantView(msgspec.Struct, frozen=True):
    """A grant, with the SHA-256 of the newest pair given out for it."""

    id: str
    app: str
    seller: str
    seller_id: str
    seller_name: str
    open_id: str
    shops: list[GrantShop]
    status: str
    scopes: tuple[str, ...]
    granted_at: str
    period_days: float
    ends_at: str
    ends_at_unix: int
    ended_at: str | None
    ended_by: str
    consents: int
    contact_email: str
    contact_phone: str
    refresh_token_sha256: str | None
    access_token_sha256: str | None


class NoticeView(msgspec.Struct, frozen=True):
    """One attempt to deliver a notice."""

    type: int
    id: str
    attempt: int
    answer: str


class LogView(msgspec.Struct, frozen=True):
    """One line of the log. `wall` and `ended_wall` are real time, everything else is platform time."""

    n: int
    kind: str
    at: str
    at_unix: int
    wall: float
    ended_wall: float | None
    method: str
    path: str
    query: str
    app: str
    grant: str | None
    shop: str
    status: int | None
    code: int | None
    message: str
    token_sha256: str | None
    gave_access_sha256: str | None
    gave_refresh_sha256: str | None
    notice: NoticeView | None
    fault: str


class WaitingView(msgspec.Struct, frozen=True):
    """A call that is held at a barrier."""

    path: str
    app: str
    grant: str | None
    since_wall: float


class FaultView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fault that is set, and what it has done so far."""

    id: str
    action: str
    seen: int
    hits: int
    waiting: list[WaitingView]
    app: str | None = None
    grant: str | None = None
    kind: str | None = None
    path: str | None = None
    nth: int = 1
    times: int | None = None
    lasts_seconds: float | None = None
    over: bool = False
    moment: str | None = None
    status: int | None = None
    code: int | None = None
    seconds: float | None = None
    after_bytes: int | None = None
    barrier: str | None = None


def developer_view(developer: Developer) -> DeveloperView:
    """A developer as JSON."""
    return DeveloperView(id=developer.id, email=developer.email, password=developer.password, company=developer.company)


def shop_view(shop: Shop, counts: tuple[int, int]) -> ShopView:
    """A shop as JSON."""
    return ShopView(
        id=shop.id,
        name=shop.name,
        region=shop.region,
        code=shop.code,
        cipher=shop.cipher,
        warehouse_id=shop.warehouse_id,
        orders=counts[0],
        products=counts[1],
    )


def seller_view(seller: Seller, accounts: list[Account], shops: list[ShopView]) -> SellerView:
    """A seller as JSON."""
    owner = accounts[0]
    return SellerView(
        id=seller.id,
        name=seller.name,
        email=owner.email,
        password=owner.password,
        region=seller.region,
        kind=seller.kind.lower(),
        test=seller.origin == "test",
        phone=seller.phone,
        accounts=[AccountView(email=each.email, password=each.password, role=each.role) for each in accounts],
        shops=shops,
    )


def grant_view(
    grant: Grant,
    *,
    seller: Seller,
    email: str,
    shops: list[Shop],
    refresh_sha256: str | None,
    access_sha256: str | None,
    now: int,
) -> GrantView:
    """A grant as JSON."""
    return GrantView(
        id=str(grant.id),
        app=grant.app_key,
        seller=email,
        seller_id=seller.id,
        seller_name=seller.name,
        open_id=grant.open_id,
        shops=[GrantShop(id=shop.id, name=shop.name, region=shop.region, cipher=shop.cipher) for shop in shops],
        status=grant.status(now),
        scopes=grant.scopes,
        granted_at=rfc3339(grant.granted_at),
        period_days=grant.period / DAY,
        ends_at=rfc3339(grant.ends_at),
        ends_at_unix=grant.ends_at,
        ended_at=rfc3339(grant.ended_at) if grant.ended_at is not None else None,
        ended_by=grant.ended_by,
        consents=grant.consents,
        contact_email=grant.contact_email,
        contact_phone=grant.contact_phone,
        refresh_token_sha256=refresh_sha256,
        access_token_sha256=access_sha256,
    )


def log_view(entry: Entry) -> LogView:
    """A line of the log as JSON."""
    notice = None
    if entry.notice_type is not None:
        notice = NoticeView(type=entry.notice_type, id=entry.notice_id, attempt=entry.attempt or 0, answer=entry.answer)
    return LogView(
        n=entry.n,
        kind=entry.kind,
        at=rfc3339(entry.at),
        at_unix=entry.at,
        wall=entry.begun_wall,
        ended_wall=entry.ended_wall,
        method=entry.method,
        path=entry.path,
        query=entry.query,
        app=entry.app_key,
        grant=str(entry.grant_id) if entry.grant_id is not None else None,
        shop=entry.shop_id,
        status=entry.status,
        code=entry.code,
        message=entry.message,
        token_sha256=_hex(entry.token_sha256),
        gave_access_sha256=_hex(entry.gave_access_sha256),
        gave_refresh_sha256=_hex(entry.gave_refresh_sha256),
        notice=notice,
        fault=entry.fault,
    )


def fault_view(fault: Fault) -> FaultView:
    """A fault as JSON: what it matches and only what its action uses."""
    match, effect = fault.match, fault.effect
    answers = effect.action is Action.STATUS
    return FaultView(
        id=fault.id,
        action=effect.action,
        seen=fault.seen,
        hits=fault.hits,
        waiting=[
            WaitingView(
                path=each.path,
                app=each.app,
                grant=str(each.grant) if each.grant is not None else None,
                since_wall=each.since_wall,
            )
            for each in fault.waiting
        ],
        app=match.app,
        grant=str(match.grant) if match.grant is not None else None,
        kind=match.kind,
        path=match.path,
        nth=match.nth,
        times=match.times,
        lasts_seconds=match.lasts,
        over=fault.is_over,
        moment=effect.moment if effect.moment is Moment.AFTER_WORK else None,
        status=effect.status if answers else None,
        code=effect.code if answers and effect.enveloped else None,
        seconds=effect.seconds if effect.action is Action.DELAY else None,
        after_bytes=effect.after_bytes if effect.action is Action.TRUNCATE else None,
        barrier=effect.barrier if effect.action is Action.HOLD else None,
    )


def _hex(hashed: bytes | None) -> str | None:
    return hashed.hex() if hashed is not None else None
