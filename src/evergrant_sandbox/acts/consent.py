"""A seller says yes: a grant is made, or the same grant is renewed in place, and a code is given out for it."""

from dataclasses import dataclass, replace

from evergrant_sandbox import clock, switches
from evergrant_sandbox.acts import callback, subscribing
from evergrant_sandbox.book import apps, codes, grants, history, pairs, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.history import What
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.world import ids, warnings
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import CODE_LIFE, EndedBy, Grant, NewEnd, Route, State, end_after
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.regions import REGIONS
from evergrant_sandbox.world.seller import Kind, Seller, Shop
from evergrant_sandbox.world.tokens import Mint, sha256

_WHERE = {
    Route.LINK: "by the app's link",
    Route.SELLER_CENTER: "in Seller Center",
    Route.DEVELOPMENT_SHOP: "in Development Shops, without a link",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a seller agreed to."""

    app: App
    seller: Seller
    # None: a cross-border seller, all shops.
    shop: Shop | None
    period: int
    scopes: tuple[str, ...]
    contact_email: str
    contact_phone: str
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How the seller can be reached about the authorization."""

    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What came of a consent. Code and address are empty when the app is not called back."""

    grant: Grant
    code: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Keeps the consents of one world."""

    book: Book
    mint: Mint
    switches: Switches
    dice: Dice

    def by_link(self, consent: Consent, *, state: str | None, now: int) -> Given:
        """The seller agreed on the pages behind the app's link."""
        with self.book.transaction():
            return self._called_back(consent, state=state, now=now)

    def in_seller_center(self, grant: Grant, *, period: int, now: int, contact: Contact | None = None) -> Given:
        """The seller renewed from My apps and incidents: no state, and a code only if the app is called back."""
        known = Contact(email=grant.contact_email, phone=grant.contact_phone)
        consent = self._again(grant, period, contact or known)
        with self.book.transaction():
            if self.switches.of(switches.SELLER_CENTER_RENEWAL) == "calls_back":
                return self._called_back(consent, state=None, now=now)
            return Given(grant=self.agree(consent, now=now), code="", url="")

    def agree(self, consent: Consent, *, now: int) -> Grant:
        """The grant as it stands after the consent."""
        with self.book.transaction():
            standing = grants.find_by_target(
                self.book,
                app_key=consent.app.key,
                seller_id=consent.seller.id,
                shop_id=consent.shop.id if consent.shop else None,
            )
            grant = self._renewed(standing, consent, now) if standing else self._first(consent, now)
            if standing:
                self._end_old_pairs(standing, now=now)
            heard = subscribing.hears_of_grants(self.book, consent.app)
            zone = self.switches.of(switches.DAILY_WARNING_ZONE)
            warn_at = warnings.first(granted_at=now, ends_at=grant.ends_at, zone=zone)
            grants.keep(
                self.book,
                grant,
                warn_at=warn_at if heard else None,
                lapse_at=grant.ends_at if heard else None,
            )
            detail = (
                f"{_WHERE[consent.route]}, for {clock.in_words(consent.period)}, until {clock.rfc3339(grant.ends_at)}"
            )
            history.note(self.book, grant_id=grant.id, at=now, what=What.CONSENT, detail=detail)
        return grant

    def code_for(self, grant: Grant, *, now: int) -> str:
        """A new auth code for the grant's newest consent: 30 minutes, one use, bound to the app."""
        code = self.mint.code(prefix=grant.prefix, throw=self.dice(16))
        with self.book.transaction():
            codes.keep(
                self.book,
                sha256=sha256(code),
                app_key=grant.app_key,
                spent=codes.Spent(grant_id=grant.id, consent=grant.consents),
                ends_at=now + CODE_LIFE,
            )
            history.note(self.book, grant_id=grant.id, at=now, what=What.CODE, detail=sha256(code).hex())
        return code

    def _called_back(self, consent: Consent, *, state: str | None, now: int) -> Given:
        grant = self.agree(consent, now=now)
        code = self.code_for(grant, now=now)
        region = consent.shop.region if consent.shop else consent.seller.region
        url = callback.granted(consent.app, self.switches, code=code, state=state, region=region)
        return Given(grant=grant, code=code, url=url)

    def _again(self, grant: Grant, period: int, contact: Contact) -> Consent:
        app, seller = apps.find(self.book, grant.app_key), sellers.find(self.book, grant.seller_id)
        if app is None or seller is None:
            raise LookupError("the grant's app or seller is gone")
        return Consent(
            app=app,
            seller=seller,
            shop=sellers.shop(self.book, grant.shop_id) if grant.shop_id else None,
            period=period,
            scopes=app.scopes,
            contact_email=contact.email,
            contact_phone=contact.phone,
            route=Route.SELLER_CENTER,
        )

    def _first(self, consent: Consent, now: int) -> Grant:
        number = int(ids.digits(self.dice, prefix="7", length=18))
        whose = f"grant:{number}" if self.switches.of(switches.OPEN_ID_PER) == "grant" else consent.seller.id
        region = consent.shop.region if consent.shop else consent.seller.region
        return Grant(
            id=number,
            app_key=consent.app.key,
            seller_id=consent.seller.id,
            shop_id=consent.shop.id if consent.shop else None,
            open_id=self.mint.open_id(app_key=consent.app.key, whose=whose),
            prefix=REGIONS[region].prefix,
            scopes=consent.scopes,
            granted_at=now,
            period=consent.period,
            ends_at=end_after(None, period=consent.period, rule=NewEnd.FROM_CONSENT, now=now),
            state=State.ACTIVE,
            ended_at=None,
            ended_by=EndedBy.NOBODY,
            consents=1,
            contact_email=consent.contact_email,
            contact_phone=consent.contact_phone,
        )

    def _renewed(self, standing: Grant, consent: Consent, now: int) -> Grant:
        rule = NewEnd(self.switches.of(switches.END_AFTER_RECONSENT))
        kept_back = (
            consent.route is Route.LINK
            and standing.is_alive(now)
            and self.switches.of(switches.NEW_SCOPES_BY_LINK) == "kept_back"
        )
        scopes = tuple(scope for scope in consent.scopes if scope in standing.scopes) if kept_back else consent.scopes
        return replace(
            standing,
            scopes=scopes,
            granted_at=now,
            period=consent.period,
            ends_at=end_after(standing, period=consent.period, rule=rule, now=now),
            state=State.ACTIVE,
            ended_at=None,
            ended_by=EndedBy.NOBODY,
            consents=standing.consents + 1,
            contact_email=consent.contact_email,
            contact_phone=consent.contact_phone,
        )

    def _end_old_pairs(self, standing: Grant, *, now: int) -> None:
        # What an ended authorization left behind must not come back to life with it.
        at_once = self.switches.of(switches.OLD_PAIR_AFTER_RECONSENT) == "refused_at_consent"
        if at_once or not standing.is_alive(now):
            pairs.revoke_all(self.book, grant_id=standing.id, at=now)


def covers_all_shops(seller: Seller) -> bool:
    """One consent of a cross-border seller covers all shops; a local seller consents shop by shop."""
    return seller.kind is Kind.CROSS_BORDER
