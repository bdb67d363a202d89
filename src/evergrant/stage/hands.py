"""What a vendor's program and a seller's browser do on a stage, over HTTP and nothing else."""

from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from evergrant.stage.cast import Stage

PATIENCE_SECONDS = 30.0
AGAIN_SECONDS = 0.1
OUTAGES = frozenset({"database_unavailable", "audit_unavailable", "unknown"})
"""What passes by itself: the database is coming back."""
BUSY = OUTAGES | {"token_being_refreshed", "platform_unavailable"}

UNREACHABLE = httpx2.HTTPError
"""What a call ends with when nobody answers."""


class RefusedError(Exception):
    """A program answered with something else than what was asked for."""


class Hands:
    """Calls of the vendor's program to the hub and of the director to the sandbox. Both may be away for a moment."""

    def __init__(self, stage: Stage) -> None:
        key = {"authorization": f"Bearer {stage.tenant.api_key}"}
        self._hub = httpx2.Client(base_url=stage.places.hub, headers=key, timeout=10, trust_env=False)
        self._sandbox = httpx2.Client(base_url=f"{stage.places.sandbox}/_sandbox", timeout=60, trust_env=False)
        self.stage = stage

    def close(self) -> None:
        """Let go of the connections."""
        self._hub.close()
        self._sandbox.close()

    def hub(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """A call of the hub's API; waits while the hub is away.

        Raises:
            RefusedError: it answered with an error.
        """
        return self._answer(self._hub, method, path, body, query).json()

    def refusal(self, method: str, path: str) -> tuple[int, str]:
        """Status and code of a hub answer that is a refusal; code empty if it is none. Only an outage is waited for."""
        answer = self._called(self._hub, method, path, None, {}, busy=OUTAGES)
        return answer.status_code, "" if answer.is_success else _code_of(answer)

    def sandbox(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        """A call of the sandbox's steering routes; waits while the sandbox is away."""
        return self._answer(self._sandbox, method, path, body, query).json()

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every item of a list of the hub, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.hub("GET", path, cursor=cursor, limit=200, **query)
            found += page["items"]
            cursor = page["next_cursor"]
        return found

    def _answer(
        self, client: httpx2.Client, method: str, path: str, body: Mapping[str, Any] | None, query: Mapping[str, Any]
    ) -> httpx2.Response:
        answer = self._called(client, method, path, body, query)
        if not answer.is_success:
            raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    @staticmethod
    def _called(
        client: httpx2.Client,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, Any],
        *,
        busy: frozenset[str] = BUSY,
    ) -> httpx2.Response:
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = client.request(method, path, json=body, params=query)
            except httpx2.HTTPError:
                if monotonic() > deadline:
                    raise
            else:
                if not 500 < answer.status_code or _code_of(answer) not in busy or monotonic() > deadline:
                    return answer
            sleep(AGAIN_SECONDS)


def _code_of(answer: httpx2.Response) -> str:
    """The stable code of a refusal; `unknown` if it carries none."""
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "unknown"


def consent_by_steering(
    hands: Hands, link: Mapping[str, Any], *, app_key: str, seller: str, shop: str | None, period: str
) -> str:
    """A link's whole way without a browser: the button, the seller's yes, the return; gives the connection's id.

    Raises:
        RefusedError: the link did not come to its end.
    """
    with httpx2.Client(timeout=20, trust_env=False) as person:
        page = person.get(link["url"])
        csrf = page.text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
        left = person.post(link["url"], data={"csrf": csrf})
        state = parse_qs(urlsplit(left.headers["location"]).query)["state"][0]
        asked = {"app": app_key, "seller": seller, "period": period, "state": state} | ({"shop": shop} if shop else {})
        person.get(hands.sandbox("POST", "/authorize", asked)["redirect_url"])
    session = hands.hub("GET", f"/v1/link-sessions/{link['id']}")
    if session["outcome"] != "completed":
        raise RefusedError(f"The link ended with {session['code']}.")
    return str(session["result"]["connection_id"])
