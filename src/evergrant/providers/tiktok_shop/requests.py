"""TikTok Shop's dialect: the consent link, the token host, the signed API, the notices. Pure: nothing is sent from here.

Facts are from the wire sheet (reference/wire-tiktok-shop.md, read 2026-11), whose sections are named beside them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from evergrant.core import flows
from evergrant.core.app import App, Hosts
from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import signing
from evergrant.providers.wire import Access, Request

NAME = "tiktok-shop"

REGIONS: tuple[str, ...] = ("US", "ROW")
"""Two portals with different apps and keys (G-14): the United States, and the rest of the world."""

EVERYWHERE = "ALL"
"""The region of a sandbox's app that is made for all markets. The platform asks for one app for each market group."""


def sells_in(region: str, country: str) -> bool:
    """Whether a shop of this country can be an app's of that region. "TikTok requires a separate app/service per market
    group" (5.1); of the groups only the United States are told apart, as by the portals. A shop without a country fits.
    """
    return not country or region == EVERYWHERE or (country == "US") == (region == "US")


HOSTS: Mapping[str, Hosts] = {
    "US": Hosts(
        authorize="https://services.us.tiktokshop.com",
        auth="https://auth.tiktok-shops.com",
        api="https://open-api.tiktokglobalshop.com",
    ),
    "ROW": Hosts(
        authorize="https://services.tiktokshop.com",
        auth="https://auth.tiktok-shops.com",
        api="https://open-api.tiktokglobalshop.com",
    ),
}
"""Wire sheet 1.1, 2.1, 3.1. Two official pages disagree on the US consent host, so it is the app's to override."""

SANDBOX_MARK = "sbx"
SELLER_USER_TYPES = frozenset({0, 4, 5})
"""0 is a seller, 4 and 5 the cross-border kinds; 1 is a creator, 3 a partner (2.3)."""

FLOW_SCOPES: Mapping[flows.Kind, frozenset[str]] = {
    flows.Kind.ORDERS: frozenset({"seller.order.info"}),
    flows.Kind.PRODUCTS: frozenset({"seller.product.basic"}),
    flows.Kind.INVENTORY: frozenset({"seller.product.basic"}),
    flows.Kind.STOCK: frozenset({"seller.product.write"}),
}
"""By flow (5.4); what is not carried yet needs none."""

BASIC_SCOPES = frozenset({"seller.authorization.info"})
"""Without it the shops of a grant cannot be listed (5.4)."""

JSON = "application/json"

PAGE_SIZE = 100
"""The most the platform gives a page (6.1, 6.2)."""


def consent_url(app: App, state: Secret) -> str:
    """Where the seller's browser is sent. There is no redirect_uri or scope on the wire (1.2)."""
    return f"{app.hosts.authorize}/open/authorize?{urlencode({'service_id': app.service_id, 'state': state.reveal()})}"


def exchange_request(app: App, code: Secret) -> Request:
    """The code for a token pair. "GET only: POST with JSON answers HTTP 404"; the grant name is `authorized_code` (2.1)."""
    return _token_request(app, "get", ("auth_code", code), grant_type="authorized_code")


def refresh_request(app: App, refresh: Secret) -> Request:
    """The refresh token for a new pair (2.2)."""
    return _token_request(app, "refresh", ("refresh_token", refresh), grant_type="refresh_token")


def _token_request(app: App, verb: str, shown: tuple[str, Secret], *, grant_type: str) -> Request:
    return Request(
        method="GET",
        url=f"{app.hosts.auth}/api/v2/token/{verb}",
        query=(("app_key", app.key), ("app_secret", app.secret), shown, ("grant_type", grant_type)),
    )


def shops_request(app: App, token: Secret, now: datetime) -> Request:
    """The shops a grant covers; takes no cipher (3.4)."""
    return signed(app, "GET", "/authorization/202309/shops", access=Access(token=token, cipher=None), now=now)


def pull_request(
    app: App, kind: flows.Kind, access: Access, window: flows.Window, page_token: str, now: datetime
) -> Request:
    """One page of a flow, oldest change first where the platform can sort (6.1, 6.2)."""
    since, until = int(window.since.timestamp()), int(window.until.timestamp())
    page = (("page_size", str(PAGE_SIZE)), *((("page_token", page_token),) if page_token else ()))
    if kind is flows.Kind.ORDERS:
        body = f'{{"update_time_ge":{since},"update_time_lt":{until}}}'.encode()
        query = (*page, ("sort_field", "update_time"), ("sort_order", "ASC"))
        return signed(app, "POST", "/order/202309/orders/search", access=access, now=now, query=query, body=body)
    # "Note `_le` here but `_lt` on orders" (6.2).
    body = f'{{"status":"ALL","update_time_ge":{since},"update_time_le":{until}}}'.encode()
    return signed(app, "POST", "/product/202502/products/search", access=access, now=now, query=page, body=body)


def inventory_request(app: App, access: Access, product_ids: Sequence[str], now: datetime) -> Request:
    """The stock of at most a hundred products; there are no pages (6.3)."""
    body = msgspec.json.encode({"product_ids": product_ids})
    return signed(app, "POST", "/product/202309/inventory/search", access=access, now=now, body=body)


def signed(
    app: App,
    method: str,
    path: str,
    *,
    access: Access,
    now: datetime,
    query: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    media_type: str = JSON,
) -> Request:
    """A call with the common parameters, signed at `now`; a multipart body is not part of the signature (3.1, 3.2)."""
    common = (("app_key", app.key), ("timestamp", str(int(now.timestamp()))))
    cipher = (("shop_cipher", access.cipher),) if access.cipher else ()
    parameters = (*common, *cipher, *query)
    is_multipart = media_type.lower().startswith("multipart/form-data")
    sign = signing.sign_request(app.secret, path, parameters, body, multipart=is_multipart)
    return Request(
        method=method,
        url=app.hosts.api + path,
        query=(*parameters, ("sign", sign)),
        headers=(("content-type", media_type), ("x-tts-access-token", access.token)),
        body=body,
    )
