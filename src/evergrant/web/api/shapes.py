"""What the API gives: values turned into the JSON the design fixes. Instants are RFC 3339 in UTC."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evergrant.actions import history as history_of
from evergrant.actions.ports import LinkSession
from evergrant.actions.reading import Happened, Listed, Merchant
from evergrant.actions.watching import Missed
from evergrant.core import cure
from evergrant.core import flows as flows_of
from evergrant.core.app import App
from evergrant.core.authorization import EXPIRING, Authorization
from evergrant.core.chosen import Chosen
from evergrant.core.claim import Claim
from evergrant.core.connection import Connection, Flow
from evergrant.core.errors import InvalidRequestError
from evergrant.core.flows import PULLED
from evergrant.core.forecast import DAY, MONTH, WEEK, Forecast
from evergrant.web import foreseen, given
from evergrant.web.outcomes import Named

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
        "older_secrets": len(found.older_secrets),
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
        "mismatch": None,
    }
    return told | ({"url": url} if url else {})


def mismatch(found: Named) -> dict[str, Any]:
    """What a link for one shop was answered with instead."""
    return {
        "expected": [{"id": key, "name": name} for key, name in found.expected.items()],
        "chosen": [{"id": key, "name": name} for key, name in found.found.items()],
        "claim_id": found.chosen.claim_id,
    }


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
        "reauthorization": _reauthorization(authorization, required, now),
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
        "settings": settings(known.chosen),
        "flows": flows(known),
    }


def settings(known: Chosen) -> dict[str, Any]:
    """What was chosen for a connection; null where nothing was."""
    minutes = {kind.value: known.poll_minutes.get(kind) for kind in sorted(PULLED)}
    return {
        "poll_minutes": minutes,
        "first_fetch_days": known.first_fetch_days,
        "keep_buyer_days": known.keep_buyer_days,
    }


def _reauthorization(known: Authorization, required: frozenset[str], now: datetime) -> dict[str, str] | None:
    """What the seller is to authorize again for, and the purpose of the link that asks; None where that is no cure."""
    found = cure.reauthorization(known, required=required, now=now)
    return {"reason": found, "purpose": cure.REAUTHORIZES[found]} if found else None


def flows(known: Connection) -> list[dict[str, Any]]:
    """The flows of a connection."""
    return [_flow(flow) for flow in known.flows]


def _flow(found: Flow) -> dict[str, Any]:
    return {
        "name": found.kind,
        "shop_id": found.shop_id,
        "state": flow_state(found),
        "reason": found.shut,
        "last_success_at": instant(found.last_success_at),
        "last_error": found.last_error,
        "next_run_at": instant(found.next_run_at),
    }


def forecast(found: Forecast, connection_id: str) -> dict[str, Any]:
    """What the end of a connection's authorization brings."""
    a_day = None if found.a_day is None else round(found.a_day, 2)
    return {
        "connection_id": connection_id,
        "authorization_expires_at": instant(found.ends),
        "days_remaining": found.days_left,
        "flows": [
            {"name": stop.kind, "shop_id": stop.shop_id, "stops_at": instant(stop.at), "stopped_by": stop.why}
            for stop in found.stops
        ],
        "orders": {
            "counted": found.orders,
            "basis_days": round(found.basis / DAY, 2),
            "a_day": a_day,
            "waiting_after_a_day": found.waiting(DAY),
            "waiting_after_a_week": found.waiting(WEEK),
            "waiting_after_a_month": found.waiting(MONTH),
        },
        "sentence": foreseen.sentence(found),
    }


def flow_state(found: Flow) -> str:
    """`paused`, `not_carried`, `catching_up` or `running`."""
    if found.shut:
        return "paused"
    if found.kind in flows_of.NOT_CARRIED:
        return "not_carried"
    return "catching_up" if found.catching_up else "running"


def event(found: Happened) -> dict[str, Any]:
    """One event of the log."""
    return {
        "id": found.id,
        "type": found.type,
        "connection_id": found.connection_id,
        "happened_at": instant(found.happened_at),
        "data": found.data,
    }


def history(connection_id: str, page: history_of.Page) -> dict[str, Any]:
    """A piece of a life history, as it is signed."""
    tail = f"{page.place.event}.{page.place.audit}"
    return {
        "connection_id": connection_id,
        "items": [_step(step, connection_id) for step in page.steps],
        "next_cursor": tail if page.more else None,
        "tail_cursor": tail,
    }


def _step(found: history_of.Step, connection_id: str) -> dict[str, Any]:
    proof = found.proof
    return {
        "id": found.id,
        "type": found.type,
        "connection_id": connection_id,
        "happened_at": instant(found.happened_at),
        "recorded_at": instant(found.recorded_at),
        "actor": found.actor,
        "why": found.data.get("reason") or found.data.get("outcome"),
        "data": found.data,
        "chain": {"number": proof.number, "hash": proof.hash.hex()} if proof else None,
    }


def signed_text(document: Mapping[str, Any]) -> bytes:
    """What is signed of a document: JSON in UTF-8 with sorted keys and no spaces, without its `signature`."""
    bare = {key: value for key, value in document.items() if key != "signature"}
    return json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature(made: history_of.Signature) -> dict[str, Any]:
    """A signature, with all that is needed to check it."""
    return {
        "algorithm": "ed25519",
        "key": made.key,
        "public_key": made.public.hex(),
        "value": made.value.hex(),
    }


def place(cursor: str | None) -> history_of.Place:
    """A cursor of a life history.

    Raises:
        InvalidRequestError: it is none of ours.
    """
    event, _, audit = (cursor or "0.0").partition(".")
    return history_of.Place(event=position(event), audit=position(audit or "x"))


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
