"""The whole document."""

from evergrant_sandbox.openapi import authorization, events, trade
from evergrant_sandbox.openapi.shapes import Schema

_ABOUT = (
    "Token host, signed API and event API of TikTok Shop, as the wire sheet has them. At home the first two paths belong"
    " to https://auth.tiktok-shops.com, all others to https://open-api.tiktokglobalshop.com. `sign` and the five minutes of"
    " `timestamp` cannot be said in a schema; section 3 of the sheet says them. `x-wire-sheet` names the section an"
    " operation was written from."
)


def document() -> Schema:
    """OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "TikTok Shop, as a connector sees it", "version": "2026-11", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "paths": {**authorization.PATHS, **trade.PATHS, **events.PATHS},
    }
