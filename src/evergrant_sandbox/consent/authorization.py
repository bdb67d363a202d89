"""The authorization link: prompt, form, review and the way back, in this order and no other."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from evergrant_sandbox import switches
from evergrant_sandbox.acts import callback
from evergrant_sandbox.acts.consent import Consent
from evergrant_sandbox.book import grants, visits
from evergrant_sandbox.clock import DAY
from evergrant_sandbox.consent import form as consent_form
from evergrant_sandbox.consent import refusals, walks
from evergrant_sandbox.consent.form import Filled, Offer, Target
from evergrant_sandbox.consent.walks import Walk
from evergrant_sandbox.pages.browser import SignedIn
from evergrant_sandbox.pages.door import Door, RefusedError, visit
from evergrant_sandbox.pages.rendering import Pages
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import grant as rules
from evergrant_sandbox.world.eligibility import Hindrance, serves
from evergrant_sandbox.world.grant import end_after
from evergrant_sandbox.world.regions import MARKETS
from evergrant_sandbox.world.visit import Situation, Step, next_step

_LONGEST_STATE = 4096
_USUAL_PERIOD = 365 * DAY


class Authorization:
    """The pages behind the link."""

    def __init__(self, platform: Platform, pages: Pages) -> None:
        self._platform = platform
        self._pages = pages

    def routes(self) -> list[Route]:
        """Its routes."""
        table = (
            ("/open/authorize", ("GET",), self.enter),
            ("/oauth/authorize", ("GET",), self.enter),
            ("/authorize/{handle}", ("GET",), self.go_on),
            ("/authorize/{handle}/region", ("GET", "POST"), self.region),
            ("/authorize/{handle}/form", ("GET", "POST"), self.form),
            ("/authorize/{handle}/review", ("GET", "POST"), self.review),
        )
        return [visit(self._platform, self._pages, path, methods, visited) for path, methods, visited in table]

    # --- the steps

    async def enter(self, door: Door) -> Response:
        """The link is opened: a new walk begins. Parameters nobody knows are ignored."""
        app = walks.app_behind(door)
        state = door.request.query_params.get("state")
        market = None if door.browser.who() else door.browser.market
        walk = walks.begin(door, app, state=None if state is None else state[:_LONGEST_STATE], market=market)
        return self._send_to(door, walk)

    async def go_on(self, door: Door) -> Response:
        """Back from the login: on to whichever step is next."""
        return self._send_to(door, walks.find(door))

    async def region(self, door: Door) -> Response:
        """The prompt: regions, one "Next" each."""
        walk = walks.find(door)
        if door.request.method == "POST":
            fields = await door.browser.form()
            market = walks.market_called(fields.get("region"))
            if market is None:
                raise RefusedError("unknown_region", "Choose a region", "Go back and click one of the Next buttons.")
            if not serves(walk.app, market.regions):
                way_on = refusals.another_region(f"{walk.path}/region")
                raise refusals.hindered(Hindrance.REGION, walk.app, self._platform.switches, way_on=way_on)
            with self._platform.book.transaction():
                visits.note_market(self._platform.book, walk.visit.handle, market.code)
            response = self._send_to(door, walks.find(door))
            door.browser.remember_market(response, market.code)
            return response
        return door.page("consent/region.html", app=walk.app, path=walk.path, markets=MARKETS)

    async def form(self, door: Door) -> Response:
        """The form, titled "Renew" when there is something to renew."""
        walk = walks.find(door)
        step = self._step(door, walk)
        # Whoever has confirmed the form may come back to it from the review.
        if step is not Step.FORM and (step is not Step.REVIEW or walk.visit.target is None):
            return self._send_to(door, walk)
        who = walks.consenting(door, walk)
        fields = await door.browser.form() if door.request.method == "POST" else {}
        if fields.get("action") == "discard":
            return self._discard(walk)
        wanted = fields.get("target_shop") or door.request.query_params.get("target_shop", "")
        offered = self._offer(door, walk, who, wanted)
        filled = None
        if fields:
            filled = consent_form.read(fields, offered)
            if fields.get("action") == "show":
                filled = consent_form.shown(filled, offered)
            elif not filled.faults:
                with self._platform.book.transaction():
                    visits.note_form(self._platform.book, consent_form.confirmed(walk.visit, filled))
                return RedirectResponse(f"{walk.path}/review", 303)
        return self._show_form(door, walk, who, offered, filled)

    async def review(self, door: Door) -> Response:
        """The full details, a checkbox that must be checked, and the button that grants."""
        walk = walks.find(door)
        if self._step(door, walk) is not Step.REVIEW:
            if door.request.method == "POST":
                await door.browser.form()
            return self._send_to(door, walk)
        who = walks.consenting(door, walk)
        target, consent = self._agreed(door, walk, who)
        unchecked = False
        if door.request.method == "POST":
            fields = await door.browser.form()
            if fields.get("action") == "discard":
                return self._discard(walk)
            if fields.get("agree") == "yes":
                return self._authorize(door, walk, consent)
            unchecked = True
        return door.page(
            "consent/review.html",
            status=422 if unchecked else 200,
            leads_to=(walk.app.redirect_url,),
            app=walk.app,
            path=walk.path,
            target=target,
            consent=consent,
            ends_at=self._end(target, consent, door.now),
            scopes=self._offer(door, walk, who).scopes,
            unchecked=unchecked,
            may_go_back=walk.visit.target is not None,
        )

    # --- what the steps have in common

    def _step(self, door: Door, walk: Walk) -> Step:
        who = walk.who
        mine = grants.of_seller(self._platform.book, app_key=walk.app.key, seller_id=who.seller.id) if who else []
        offered = consent_form.offer(self._platform, walk.app, who, now=door.now) if who else None
        return next_step(
            Situation(
                origin=who.seller.origin if who else None,
                renews=bool(mine),
                region_known=walk.visit.market is not None,
                # A form that another seller confirmed, before the account was switched, does not count.
                form_confirmed=offered is not None
                and walk.visit.target in {target.value for target in offered.targets},
            )
        )

    def _send_to(self, door: Door, walk: Walk) -> Response:
        step = self._step(door, walk)
        if step is Step.LOGIN:
            return RedirectResponse(f"/seller/login?next={walk.path}", 303)
        return RedirectResponse(f"{walk.path}/{step}", 303)

    def _offer(self, door: Door, walk: Walk, who: SignedIn, wanted: str = "") -> Offer:
        offered = consent_form.offer(self._platform, walk.app, who, now=door.now, wanted=wanted)
        if offered is None:
            sentence = f"{who.seller.name} has not opened a shop. Log in as a seller who has one."
            way_on = refusals.switch_account(walk.path)
            raise RefusedError("no_shop", "There is no shop to authorize", sentence, way_on=way_on)
        return offered

    def _show_form(self, door: Door, walk: Walk, who: SignedIn, offered: Offer, filled: Filled | None) -> Response:
        entered = filled or Filled(
            target=offered.chosen,
            period=offered.period,
            renew_option=offered.renew_options[0] if offered.renew_options else "",
            contact_email=who.account.email,
            contact_phone=who.seller.phone,
        )
        return door.page(
            "consent/form.html",
            status=422 if filled and filled.faults else 200,
            leads_to=(walk.app.redirect_url,),
            app=walk.app,
            path=walk.path,
            offer=offered,
            entered=entered,
            # Another target shop was asked for: the focus stays at it.
            shown=filled is not None and not filled.faults,
            button=self._platform.switches.of(switches.INSTALL_BUTTON),
        )

    def _agreed(self, door: Door, walk: Walk, who: SignedIn) -> tuple[Target, Consent]:
        """What Authorize will grant: what the form was confirmed with, or a test account's usual."""
        offered = self._offer(door, walk, who)
        entered = walk.visit
        target = next((each for each in offered.targets if each.value == entered.target), offered.chosen)
        return target, Consent(
            app=walk.app,
            seller=who.seller,
            shop=target.shop,
            period=entered.period or _USUAL_PERIOD,
            scopes=walk.app.scopes,
            contact_email=entered.contact_email or who.account.email,
            contact_phone=entered.contact_phone if entered.target else who.seller.phone,
            route=rules.Route.LINK,
        )

    def _end(self, target: Target, consent: Consent, now: int) -> int:
        rule = rules.NewEnd(self._platform.switches.of(switches.END_AFTER_RECONSENT))
        return end_after(target.standing, period=consent.period, rule=rule, now=now)

    def _authorize(self, door: Door, walk: Walk, consent: Consent) -> Response:
        with self._platform.book.transaction():
            visits.end(self._platform.book, walk.visit.handle)
            given = self._platform.registry.by_link(consent, state=walk.visit.state, now=door.now)
        self._platform.agenda.wake()
        door.entry.grant_id = given.grant.id
        countdown = self._platform.switches.of(switches.RETURN_COUNTDOWN)
        if countdown == "off":
            return RedirectResponse(given.url, 303)
        seconds = countdown.rstrip("s")
        page = door.page("consent/return.html", app=walk.app, url=given.url, seconds=seconds)
        # As a redirect would write it: a header is ASCII, the path of a Redirect URL need not be.
        page.headers["Refresh"] = f"{seconds}; url={RedirectResponse(given.url).headers['location']}"
        return page

    def _discard(self, walk: Walk) -> Response:
        with self._platform.book.transaction():
            visits.end(self._platform.book, walk.visit.handle)
        return RedirectResponse(callback.refused(walk.app, self._platform.switches, state=walk.visit.state), 303)
