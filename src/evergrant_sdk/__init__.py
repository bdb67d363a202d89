"""A small client for vendors' own code: fresh tokens, hosted links, connections; the same calls sync and async.

    with Evergrant("https://hub.example", api_key) as hub:
        token = hub.token("con_…")

A call that is refused raises `Refused`, with the hub's stable code; when only the seller can help, `SellerMustRenew`.
"""

from evergrant_sdk.client import AsyncEvergrant, Evergrant
from evergrant_sdk.values import Connection, HubUnavailable, LinkSession, Refused, SellerMustRenew, Shop, Token

__all__ = [
    "AsyncEvergrant",
    "Connection",
    "Evergrant",
    "HubUnavailable",
    "LinkSession",
    "Refused",
    "SellerMustRenew",
    "Shop",
    "Token",
]
