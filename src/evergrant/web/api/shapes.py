"""What the API gives: values turned into the JSON the design fixes. Instants are RFC 3339 in UTC."""

from datetime import datetime
from typing import Any

from evergrant.actions.ports import LinkSession
from evergrant.actions.reading import Happened, Listed, Merchant
from evergrant.actions.watching import Missed
from evergrant.core.app import App
from evergrant.core.authorization import EXPIRING
from evergrant.core.claim import Claim
from evergrant.core.connection import Connection, Flow
from evergrant.core.errors import InvalidRequestError
from evergrant.web import given

MOST = 200


def instant(when: datetime | None) -> str | None:
    """RFC 3339, UTC, to the second or finer."""
    return when.isoformat().replace("+00:00", "Z") if when else None


def app(found: App, refused_at: datetime | None, missed: Missed | None = None) -> dict[str, Any]:
    """An app; its secret is write-only."""
    return {
        "id": found.id,
        "provider": found.provider,
        "region": found.region,
        "name": found.name,
        "key": found.key,
        "service_id": found.service_id,
        "base_urls": {"authorize": found.hosts.authorize, "auth": found.hosts.auth, "api": found.hosts.api},
        "required_scopes": sorted(found.required_scopes),
        "rotation": found.rotation,
        "claim_url": found.claim_url,
        "sandbox": not found.is_production,
        "credentials_refused_at": instant(refused_at),
        "notices_missed": missed.count if missed else 0,
        "notices_missed_since": instant(missed.since if missed else None),
    }


def merchant(found: Merchant) -> dict[str, Any]:
    """A customer of the vendor."""
    return {
        "id": found.id,
        "external_id": found.external_id,
        "name": found.name,
        "email": found.email,
        "locale": found.locale,
        "created_at": instant(found.created_at),
    }


def link_session(found: LinkSession, url: str | None = None) -> dict[str, Any]:
    """A hosted link. Its address is told once, when it is made."""
    told = {
        "id": found.id,
        "merchant_id": found.merchant_id,
        "app_id": found.app_id,
        "purpose": found.purpose,
        "connection_id": found.connection_id,
        "mode": found.mode,
        "return_to": found.return_to,
        "expires_at": instant(found.expires_at),
        "outcome": found.outcome,
        "code": found.code,
        "result": {"connection_id": found.result_id} if found.result_id else None,
    }
    return told | ({"url": url} if url else {})


def claim(found: Claim) -> dict[str, Any]:
    """What came without a state. Shops and seller are those the grant itself proves."""
    return {
        "id": found.id,
        "app_id": found.app_id,
        "status": found.stage,
        "reason": found.reason,
        "seller_name": found.seller_name,
        "shops": [{"id": shop.id, "name": shop.name, "region": shop.region} for shop in found.shops],
        "scopes": sorted(found.scopes),
        "authorization_expires_at": instant(found.authorization_ends),
        "arrived_at": instant(found.arrived_at),
        "expires_at": instant(found.expires_at),
        "connection_id": found.connection_id,
    }


def connection(found: Listed, required: frozenset[str], now: datetime) -> dict[str, Any]:
    """A connection with both its clocks, its shops and flows."""
    known, authorization = found.connection, found.connection.authorization
    ends = authorization.ends
    return {
        "id": known.id,
        "merchant_id": known.merchant_id,
        "app_id": known.app_id,
        "provider": known.provider,
        "status": authorization.state,
        "reason": authorization.reason,
        "in_doubt_since": instant(known.in_doubt_since),
        "authorized_at": instant(authorization.granted_at),
        "authorization_period_days": authorization.period_days,
        "authorization_expires_at": instant(ends),
        "days_remaining": authorization.days_remaining(now),
        "renew_by": instant(ends) if authorization.days_remaining(now) else None,
        "expiring": authorization.is_expiring(now),
        "expiring_from": instant(ends - EXPIRING) if ends else None,
        "token_expires_at": instant(found.token_ends),
        "token_refresh_due_at": instant(found.refresh_due_at),
        "scopes": sorted(authorization.scopes),
        "missing_scopes": sorted(authorization.missing(required)),
        "shops": [
            {
                "id": shop.id,
                "name": shop.name,
                "region": shop.region,
                "cipher": shop.cipher,
                "status": "authorized" if shop.authorized else "not_authorized",
            }
            for shop in known.shops
        ],
        "flows": flows(known),
    }


def flows(known: Connection) -> list[dict[str, Any]]:
    """The flows of a connection."""
    return [_flow(flow) for flow in known.flows]


def _flow(found: Flow) -> dict[str, Any]:
    return {
        "name": found.kind,
        "shop_id": found.shop_id,
        "state": "paused" if found.shut else "running",
        "reason": found.shut,
        "last_success_at": instant(found.last_success_at),
        "last_error": found.last_error,
        "next_run_at": instant(found.next_run_at),
    }


def event(found: Happened) -> dict[str, Any]:
    """One event of the log."""
    return {
        "id": found.id,
        "type": found.type,
        "connection_id": found.connection_id,
        "happened_at": instant(found.happened_at),
        "data": found.data,
    }


def position(cursor: str | None) -> int:
    """A cursor that is a position.

    Raises:
        InvalidRequestError: it is none of ours.
    """
    if not cursor:
        return 0
    found = given.number(cursor, digits=18)
    if found is None:
        raise InvalidRequestError("This cursor was not given by this list.")
    return found
