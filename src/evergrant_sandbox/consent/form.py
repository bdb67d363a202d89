"""The consent form: what it offers a seller, and whether what came back can be accepted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from evergrant_sandbox import switches
from evergrant_sandbox.book import grants, sellers
from evergrant_sandbox.book.visits import Visit
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.pages.browser import SignedIn
from evergrant_sandbox.pages.credentials import is_email
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.eligibility import shops_for
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.scopes import SCOPES, Scope
from evergrant_sandbox.world.seller import Kind, Shop

# What "Target shop" says for a cross-border seller, whose consent covers all shops.
ALL_SHOPS = "all"
REAUTHORIZE_ONLY = "Re-authorize only"

# The order of the fields on the page, for the list of faults.
_ORDER = ("target_shop", "renew_option", "period", "contact_email", "contact_phone", "agree")
_PHONE = re.compile(r"\+?[0-9 ()./-]{5,24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One line of "Target shop"."""

    value: str
    label: str
    # None: all shops of a cross-border seller.
    shop: Shop | None
    # The authorization there is already, alive or over.
    standing: Grant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the form offers this seller for this app."""

    app: App
    targets: tuple[Target, ...]
    chosen: Target
    renew_options: tuple[str, ...]
    periods: tuple[int, ...]
    scopes: tuple[Scope, ...]

    @property
    def renews(self) -> bool:
        """Whether the page is titled "Renew"."""
        return self.chosen.standing is not None

    @property
    def period(self) -> int | None:
        """The period to preselect: on a renewal the one before."""
        before = self.chosen.standing.period // DAY if self.chosen.standing else None
        return before if before in self.periods else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form as it came back: what was entered, and what is wrong with it, by field."""

    target: Target | None
    period: int | None
    renew_option: str
    contact_email: str
    contact_phone: str
    faults: Mapping[str, str] = field(default_factory=dict)


def offer(platform: Platform, app: App, who: SignedIn, *, now: int, wanted: str = "") -> Offer | None:
    """What to offer for the target that is wanted, or for the likeliest; None if the seller has no shop."""
    targets = _targets(platform, app, who)
    if not targets:
        return None
    standing = [target for target in targets if target.standing]
    # The one that ends first is the one a renewal is about.
    likeliest = min(standing, key=_end_of, default=targets[0])
    chosen = next((target for target in targets if target.value == wanted), likeliest)
    return Offer(
        app=app,
        targets=targets,
        chosen=chosen,
        renew_options=_renew_options(platform, app, chosen.standing, now=now),
        periods=tuple(int(days) for days in platform.switches.of(switches.AUTHORIZATION_PERIODS).split(",")),
        scopes=tuple(SCOPES[key] for key in app.scopes),
    )


def read(fields: Mapping[str, str], offered: Offer) -> Filled:
    """What a seller has entered behind the link, checked."""
    filled = read_renewal(fields, offered)
    days = fields.get("period", "")
    period = int(days) if days in {str(each) for each in offered.periods} else None
    if period is not None:
        return replace(filled, period=period)
    faults = {**filled.faults, "period": "Choose an authorization period."}
    return replace(filled, faults={name: faults[name] for name in _ORDER if name in faults})


def read_renewal(fields: Mapping[str, str], offered: Offer) -> Filled:
    """What a seller has entered in Seller Center, where the period is not asked for, checked."""
    faults: dict[str, str] = {}
    target = next((each for each in offered.targets if each.value == fields.get("target_shop")), None)
    if target is None:
        faults["target_shop"] = "Choose the shop to authorize."
    option = fields.get("renew_option", "")
    if target and target.standing and offered.renew_options and option not in offered.renew_options:
        faults["renew_option"] = "Choose a renew option."
    email, phone = fields.get("contact_email", "").strip(), fields.get("contact_phone", "").strip()
    if not is_email(email):
        faults["contact_email"] = "Enter the e-mail address at which you can be reached."
    if phone and not _PHONE.fullmatch(phone):
        faults["contact_phone"] = "Enter a telephone number, or leave it empty."
    if fields.get("agree") != "yes":
        faults["agree"] = f"Agree to share this data with {offered.app.name} to go on."
    return Filled(
        target=target, period=None, renew_option=option, contact_email=email, contact_phone=phone, faults=faults
    )


def shown(filled: Filled, offered: Offer) -> Filled:
    """The form for another target, asked for but not yet confirmed: what was entered stays, nothing is wrong yet."""
    option = offered.renew_options[0] if offered.renew_options else ""
    return replace(
        filled,
        target=filled.target or offered.chosen,
        period=filled.period or offered.period,
        renew_option=option,
        faults={},
    )


def confirmed(visit: Visit, filled: Filled) -> Visit:
    """The walk with what the form was confirmed with."""
    return replace(
        visit,
        target=filled.target.value if filled.target else None,
        period=(filled.period or 0) * DAY,
        contact_email=filled.contact_email,
        contact_phone=filled.contact_phone,
    )


def label_of(shop: Shop) -> str:
    """A shop as a person reads it."""
    return f"{shop.name} ({shop.region})"


def label_of_all(shops: Iterable[Shop]) -> str:
    """All shops of a cross-border seller, as a person reads them."""
    return f"All shops ({', '.join(shop.region for shop in shops)})"


def _targets(platform: Platform, app: App, who: SignedIn) -> tuple[Target, ...]:
    shops = shops_for(app, who.seller, sellers.shops_of(platform.book, who.seller.id))
    standing = {
        grant.shop_id: grant for grant in grants.of_seller(platform.book, app_key=app.key, seller_id=who.seller.id)
    }
    if shops and who.seller.kind is Kind.CROSS_BORDER:
        return (Target(value=ALL_SHOPS, label=label_of_all(shops), shop=None, standing=standing.get(None)),)
    return tuple(
        Target(value=shop.id, label=label_of(shop), shop=shop, standing=standing.get(shop.id)) for shop in shops
    )


def _end_of(target: Target) -> int:
    if target.standing is None:
        return 2**62
    return target.standing.ended_at or target.standing.ends_at


def _renew_options(platform: Platform, app: App, standing: Grant | None, *, now: int) -> tuple[str, ...]:
    """The drop-down: "Re-authorize only" is missing while the authorization "may already be valid" (source S1)."""
    if standing is None:
        return ()
    incomplete = not set(app.scopes) <= set(standing.scopes)
    always = platform.switches.of(switches.RENEW_OPTION_WHILE_VALID) == "offered"
    return (REAUTHORIZE_ONLY,) if always or incomplete or standing.ends_soon(now) else ()
