"""My apps and incidents: the list, and the "Renew" dialog over it, to the letter of source S1."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.acts.consent import Contact
from evergrant_sandbox.consent import form as consent_form
from evergrant_sandbox.consent import refusals
from evergrant_sandbox.consent.form import Filled, Offer
from evergrant_sandbox.pages.door import RefusedError
from evergrant_sandbox.pages.rendering import Pages, day
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.seller_center import app_rows
from evergrant_sandbox.seller_center.app_rows import Row
from evergrant_sandbox.seller_center.desk import Desk, at_desk
from evergrant_sandbox.world import grant as rules
from evergrant_sandbox.world.eligibility import hindrance
from evergrant_sandbox.world.grant import Grant, end_after
from evergrant_sandbox.world.roles import Deed, Page, may

# "Confirm to install" is how Pipe17 writes this dialog's button (S1); the link's form follows the switch.
_BUTTON = "Confirm to install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """What the dialog shows."""

    row: Row
    offer: Offer
    entered: Filled
    # Where the end is, and where it will be; None where there is nothing to renew.
    standing: Grant | None
    new_end: int | None
    button: str = _BUTTON


class MyApps:
    """The tab "Apps", with the dialog that renews."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (("", ("GET",), self.apps), ("/{id}/renew", ("GET", "POST"), self.renew))
        return [
            at_desk(self._platform, self._pages, f"{Page.APPS}{path}", methods, Page.APPS, seated)
            for path, methods, seated in table
        ]

    async def apps(self, desk: Desk) -> Response:
        """The list."""
        return self._list(desk, told=self._told(desk))

    async def renew(self, desk: Desk) -> Response:
        """The dialog, and what its button does."""
        fields = await desk.door.browser.form() if desk.door.request.method == "POST" else {}
        row = app_rows.row(desk)
        _check_owner(desk)
        hindered = hindrance(row.app, desk.who.seller, desk.shops)
        if hindered:
            raise refusals.hindered(hindered, row.app, self._platform.switches)
        wanted = fields.get("target_shop") or row.grant.shop_id or consent_form.ALL_SHOPS
        offered = consent_form.offer(self._platform, row.app, desk.who, now=desk.now, wanted=wanted)
        if offered is None:
            raise RefusedError("no_shop", "There is no shop to authorize", f"{desk.who.seller.name} has no shop.")
        if not fields:
            return self._dialog(desk, row, offered, _as_known(desk, offered))
        filled = consent_form.read_renewal(fields, offered)
        if fields.get("action") == "show":
            return self._dialog(desk, row, offered, consent_form.shown(filled, offered))
        standing = offered.chosen.standing
        if filled.target and (standing is None or not offered.renew_options):
            return self._dialog(desk, row, offered, consent_form.shown(filled, offered), status=409)
        if filled.faults or standing is None:
            return self._dialog(desk, row, offered, filled, status=422)
        return self._renewed(desk, standing, filled)

    def _renewed(self, desk: Desk, standing: Grant, filled: Filled) -> Response:
        """Renewed for one shop; "Re-authorize only" renews nothing else, so the period is the one before."""
        given = self._platform.registry.in_seller_center(
            standing,
            period=standing.period,
            now=desk.now,
            contact=Contact(email=filled.contact_email, phone=filled.contact_phone),
        )
        self._platform.agenda.wake()
        desk.door.entry.grant_id = given.grant.id
        return RedirectResponse(given.url or f"{Page.APPS}?renewed={given.grant.id}", 303)

    def _dialog(self, desk: Desk, row: Row, offered: Offer, entered: Filled, *, status: int = 200) -> Response:
        standing = offered.chosen.standing
        new_end = None
        if standing and offered.renew_options:
            rule = rules.NewEnd(self._platform.switches.of(switches.END_AFTER_RECONSENT))
            new_end = end_after(standing, period=standing.period, rule=rule, now=desk.now)
        response = self._list(
            desk,
            status=status,
            leads_to=(row.app.redirect_url,),
            renewal=Renewal(row=row, offer=offered, entered=entered, standing=standing, new_end=new_end),
        )
        if status == 409:
            response.headers["X-Error-Code"] = "nothing_to_renew"
        return response

    def _list(
        self,
        desk: Desk,
        *,
        status: int = 200,
        leads_to: tuple[str, ...] = (),
        told: str = "",
        renewal: Renewal | None = None,
    ) -> Response:
        return desk.page(
            "seller_center/apps.html",
            status=status,
            leads_to=leads_to,
            rows=app_rows.rows(desk),
            most=app_rows.MOST_ROWS,
            is_owner=may(desk.who.account.role, Deed.AUTHORIZE_APPS),
            action=self._platform.switches.of(switches.ROW_ACTION),
            told=told,
            renewal=renewal,
        )

    def _told(self, desk: Desk) -> str:
        """How the act came out that led here, if one did."""
        query = desk.door.request.query_params
        for row in app_rows.rows(desk) if query else ():
            number = str(row.grant.id)
            if query.get("renewed") == number and row.grant.is_alive(desk.now):
                return f"{row.app.name} is renewed for {row.shop}, until {day(row.grant.ends_at)}."
            if query.get("cancelled") == number and not row.grant.is_alive(desk.now):
                return f"{row.app.name} can no longer reach {row.shop}. You can authorize it again at any time."
        return ""


def _check_owner(desk: Desk) -> None:
    if not may(desk.who.account.role, Deed.AUTHORIZE_APPS):
        raise refusals.not_the_owner(desk.who, path=Page.APPS)


def _as_known(desk: Desk, offered: Offer) -> Filled:
    """The dialog as it opens: prefilled with what is known."""
    standing = offered.chosen.standing
    return Filled(
        target=offered.chosen,
        period=None,
        renew_option=offered.renew_options[0] if offered.renew_options else "",
        contact_email=(standing.contact_email if standing else "") or desk.who.account.email,
        contact_phone=standing.contact_phone if standing else desk.who.seller.phone,
    )
