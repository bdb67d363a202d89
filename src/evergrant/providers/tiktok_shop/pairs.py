"""The pair in a successful token answer, field by field: what is as it should be, and what cannot be."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from evergrant.core import tokens
from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import instants
from evergrant.providers.wire import NO_END, Granted, Suspect


def read(data: Mapping[str, Any], body: bytes, now: datetime) -> Granted | Suspect:
    """The pair, or what is wrong with it. Ends are absolute instants in spite of their names (wire sheet 2.4).

    An answer without any `refresh_token` keeps the one that was shown; one with something else in its place is suspect.
    """
    keeps = "refresh_token" not in data
    access, refresh, open_id = (_text(data.get(name)) for name in ("access_token", "refresh_token", "open_id"))
    access_ends = _end(data.get("access_token_expire_in"), now, tokens.LONGEST_ACCESS)
    refresh_ends = _end(data.get("refresh_token_expire_in"), now, tokens.LONGEST_REFRESH)
    if keeps and "refresh_token_expire_in" not in data:
        refresh_ends = NO_END
    name, region = data.get("seller_name"), data.get("seller_base_region", "")
    user_type, scopes = data.get("user_type", 0), data.get("granted_scopes", [])
    believed = {
        "access_token": bool(access),
        "access_token_expire_in": access_ends is not None,
        "refresh_token": keeps or bool(refresh),
        "refresh_token_expire_in": refresh_ends is not None,
        "open_id": bool(open_id),
        "seller_name": name is None or isinstance(name, str),
        "seller_base_region": isinstance(region, str),
        "user_type": isinstance(user_type, int),
        "granted_scopes": isinstance(scopes, list) and all(isinstance(scope, str) for scope in scopes),
    }
    wrong = tuple(field for field, fine in believed.items() if not fine)
    if wrong or access_ends is None or refresh_ends is None:
        usable = bool(access) and access_ends is not None
        return Suspect(
            answer=Secret(body.decode(errors="replace")),
            fields=wrong,
            access=Secret(access) if usable else None,
            access_ends=access_ends if usable else None,
            refresh=Secret(refresh) if refresh else None,
            refresh_ends=refresh_ends,
            open_id=open_id,
        )
    return Granted(
        pair=tokens.TokenPair(
            access=Secret(access), access_ends=access_ends, refresh=Secret(refresh), refresh_ends=refresh_ends
        ),
        open_id=open_id,
        user_type=user_type,
        seller_name=name or "",
        region=region,
        scopes=frozenset(scopes),
        keeps_refresh=keeps,
    )


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _end(given: object, now: datetime, longest: timedelta) -> datetime | None:
    """An end that can be believed. Values past 2**32 are real: ends 99 years away."""
    if not isinstance(given, int) or isinstance(given, bool):
        return None
    try:
        ends = instants.instant(given)
    except ValueError:
        return None
    return ends if tokens.is_believable(ends, now, longest) else None
