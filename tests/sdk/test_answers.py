"""What the SDK makes of answers that are not quite the hub's: from something in between, or from a newer hub."""

from typing import Any

import httpx2
import pytest

from evergrant_sdk import Evergrant, HubUnavailable, Refused, Shop

CONNECTION: dict[str, Any] = {
    "id": "con_1",
    "merchant_id": "mer_1",
    "app_id": "app_1",
    "status": "active",
    "reason": None,
    "authorization_expires_at": None,
    "days_remaining": None,
    "expiring": False,
    "scopes": [],
    "missing_scopes": [],
    "shops": [{"id": "1", "name": "One", "region": "GB", "cipher": "c", "status": "authorized"}],
}
SHOP = Shop(id="1", name="One", region="GB", cipher="c", status="authorized")


def answered(status: int, body: object) -> Evergrant:
    """A client whose every call is answered like this."""
    return Evergrant(
        "http://hub.example", "eg_x", transport=httpx2.MockTransport(lambda _: httpx2.Response(status, json=body))
    )


@pytest.mark.parametrize("body", [{"error": "bad gateway"}, {"error": None}, {"error": ["x"]}, ["x"], None, "down"])
def test_a_gateway_that_speaks_another_way_is_a_hub_that_is_away(body: object) -> None:
    """502 from a proxy with a body of its own: come back in a moment. 403: refused, with what is known."""
    with pytest.raises(HubUnavailable):
        answered(502, body).connection("con_1")
    with pytest.raises(Refused) as refused:
        answered(403, body).connection("con_1")
    assert (403, "unknown") == (refused.value.status, refused.value.code)


def test_a_hub_that_tells_more_is_read_all_the_same() -> None:
    """A newer hub adds fields to a connection and to its shops."""
    newer = CONNECTION | {
        "colour": "green",
        "shops": [{**shop, "seller_type": "LOCAL"} for shop in CONNECTION["shops"]],
    }

    assert (SHOP,) == answered(200, newer).connection("con_1").shops
