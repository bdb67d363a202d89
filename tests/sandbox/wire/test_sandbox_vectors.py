"""The sandbox's signatures against the golden vectors; any signed byte that changes is noticed."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evergrant_sandbox import signing
from evergrant_sandbox.world import payloads

VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def vectors(name: str) -> list[Any]:
    """The vectors of one file."""
    return list(json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8")))


REQUESTS = vectors("request_signatures")
NOTICES = vectors("notice_signatures")


def signed(vector: dict[str, Any]) -> str:
    """The sandbox's own signature of a vector's call."""
    body = b"" if vector["multipart"] else vector["body"].encode()
    return signing.sign_request(secret=vector["secret"], path=vector["path"], query=vector["query"], body=body)


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
def test_a_call_is_signed_as_the_vector_says(vector: dict[str, Any]) -> None:
    """The official vector and ten others."""
    assert vector["sign"] == signed(vector)


@pytest.mark.parametrize("vector", NOTICES, ids=lambda vector: vector["name"])
def test_a_notice_is_signed_as_the_vector_says(vector: dict[str, Any]) -> None:
    """The official vector and two others."""
    signature = signing.sign_notice(app_key=vector["app_key"], secret=vector["secret"], body=vector["body"].encode())

    assert vector["signature"] == signature


def test_sign_and_access_token_are_not_signed() -> None:
    """It says "extract all query parameters excluding sign and access_token"; the order of the others does not matter."""
    vector = REQUESTS[5]
    mixed = dict(reversed(vector["query"].items())) | {"sign": "0" * 64, "access_token": "ROW_sbx"}

    assert vector["sign"] == signed({**vector, "query": mixed})


@given(vector=st.sampled_from(REQUESTS), place=st.integers(min_value=0), change=st.integers(1, 255))
def test_any_changed_byte_changes_the_signature(vector: dict[str, Any], place: int, change: int) -> None:
    """Secret, path, names, values and body: whichever byte changes, the signature does."""
    parts = ["secret", "path", *(("body",) if vector["body"] else ())]
    names = sorted(vector["query"])
    where = place % (len(parts) + len(names))
    changed = json.loads(json.dumps(vector))
    if where < len(parts):
        changed[parts[where]] = _with_a_changed_letter(vector[parts[where]], place, change)
    else:
        name = names[where - len(parts)]
        changed["query"][name] = _with_a_changed_letter(vector["query"][name], place, change)

    assert vector["sign"] != signed(changed)


def _with_a_changed_letter(text: str, place: int, change: int) -> str:
    at = place % len(text)
    return text[:at] + chr((ord(text[at]) + change) % 0xD7FF) + text[at + 1 :]


@pytest.mark.parametrize("vector", [v for v in NOTICES if v["name"] != "W0 official"], ids=lambda v: v["name"])
def test_a_notice_is_written_byte_for_byte(vector: dict[str, Any]) -> None:
    """Types 6 and 7 as the documents print them: order of fields, numbers as numbers, the end as a string."""
    wanted = json.loads(vector["body"])
    shop, at = wanted["shop_id"], wanted["timestamp"]
    payload = payloads.deauthorized(shop)
    if wanted["type"] == 7:
        payload = payloads.expiring(shop, at=at, ends_at=int(wanted["data"]["expiration_time"]))
    body = payloads.body_of(wanted["type"], notice_id=wanted["tts_notification_id"], whom=shop, at=at, payload=payload)

    assert vector["body"].encode() == body
