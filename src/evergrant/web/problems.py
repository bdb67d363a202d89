"""How Evergrant says no over HTTP: the one place that knows which code is which status."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from evergrant.core.errors import EvergrantError, PaceExceededError, TooManyTriesError
from evergrant.core.gate import Why

STATUSES: Mapping[str, int] = {
    "api_key_expired": 401,
    "api_key_missing": 401,
    "api_key_revoked": 401,
    "api_key_scope_missing": 403,
    "api_key_unknown": 401,
    "app_credentials_invalid": 409,
    "app_mismatch": 400,
    "audit_unavailable": 503,
    "authorization_refused": 403,
    "call_outcome_unknown": 504,
    "claim_dismissed": 410,
    "claim_expired": 410,
    "claim_other_workspace": 409,
    "claim_taken": 409,
    "claim_token_missing": 403,
    "claim_token_wrong": 403,
    "code_missing": 400,
    "code_refused": 400,
    "conflict": 409,
    "csrf_failed": 403,
    "database_unavailable": 503,
    "exchange_outcome_lost": 409,
    "flow_paused": 409,
    "idempotency_in_progress": 409,
    "idempotency_key_invalid": 400,
    "idempotency_key_reused": 422,
    "internal_error": 500,
    "invalid_request": 422,
    "link_already_used": 409,
    "link_expired": 410,
    "link_revoked": 410,
    "link_unknown": 404,
    "login_failed": 401,
    "method_not_allowed": 405,
    "no_shops": 422,
    "not_found": 404,
    "not_permitted": 403,
    "passwords_busy": 503,
    "path_refused": 422,
    "platform_bad_response": 503,
    "platform_throttled": 503,
    "platform_unavailable": 503,
    "refresh_token_missing": 422,
    "sandbox_token_in_production": 409,
    "shop_already_connected": 409,
    "shop_pace_exceeded": 429,
    "tokens_refused": 409,
    "shops_not_readable": 422,
    "consent_overtaken": 409,
    "signature_invalid": 401,
    "state_already_used": 409,
    "state_browser_mismatch": 403,
    "state_expired": 410,
    "state_missing": 400,
    "state_unknown": 400,
    "token_being_refreshed": 503,
    "too_large": 413,
    "too_many_arrivals": 429,
    "too_many_tries": 429,
    "vault_integrity": 500,
    "wrong_region": 422,
    "wrong_shop": 409,
    "wrong_user_type": 422,
    **{why.value: 409 for why in Why},
}

RETRY_AFTER_SECONDS = 2
"""What a 503 says: come back this soon. All of them are the kind that passes."""
A_MINUTE_SECONDS = 60
"""What a 429 says; the page looks again by itself."""


class DoorError(EvergrantError):
    """Somebody may not come in, or asks in a way that cannot be answered."""

    code: ClassVar[str] = "invalid_request"


class ApiKeyMissingError(DoorError):
    """Send your API key: `Authorization: Bearer eg_…`."""

    code = "api_key_missing"


class ApiKeyUnknownError(DoorError):
    """This API key is not known here. Check that it is whole, and for this hub."""

    code = "api_key_unknown"


class ApiKeyRevokedError(DoorError):
    """This API key was revoked. Use another one."""

    code = "api_key_revoked"


class ApiKeyExpiredError(DoorError):
    """This API key has expired. Use another one."""

    code = "api_key_expired"


class ApiKeyScopeMissingError(DoorError):
    """This API key may not do that."""

    code = "api_key_scope_missing"


class IdempotencyKeyInvalidError(DoorError):
    """Idempotency-Key may be given once, with 1 to 255 printable characters."""

    code = "idempotency_key_invalid"


class LoginFailedError(DoorError):
    """E-mail address and password do not fit. Check both and try again."""

    code = "login_failed"


class CsrfFailedError(DoorError):
    """This form is too old, or was not sent from this site. Go back, load the page again and send it once more."""

    code = "csrf_failed"


class NotPermittedError(DoorError):
    """Your role may look at this but not change it. Ask an owner of your team."""

    code = "not_permitted"


class MethodNotAllowedError(DoorError):
    """That cannot be done here."""

    code = "method_not_allowed"


class TooLargeError(DoorError):
    """That is larger than anything expected here."""

    code = "too_large"


def status_of(error: EvergrantError) -> int:
    """The HTTP status of an error."""
    return STATUSES[error.code]


def headers_of(error: EvergrantError) -> dict[str, str]:
    """Headers that go with an error: its code for pages, when to come back, what to show at the door."""
    headers = {"x-error-code": error.code, "cache-control": "no-store"}
    status = status_of(error)
    if status == 503:
        headers["retry-after"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, TooManyTriesError | PaceExceededError):
        headers["retry-after"] = str(error.seconds)
    elif status == 429:
        headers["retry-after"] = headers["refresh"] = str(A_MINUTE_SECONDS)
    if status == 401 and error.code.startswith("api_key"):
        headers["www-authenticate"] = 'Bearer realm="evergrant"'
    return headers


def encoded(error: EvergrantError, request_id: str) -> bytes:
    """The JSON of an error, as bytes."""
    return msgspec.json.encode(body_of(error, request_id))


def body_of(error: EvergrantError, request_id: str) -> dict[str, dict[str, str]]:
    """The JSON body of an error."""
    content = {"code": error.code, "message": error.sentence, "request_id": request_id}
    remedy = getattr(error, "remedy", None)
    if remedy:
        content["remedy"] = remedy
    return {"error": content}
