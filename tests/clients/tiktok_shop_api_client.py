"""PyPI tiktok-shop-api, asked line by line: by base URL when it is told one, else by the hosts it has built in."""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tiktok_shop_api import TikTokShop, TikTokShopAuth, TikTokShopError, Webhooks, WebhookSignatureError
from tiktok_shop_api.generated.models import (
    DeleteWebhookForAnEventRequest,
    InventorySearchRequest,
    SearchProductsRequest,
    UpdateInventoryRequest,
    UpdateShopWebhookRequest,
)

KEY, SECRET = os.environ["APP_KEY"], os.environ["APP_SECRET"]
# Empty: the hosts it knows itself.
BASE: dict[str, Any] = {"base_url": os.environ["BASE_URL"]} if os.environ.get("BASE_URL") else {}


def calling(given: Any) -> Any:
    """A client for one token and one shop."""
    return TikTokShop(KEY, SECRET, access_token=given["token"], shop_cipher=given.get("cipher"), **BASE)


def auth() -> Any:
    """Its helper for links and tokens."""
    return TikTokShopAuth(KEY, SECRET, service_id=os.environ["SERVICE_ID"], **BASE)


def tokens(gave: Any) -> Any:
    """What it made of a pair."""
    return {
        "access_token": gave.access_token,
        "refresh_token": gave.refresh_token,
        "open_id": gave.open_id,
        "refresh_token_expire_in": gave.refresh_token_expire_in,
        "granted_scopes": gave.granted_scopes,
    }


def orders(given: Any) -> Any:
    """One page."""
    page = {"page_token": given["page"]} if given.get("page") else {}
    return calling(given).orders.get_order_list(page_size=20, **page).to_dict()["data"]


def products(given: Any) -> Any:
    """All that fit one page."""
    body = SearchProductsRequest.from_dict({"status": "ALL"})
    return calling(given).products.search_products(page_size=100, body=body).to_dict()["data"]


def details(given: Any) -> Any:
    """Some orders by their ids, written as the documents do: a list of them it would send one by one."""
    ids = given["ids"] if given.get("as_a_list") else [",".join(given["ids"])]
    return calling(given).orders.get_order_detail(ids=ids).to_dict()["data"]


def stock(given: Any) -> Any:
    """What is in stock of some products."""
    body = InventorySearchRequest.from_dict({"product_ids": given["products"]})
    return calling(given).products.inventory_search(body=body).to_dict()["data"]


def set_stock(given: Any) -> Any:
    """Another number for one SKU."""
    body = UpdateInventoryRequest.from_dict({"skus": given["skus"]})
    return calling(given).products.update_inventory(given["product"], body=body).to_dict().get("data", {})


def subscribe(given: Any) -> Any:
    """An address of the shop's own for a topic."""
    body = UpdateShopWebhookRequest.from_dict({"event_type": given["topic"], "address": given["address"]})
    return calling(given).event.update_shop_webhook(body=body).to_dict().get("data", {})


def unsubscribe(given: Any) -> Any:
    """The topic's address is taken away."""
    body = DeleteWebhookForAnEventRequest.from_dict({"event_type": given["topic"]})
    return calling(given).event.delete_webhook_for_an_event(body=body).to_dict().get("data", {})


def verify(given: Any) -> Any:
    """The type of a notice it has verified and read; False when it is not the platform's."""
    try:
        event = Webhooks.verify_and_parse(
            app_key=KEY, app_secret=SECRET, raw_body=given["body"], signature=given["signature"]
        )
    except WebhookSignatureError:
        return False
    return type(event).__name__


VERBS: dict[str, Callable[[Any], Any]] = {
    "link": lambda given: auth().authorization_url(type="seller", region="row", state=given["state"]),
    "exchange": lambda given: tokens(auth().exchange_code(given["code"])),
    "refresh": lambda given: tokens(auth().refresh(given["token"])),
    "shops": lambda given: calling(given).authorization.get_authorized_shops().to_dict()["data"]["shops"],
    "orders": orders,
    "products": products,
    "details": details,
    "stock": stock,
    "set_stock": set_stock,
    "subscribe": subscribe,
    "subscriptions": lambda given: calling(given).event.get_shop_webhooks().to_dict()["data"],
    "unsubscribe": unsubscribe,
    "verify": verify,
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        said = {"gave": VERBS[asked["verb"]](asked["given"])}
    except TikTokShopError as error:
        said = {"raised": {"name": type(error).__name__, "code": error.code, "message": str(error)}}
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()
