"""The dialect of TikTok Shop sellers: what a `Dialect` has to know, gathered under one name."""

from evergrant.providers.tiktok_shop.buyers import without_buyer
from evergrant.providers.tiktok_shop.calls import OURS, call_request, is_call, read_call, takes_cipher
from evergrant.providers.tiktok_shop.levels import read_levels
from evergrant.providers.tiktok_shop.pages import read_inventory, read_page
from evergrant.providers.tiktok_shop.replies import read_notice, read_shops, read_tokens
from evergrant.providers.tiktok_shop.requests import (
    BASIC_SCOPES,
    EVERYWHERE,
    FLOW_SCOPES,
    HOSTS,
    NAME,
    REGIONS,
    SANDBOX_MARK,
    SELLER_USER_TYPES,
    consent_url,
    exchange_request,
    inventory_request,
    pull_request,
    refresh_request,
    sells_in,
    shops_request,
)
from evergrant.providers.tiktok_shop.signing import is_notice_signed
from evergrant.providers.tiktok_shop.stock import MOST_LEVELS, read_stock, stock_request

__all__ = [
    "BASIC_SCOPES",
    "EVERYWHERE",
    "FLOW_SCOPES",
    "HOSTS",
    "MOST_LEVELS",
    "NAME",
    "OURS",
    "REGIONS",
    "SANDBOX_MARK",
    "SELLER_USER_TYPES",
    "call_request",
    "consent_url",
    "exchange_request",
    "inventory_request",
    "is_call",
    "is_notice_signed",
    "pull_request",
    "read_call",
    "read_inventory",
    "read_levels",
    "read_notice",
    "read_page",
    "read_shops",
    "read_stock",
    "read_tokens",
    "refresh_request",
    "sells_in",
    "shops_request",
    "stock_request",
    "takes_cipher",
    "without_buyer",
]
