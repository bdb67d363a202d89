"""The tour itself: thirteen promises, kept one after the other on a stage, each with what was seen."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import sleep
from typing import Any

import uvloop

from evergrant import settings
from evergrant.assembly import database
from evergrant.assembly.house import Arguments, house
from evergrant.core.errors import EvergrantError
from evergrant.stage.cast import Stage
from evergrant.stage.hands import Hands, RefusedError
from evergrant.tour.browser import Browser, PageError
from evergrant.tour.promises import BrokenError, Promise, must, patiently

KEY, SECRET, SERVICE = "6tourvendorapp", "tour_secret_7c1e94a3b2", "7000000000000002002"
SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]
SELLER, PASSWORD = "juno@junipergoods.example", "sandbox"
PERIOD_DAYS = 90
FIRST_ORDERS, MISSED_ORDERS = 12, 9
SHARED_SECONDS = 2.0

Evidence = Mapping[str, Any]


@dataclass(slots=True)
class Story:
    """What the tour knows so far."""

    stage: Stage
    rotation: str
    hands: Hands
    person: Browser = field(default_factory=Browser)
    app_id: str = ""
    merchant_id: str = ""
    shop_id: str = ""
    connection_id: str = ""
    orders: set[str] = field(default_factory=set)
    ends: datetime | None = None

    # -- what every promise looks at ----------------------------------------------------------------------------------

    def connection(self) -> dict[str, Any]:
        """The connection, as the hub shows it."""
        found: dict[str, Any] = self.hands.hub("GET", f"/v1/connections/{self.connection_id}")
        return found

    def grant(self) -> dict[str, Any]:
        """The grant, as the platform holds it."""
        found: dict[str, Any] = self.hands.sandbox("GET", "/grants", app=KEY)["items"][0]
        return found

    def kept_orders(self) -> list[str]:
        """The ids of the orders the hub holds."""
        path = f"/v1/connections/{self.connection_id}/records"
        return [str(order["id"]) for order in self.hands.all(path, flow="orders")]

    def events(self) -> list[dict[str, Any]]:
        """The connection's life so far."""
        return self.hands.all(f"/v1/connections/{self.connection_id}/timeline")

    def log(self, kind: str) -> list[dict[str, Any]]:
        """What the platform saw of this app."""
        items: list[dict[str, Any]] = self.hands.sandbox("GET", "/log", kind=kind, app=KEY, limit=1000)["items"]
        return items

    def new_orders(self, count: int) -> None:
        """Buyers buy."""
        made = self.hands.sandbox("POST", "/orders", {"shop": self.shop_id, "count": count})
        self.orders |= {str(order["id"]) for order in made["orders"]}

    def advance(self, **span: float) -> None:
        """Turn the clock of the platform."""
        seconds = sum(amount * {"days": 86400, "hours": 3600, "minutes": 60}[unit] for unit, amount in span.items())
        self.hands.sandbox("POST", "/clock", {"advance": f"{int(seconds)}s"})

    def consent(self) -> None:
        """What the seller does on the platform's pages, from wherever they begin to the return."""
        if self.person.has("Next"):
            self.person.press("Next", beside={"region": "GB"})
        if self.person.asks_for_password():
            self.person.press("Log in", login=SELLER, password=PASSWORD)
        self.person.press("Confirm to Install", target_shop=self.shop_id, period=str(PERIOD_DAYS))
        self.person.press("Authorize")

    # -- the promises -------------------------------------------------------------------------------------------------

    def a_consent_connects_the_shop(self) -> Evidence:
        """A seller opens a hosted link, consents on TikTok's pages, and the shop is connected."""
        self._make_the_world()
        wanted = {"merchant_id": self.merchant_id, "app_id": self.app_id}
        link = self.hands.hub("POST", "/v1/link-sessions", wanted)
        self._consent_through(link)
        session = self.hands.hub("GET", f"/v1/link-sessions/{link['id']}")
        self.connection_id = session["result"]["connection_id"]
        found = self.connection()
        must(found["status"] == "active", "the connection is not active", status=found["status"])
        must(
            [shop["id"] for shop in found["shops"]] == [self.shop_id], "another shop is connected", shops=found["shops"]
        )
        return {"connection": self.connection_id, "shop": found["shops"][0]["name"], "page": self.person.heading}

    def the_end_is_known_at_once(self) -> Evidence:
        """The end of the period the seller chose is known from the first moment."""
        ours, theirs = self.connection()["authorization_expires_at"], self.grant()["ends_at"]
        self.ends = datetime.fromisoformat(ours)
        must(
            self.ends == datetime.fromisoformat(theirs),
            "hub and platform disagree on the end",
            hub=ours,
            platform=theirs,
        )
        return {"ends": ours, "days_remaining": self.connection()["days_remaining"]}

    def the_first_orders_arrive(self) -> Evidence:
        """Orders arrive by themselves, each once."""
        self.new_orders(FIRST_ORDERS)
        self.hands.hub("POST", f"/v1/connections/{self.connection_id}/syncs")
        return self._orders_balance()

    def the_token_is_refreshed_once(self) -> Evidence:
        """The token is refreshed before it ends; each refresh token is shown to TikTok once."""
        before = self._token()
        self.advance(days=4)
        after = patiently(self._token, lambda token: token != before, "the token was not refreshed")
        shown = [entry["token_sha256"] for entry in self.log("token") if entry["path"].endswith("/refresh")]
        theirs = self.grant()["access_token_sha256"]
        must(len(shown) >= 1 and len(set(shown)) == len(shown), "a refresh token was shown twice", shown=shown)
        must(hashlib.sha256(after.encode()).hexdigest() == theirs, "hub and platform hold different tokens")
        return {"refreshes": len(shown), "shown_twice": 0, "same_token_on_both_sides": True}

    def the_warning_comes_thirty_days_before(self) -> Evidence:
        """Thirty days before the end the vendor is told, once; TikTok's own notice is understood too."""
        self.advance(days=self._left().days - 29, hours=1)
        told = patiently(
            lambda: [event for event in self.events() if event["type"] == "connection.expiring"],
            bool,
            "nobody was told",
        )
        noticed = patiently(self._warnings_from_tiktok, bool, "TikTok's notice was not accepted")
        must(len(told) == 1, "the vendor was told more than once", times=len(told))
        return {"told": told[0]["data"], "notices_from_tiktok": len(noticed)}

    def everything_stops_at_the_end(self) -> Evidence:
        """At the end every flow stops with its reason, and no token leaves any more."""
        # Weeks that pass in a moment would be seen in passing: whoever refreshed in the middle came after the end.
        self.advance(minutes=self._left() // timedelta(minutes=1) - 10)
        patiently(_forgiving(self._token), bool, "there is no token shortly before the end")
        self.advance(minutes=20)
        found = patiently(self.connection, lambda known: known["status"] != "active", "the connection did not expire")
        must(found["status"] == "expired", "it ended as something else", status=found["status"])
        flows = {flow["name"]: (flow["state"], flow["reason"]) for flow in found["flows"]}
        must(
            all(state == ("paused", "authorization_expired") for state in flows.values()),
            "a flow is not paused",
            flows=flows,
        )
        refused = self.hands.refusal("GET", f"/v1/connections/{self.connection_id}/token")
        must(refused == (409, "authorization_expired"), "the token route answers otherwise", answered=refused)
        return {"flows": {name: reason for name, (_, reason) in flows.items()}, "token": refused[1]}

    def nothing_is_sent_after_the_end(self) -> Evidence:
        """Not one call reaches TikTok after the end: proven from TikTok's own log."""
        ends = self._known_end()
        self.new_orders(MISSED_ORDERS)
        self.hands.refusal("POST", f"/v1/connections/{self.connection_id}/syncs")
        self.advance(hours=6)
        sleep(SHARED_SECONDS)
        late = [
            {"path": entry["path"], "at": entry["at"]}
            for entry in (*self.log("api"), *self.log("token"))
            if datetime.fromisoformat(entry["at"]) >= ends
        ]
        must(not late, "calls were made after the end", calls=late)
        return {"calls_after_the_end": 0, "calls_before_it": len(self.log("api"))}

    def the_owner_renews_through_the_pages(self) -> Evidence:
        """The owner presses Renew now, goes straight to TikTok's consent and comes back: same connection, new end."""
        before = self.ends
        self._log_in()
        self.person.open(f"{self.stage.places.hub}/dashboard")
        self.person.press("Renew now", beside={"connection_id": self.connection_id})
        straight = self.person.has("Confirm to Install")
        self.consent()
        told = "Your TikTok Shop is now successfully renewed!"
        if told not in self.person.text:
            self._renew_again()
        found = patiently(
            self.connection, lambda known: known["status"] == "active", "the connection did not come back"
        )
        self.ends = datetime.fromisoformat(found["authorization_expires_at"])
        must(
            before is not None and self.ends > before, "the end did not move", before=str(before), after=str(self.ends)
        )
        must(len(self.hands.all("/v1/connections")) == 1, "there is a second connection now")
        return {
            "ends": found["authorization_expires_at"],
            "straight_to_consent": straight,
            "told": told in self.person.text,
        }

    def the_flows_resume(self) -> Evidence:
        """The flows run again by themselves."""
        found = patiently(
            self.connection,
            lambda known: {flow["state"] for flow in known["flows"]} == {"running", "not_carried"},
            "a flow is still paused",
        )
        return {"flows": {flow["name"]: flow["state"] for flow in found["flows"]}}

    def what_was_missed_is_caught_up(self) -> Evidence:
        """Every order of the gap arrives, each exactly once."""
        return self._orders_balance()

    def the_outage_is_closed_at_zero(self) -> Evidence:
        """The outage is closed once each flow has passed its checks and everything missed is accounted for."""
        path = f"/v1/connections/{self.connection_id}/outages"
        found = patiently(lambda: self.hands.all(path)[0], lambda known: known["closed_at"], "the outage stays open")
        must(found["open"] == 0 and found["caught_up"] >= MISSED_ORDERS, "the ledger does not balance", ledger=found)
        return {name: found[name] for name in ("cause", "started_at", "ended_at", "closed_at", "caught_up", "open")}

    def a_cancellation_is_noticed_and_verified(self) -> Evidence:
        """The seller cancels: suspended on the notice, verified with TikTok, then cancelled."""
        self.advance(hours=1)
        self.hands.sandbox("POST", f"/grants/{self.grant()['id']}/cancel")
        found = patiently(
            self.connection, lambda known: known["status"] not in ("active", "suspended"), "nobody noticed"
        )
        must(
            found["status"] == "cancelled", "it ended as something else", status=found["status"], reason=found["reason"]
        )
        kinds = [event["type"] for event in self.events()]
        must("connection.suspended" in kinds, "it was not suspended while it was verified", events=kinds[-6:])
        return {"status": found["status"], "reason": found["reason"], "notices": len(self._notices(6))}

    def its_tokens_are_destroyed(self) -> Evidence:
        """Nothing of its tokens is left, in the vault or behind the token route."""
        refused = self.hands.refusal("GET", f"/v1/connections/{self.connection_id}/token")
        must(refused == (409, "authorization_cancelled"), "the token route answers otherwise", answered=refused)
        must(self._vault_is_empty(), "the vault still holds tokens")
        must("tokens.destroyed" in [event["type"] for event in self.events()], "the destruction is not on record")
        return {"vault": "empty", "token": refused[1]}

    # -- small steps --------------------------------------------------------------------------------------------------

    def _known_end(self) -> datetime:
        if self.ends is None:
            raise BrokenError("the end was never known")
        return self.ends

    def _make_the_world(self) -> None:
        given = {"name": "Tour", "key": KEY, "secret": SECRET, "service_id": SERVICE}
        where = {
            "base_urls": {"sandbox": self.stage.places.sandbox},
            "required_scopes": SCOPES,
            "rotation": self.rotation,
        }
        made = self.hands.hub("POST", "/v1/apps", given | where)
        self.app_id = made["id"]
        published = {"kind": "shop", "visibility": "public", "status": "published", "scopes": SCOPES}
        addresses = {"redirect_urls": [made["redirect_url"]], "webhook_url": made["webhook_url"]}
        self.hands.sandbox("POST", "/apps", given | published | addresses)
        if self.rotation != "unknown":
            self.hands.sandbox("POST", f"/apps/{KEY}/rotation", {"mode": self.rotation})
        shop = {"name": "Juniper Goods", "region": "GB", "orders": 0, "products": 8}
        seller = {"name": "Juniper Goods Ltd", "email": SELLER, "password": PASSWORD, "region": "GB", "shops": [shop]}
        self.shop_id = self.hands.sandbox("POST", "/sellers", seller)["shops"][0]["id"]
        merchant = {"external_id": "juniper", "name": "Juniper Goods"}
        self.merchant_id = self.hands.hub("POST", "/v1/merchants", merchant)["id"]

    def _consent_through(self, link: Mapping[str, Any]) -> None:
        """Open the link and consent; once more if a program died on the way, as a person would."""

        def come_through() -> str | None:
            self.person.open(link["url"])
            if self.person.has("Continue to TikTok Shop"):
                self.person.press("Continue to TikTok Shop")
                self.consent()
            outcome: str | None = self.hands.hub("GET", f"/v1/link-sessions/{link['id']}")["outcome"]
            return outcome

        patiently(_forgiving(come_through), lambda outcome: outcome == "completed", "the link was not completed")

    def _renew_again(self) -> None:
        """A program died while the renewal came back: a person looks at the Dashboard and, if need be, renews again."""

        def come_through() -> str:
            status: str = self.connection()["status"]
            if status != "active":
                self._log_in()
                self.person.open(f"{self.stage.places.hub}/dashboard")
                self.person.press("Renew now", beside={"connection_id": self.connection_id})
                self.consent()
            return status

        patiently(_forgiving(come_through), lambda status: status == "active", "the renewal did not come through")

    def _log_in(self) -> None:
        self.person.open(f"{self.stage.places.hub}/login")
        self.person.press("Log in", email=self.stage.login.email, password=self.stage.login.password)

    def _left(self) -> timedelta:
        """How long the authorization lasts, by TikTok's clock."""
        return self._known_end() - datetime.fromisoformat(self.hands.sandbox("GET", "/clock")["now"])

    def _token(self) -> str:
        path = f"/v1/connections/{self.connection_id}/token"
        return str(self.hands.hub("GET", path)["access_token"])

    def _warnings_from_tiktok(self) -> list[dict[str, Any]]:
        """The notices of type 7 that the hub accepted; TikTok comes to a hub that was away again, two minutes later."""
        accepted = self._notices(7)
        if not accepted and self._notices(7, accepted=False):
            self.advance(minutes=2)
        return accepted

    def _notices(self, kind: int, *, accepted: bool = True) -> list[dict[str, Any]]:
        """Notices of a type that the hub accepted, or did not."""
        sent = [entry for entry in self.log("notice") if entry["notice"]["type"] == kind]
        return [entry for entry in sent if (entry["status"] == 200) == accepted]

    def _orders_balance(self) -> Evidence:
        kept = patiently(self.kept_orders, lambda ids: set(ids) >= self.orders, "orders are missing")
        must(len(kept) == len(set(kept)), "an order is there twice")
        must(
            set(kept) == self.orders,
            "there are orders the platform does not know",
            extra=sorted(set(kept) - self.orders),
        )
        return {"at_the_platform": len(self.orders), "in_the_hub": len(kept), "twice": 0}

    def _vault_is_empty(self) -> bool:
        chosen = settings.read(data_dir=self.stage.places.folder / "data", sandbox_urls=self.stage.places.sandbox)

        async def look(arguments: Arguments) -> bool:
            async with house(chosen, arguments) as parts:
                tokens = parts.ports.books.tokens
                return await tokens.access(self.stage.tenant.id, self.connection_id) is None

        with database.ready(chosen) as arguments:
            return uvloop.run(look(arguments))


PROMISES: tuple[Callable[[Story], Evidence], ...] = (
    Story.a_consent_connects_the_shop,
    Story.the_end_is_known_at_once,
    Story.the_first_orders_arrive,
    Story.the_token_is_refreshed_once,
    Story.the_warning_comes_thirty_days_before,
    Story.everything_stops_at_the_end,
    Story.nothing_is_sent_after_the_end,
    Story.the_owner_renews_through_the_pages,
    Story.the_flows_resume,
    Story.what_was_missed_is_caught_up,
    Story.the_outage_is_closed_at_zero,
    Story.a_cancellation_is_noticed_and_verified,
    Story.its_tokens_are_destroyed,
)


def tell(stage: Stage, *, rotation: str) -> Iterator[Promise]:
    """Keep the promises one after the other, each told as it is kept or broken.

    All others rest on the connection the first one makes: if it is broken, the tour ends.
    """
    story = Story(stage=stage, rotation=rotation, hands=Hands(stage))
    for keep in PROMISES:
        name, sentence = keep.__name__, " ".join((keep.__doc__ or "").split())
        try:
            evidence, held = keep(story), True
        except BrokenError as error:
            evidence, held = error.evidence, False
        except (RefusedError, PageError, EvergrantError, OSError, KeyError, IndexError, TypeError, ValueError) as error:
            evidence, held = {"why": f"{type(error).__name__}: {error}"}, False
        yield Promise(name=name, sentence=sentence, held=held, evidence=evidence)
        if not held and keep is PROMISES[0]:
            return


def _forgiving(step: Callable[[], Any]) -> Callable[[], Any]:
    """A step of a person who tries again when a page is not what it should be."""

    def tried() -> Any:
        try:
            return step()
        except (PageError, RefusedError, KeyError):
            return None

    return tried
