"""Seeds a stage with a world worth looking at: a shop that is fine, one that ends soon, one that has stopped."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from evergrant.core.flows import PULLED
from evergrant.stage.cast import Login, Stage, StageError
from evergrant.stage.hands import Hands, consent_by_steering

LOGIN = Login(email="owner@vendor.example", password="evergreen")  # noqa: S106  (printed on the screen; it opens a demo)
SELLERS_PASSWORD = "sandbox"  # noqa: S105  (of every seeded seller; the sandbox prints it on its front page)
SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]
BEGAN = timedelta(days=20)
"""The demo's world begins this long ago, so that there is a past to look at."""

CAST = (
    ("clara@kuechenliebe.example", "365d"),
    ("amelia@thamesandclay.example", "32d"),
    ("logan@cedarridge.example", "18d"),
)
"""Who consents 20 days ago, and for how long: 345 days left, 12 days left, over since two days."""

MISSED_ORDERS = 9
SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.2

Told = Callable[[str], None]


def seed(stage: Stage, told: Told) -> None:
    """Make the world of a new stage.

    Raises:
        RefusedError: hub or sandbox refuse what it is made of.
        StageError: the shops do not come to life in time.
    """
    hands = Hands(stage)
    told("making a world: three sellers, their shops and orders, twenty days of history")
    wall = datetime.fromisoformat(hands.sandbox("GET", "/clock")["now"])
    hands.sandbox("POST", "/reset", {"now": (wall - BEGAN).isoformat()})
    _apps(hands)
    for email, period in CAST:
        _connect(hands, email, period)
    _wait(
        hands,
        lambda flows: all(flow["last_success_at"] for flow in flows if flow["name"] in PULLED),
        "The first orders did not arrive",
    )
    hands.sandbox("POST", "/clock", {"advance": f"{int(BEGAN.total_seconds())}s"})
    ended = "authorization_expired"
    _wait(hands, lambda flows: any(flow["reason"] == ended for flow in flows), "No shop came to its end")
    stopped = next(shop for email, _ in CAST[2:] for shop in _seller(hands, email)["shops"])
    hands.sandbox("POST", "/orders", {"shop": stopped["id"], "count": MISSED_ORDERS})


def greeting(stage: Stage) -> Panel:
    """Addresses and logins, and what to try first."""
    places, stopped = stage.places, _stopped(Hands(stage))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for word, first, *more in (
        ("Dashboard", f"[link={places.hub}]{places.hub}[/link]", f"{stage.login.email}  /  {stage.login.password}"),
        ("Sandbox", f"[link={places.sandbox}]{places.sandbox}[/link]", "every seller and login, and the clock to turn"),
        ("Workspace", stage.tenant.id),
        ("API key", stage.tenant.api_key),
        ("Try", *_to_try(stopped)),
    ):
        table.add_row(word, first)
        for line in more:
            table.add_row("", line)
        table.add_row("", "")
    title, stop = "[b green]Evergrant is running[/b green]", "Ctrl-C stops everything"
    return Panel(table, title=title, subtitle=stop, expand=False, padding=(1, 2, 0, 2))


def _to_try(stopped: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What is worth trying in the world as it is now."""
    if stopped is None:
        return (
            "Every shop is connected. Turn the sandbox's clock on until one ends,",
            "press [b]Renew now[/b] beside it, consent as its owner, and watch it come back.",
        )
    return (
        f"Log in, press [b]Renew now[/b] beside {escape(stopped['name'])},",
        f"consent as its owner, {escape(stopped['email'])}  /  {SELLERS_PASSWORD},",
        "and watch the shop come back.",
    )


def _stopped(hands: Hands) -> Mapping[str, Any] | None:
    """The merchant of a shop whose period is over just now; None if there is none."""
    over = {found["merchant_id"] for found in hands.all("/v1/connections") if found["status"] == "expired"}
    return next((known for known in hands.all("/v1/merchants") if known["id"] in over and known["email"]), None)


def _apps(hands: Hands) -> None:
    """The vendor's app, known to both sides. It is the app every sandbox begins with, pointed to this hub: no other app
    is in this world, whose consent would lead nowhere.
    """
    seeded = hands.sandbox("GET", "/world")["apps"][0]
    given = {"name": "Acme Sync"} | {name: seeded[name] for name in ("key", "secret", "service_id")}
    hub = {"region": "ALL", "base_urls": {"sandbox": hands.stage.places.sandbox}, "required_scopes": SCOPES}
    made = hands.hub("POST", "/v1/apps", given | hub)
    sandbox = {
        "kind": "shop",
        "redirect_urls": [made["redirect_url"]],
        "webhook_url": made["webhook_url"],
        "scopes": SCOPES,
        "visibility": "public",
        "status": "published",
    }
    hands.sandbox("POST", "/apps", given | sandbox)


def _connect(hands: Hands, email: str, period: str) -> None:
    seller = _seller(hands, email)
    app = hands.hub("GET", "/v1/apps")["items"][0]
    merchant = hands.hub("POST", "/v1/merchants", {"external_id": email, "name": seller["name"], "email": email})
    link = hands.hub("POST", "/v1/link-sessions", {"merchant_id": merchant["id"], "app_id": app["id"]})
    consent_by_steering(hands, link, app_key=app["key"], seller=email, shop=seller["shops"][0]["id"], period=period)


def _seller(hands: Hands, email: str) -> dict[str, Any]:
    world = hands.sandbox("GET", "/world")
    return next(seller for seller in world["sellers"] if seller["email"] == email)


def _wait(hands: Hands, settled: Callable[[list[dict[str, Any]]], bool], otherwise: str) -> None:
    deadline = monotonic() + SETTLE_SECONDS
    while not settled([flow for found in hands.all("/v1/connections") for flow in found["flows"]]):
        if monotonic() > deadline:
            raise StageError(f"{otherwise} within {SETTLE_SECONDS:.0f} s. See {hands.stage.places.folder / 'logs'}.")
        sleep(LOOK_SECONDS)
