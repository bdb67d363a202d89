"""Seeds a stage with a world worth looking at: a shop that is fine, one that ends soon, one that has stopped."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import sleep
from typing import Any

from rich.panel import Panel
from rich.table import Table

from evergrant.stage.cast import Login, Stage
from evergrant.stage.hands import Hands, consent_by_steering

LOGIN = Login(email="owner@vendor.example", password="evergreen")  # noqa: S106  (printed on the screen; it opens a demo)
SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic"]
KEY, SECRET, SERVICE = "6demovendorapp", "demo_secret_2f8c1b7d5e", "7000000000000001001"
BEGAN = timedelta(days=20)
"""The demo's world begins this long ago, so that there is a past to look at."""

CAST = (
    ("clara@kuechenliebe.example", "365d"),
    ("amelia@thamesandclay.example", "32d"),
    ("logan@cedarridge.example", "18d"),
)
"""Who consents 20 days ago, and for how long: 345 days left, 12 days left, over since two days."""

MISSED_ORDERS = 9
SETTLE_SECONDS = 20.0
LOOK_SECONDS = 0.2

Told = Callable[[str], None]


def seed(stage: Stage, told: Told) -> None:
    """Make the world once; a stage that has it keeps it."""
    hands = Hands(stage)
    if hands.hub("GET", "/v1/apps")["items"]:
        return
    told("making a world: three sellers, their shops and orders, twenty days of history")
    wall = datetime.fromisoformat(hands.sandbox("GET", "/clock")["now"])
    hands.sandbox("POST", "/reset", {"now": (wall - BEGAN).isoformat()})
    _apps(hands)
    for email, period in CAST:
        _connect(hands, email, period)
    _wait(hands, lambda flows: all(flow["last_success_at"] for flow in flows))
    hands.sandbox("POST", "/clock", {"advance": f"{int(BEGAN.total_seconds())}s"})
    _wait(hands, lambda flows: any(flow["reason"] == "authorization_expired" for flow in flows))
    stopped = next(shop for email, _ in CAST[2:] for shop in _seller(hands, email)["shops"])
    hands.sandbox("POST", "/orders", {"shop": stopped["id"], "count": MISSED_ORDERS})


def greeting(stage: Stage) -> Panel:
    """Addresses and logins, and what to try first."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for word, first, *more in (
        ("Dashboard", f"[link={stage.hub}]{stage.hub}[/link]", f"{stage.login.email}  /  {stage.login.password}"),
        ("Sandbox", f"[link={stage.sandbox}]{stage.sandbox}[/link]", "every seller and login, and the clock to turn"),
        ("Seller", "logan@cedarridge.example  /  sandbox", "owner of Cedar Ridge Outfitters"),
        ("API key", stage.api_key),
        (
            "Try",
            "Log in, press [b]Renew now[/b] beside Cedar Ridge Outfitters,",
            "consent as its owner, and watch the shop come back.",
        ),
    ):
        table.add_row(word, first)
        for line in more:
            table.add_row("", line)
        table.add_row("", "")
    title, stop = "[b green]Evergrant is running[/b green]", "Ctrl-C stops everything"
    return Panel(table, title=title, subtitle=stop, expand=False, padding=(1, 2, 0, 2))


def _apps(hands: Hands) -> None:
    """The vendor's app, known to both sides."""
    given = {"name": "Acme Sync", "key": KEY, "secret": SECRET, "service_id": SERVICE}
    hub = {"base_urls": {"sandbox": hands.stage.sandbox}, "required_scopes": SCOPES}
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
    consent_by_steering(hands, link, app_key=KEY, seller=email, shop=seller["shops"][0]["id"], period=period)


def _seller(hands: Hands, email: str) -> dict[str, Any]:
    world = hands.sandbox("GET", "/world")
    return next(seller for seller in world["sellers"] if seller["email"] == email)


def _wait(hands: Hands, settled: Callable[[list[dict[str, Any]]], bool]) -> None:
    for _ in range(int(SETTLE_SECONDS / LOOK_SECONDS)):
        flows = [flow for found in hands.all("/v1/connections") for flow in found["flows"]]
        if settled(flows):
            return
        sleep(LOOK_SECONDS)
