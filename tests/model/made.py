"""What the model is made of: apps in every mode, sellers nobody knows yet, notices, and the judgement at rest."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from evergrant.actions import lend
from evergrant.actions.reading import Merchant
from evergrant.core.app import App, Hosts
from evergrant.core.errors import EvergrantError
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant_sandbox.book import grants
from evergrant_sandbox.world.tokens import sha256
from tests.model.hand import Hand
from tests.model.seen import Grant, Line, Row
from tests.sandbox import kit

SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic"]
LONG_GRACE = 50 * 365 * 86_400
_numbers = itertools.count(1)


async def app(hand: Hand, mode: str) -> tuple[str, str]:
    """An app whose platform forgives or does not, known to both: the hub's id of it, and its key."""
    key, app_id = f"6model{mode}", f"app_{mode}"
    known = mode in {"retry_safe", "stable"}
    await hand.parts.apps.add(_app(hand, app_id, key, Rotation(mode) if known else Rotation.UNKNOWN), actor="model")
    redirect = f"http://localhost:8080/cb/tiktok-shop/{app_id}"
    await hand.sandbox.app(
        key=key,
        secret="model_secret",
        name=mode,
        redirect_urls=[redirect],
        scopes=SCOPES,
        webhook_url="",
        status="published",
    )
    given: dict[str, Any] = {"grace_seconds": LONG_GRACE} if mode == "retry_safe" else {}
    await hand.sandbox.steer(f"apps/{key}/rotation", mode=mode, **given)
    return app_id, key


def _app(hand: Hand, app_id: str, key: str, rotation: Rotation) -> App:
    return App(
        tenant_id=hand.tenant_id,
        id=app_id,
        provider="tiktok-shop",
        region="ROW",
        name=key,
        key=key,
        secret=Secret("model_secret"),
        service_id="7000000000000000042",
        hosts=Hosts(authorize=kit.HERE, auth=kit.HERE, api=kit.HERE),
        required_scopes=frozenset(SCOPES),
        rotation=rotation,
        clock=kit.HERE,
    )


async def line(hand: Hand) -> Line:
    """A seller with one shop, and a customer of the vendor's."""
    number = next(_numbers)
    shops = [{"name": f"Shop {number}", "region": "GB", "orders": 0, "products": 0}]
    email = f"seller{number}@model.example"
    seller = await hand.sandbox.seller(name=f"Seller {number}", email=email, region="GB", shops=shops)
    customer = f"mer_{number}"
    await hand.parts.merchants.add(
        Merchant(tenant_id=hand.tenant_id, id=customer, external_id=customer, name=customer, email="", locale="en")
    )
    return Line(email=email, customer=customer, shop_ids=[shop["id"] for shop in seller["shops"]])


LEAVE = """
with gone as (update connections set state = 'cancelled', reason = null, verify_after = null, in_doubt_since = null
    where merchant_id = any($1) returning tenant_id, id),
tokens_gone as (delete from tokens t using gone where t.tenant_id = gone.tenant_id and t.connection_id = gone.id),
flows_shut as (update flows f set next_run_at = null from gone where f.tenant_id = gone.tenant_id and f.connection_id = gone.id)
select true
"""


async def leave(hand: Hand, lines: list[Line]) -> None:
    """Their life is over: nothing of it falls due any more, here or at the platform."""
    await hand.sql(LEAVE, [line.customer for line in lines])
    platform = hand.sandbox.application.platform
    for each in lines:
        grant = grants.find(platform.book, int(each.grant_id)) if each.grant_id else None
        if grant and grant.status(hand.sandbox.now) == "active":
            platform.undertaker.cancel(grant, now=hand.sandbox.now)


async def end_of_log(hand: Hand) -> int:
    """The number of the last line of the platform's log."""
    row = hand.sandbox.application.platform.book.one("SELECT max(n) FROM log")
    return int((row and row[0]) or 0)


def deauthorization(of: Line, at: int) -> bytes:
    """A notice of type 6, as the platform sends it."""
    shop_id = of.shop_ids[0]
    message = f"Shop_id {shop_id} is deauthorized from your APP by merchant."
    return (
        f'{{"type":6,"tts_notification_id":"{next(_numbers) + 10**18}","shop_id":"{shop_id}","timestamp":{at},'
        f'"data":{{"message":"{message}"}}}}'
    ).encode()


async def token_is_right(hand: Hand, of: Line, row: Row, since: int) -> None:
    """I4 and I7: a token leaves only while the authorization lives, and it is one the platform gave for this very seller."""
    at = (row, of.grant_id, hand.sandbox.now)
    if at == of.read_at:
        return  # nothing is different
    of.read_at = at
    key, found = await hand.parts.keys.for_token(hand.api_key, row.id)
    now = datetime.fromtimestamp(hand.sandbox.now, UTC)
    assert key
    assert found
    try:
        loan = lend.lend(found, shop_id=None, least=timedelta(0), now=now)
    except EvergrantError:
        return
    assert row.state == "active", "I4: a token of what is over"
    assert row.ends
    assert now < row.ends, "I4: a token after the end"
    given = hand.sandbox.application.platform.book.one(GAVE, since, sha256(loan.access.reveal()), int(of.grant_id))
    assert given, "I7: somebody else's token"


GAVE = "SELECT 1 FROM log WHERE n > ? AND kind = 'token' AND gave_access_sha256 = ? AND +grant_id = ?"


def judge(of: Line, row: Row, grant: Grant, mode: str, now: int) -> None:
    """Hold the connection at rest against what really is."""
    said = (row.state, row.reason, row.in_doubt, f"platform: {grant}", f"model: {of}", mode)
    unforgiving = mode not in {"retry_safe", "stable"}
    over = row.ends is not None and datetime.fromtimestamp(now, UTC) >= row.ends
    if of.let_go:
        assert ("cancelled", None) == (row.state, row.refresh_hash), said
    elif row.state == "active":
        assert not over, said
        if grant.alive and not of.consent_lost:
            whole = row.refresh_hash == grant.refresh_hash
            assert whole or (row.in_doubt and of.lost_since and unforgiving), ("I1: unseen loss", *said)
        assert not (of.told_of_end and not grant.alive), ("I5: a notice did not land", *said)
    elif row.state == "reauthorization_required":
        lost = of.lost_since and unforgiving
        assert not grant.alive or lost or of.consent_lost, ("a living grant is called lost", *said)
    elif row.state == "expired":
        assert over, said
    elif row.state == "suspended":
        assert row.in_doubt, ("nobody asks any more", *said)
        assert of.told_of_end or not grant.alive or of.consent_lost, said
    else:
        assert row.state == "cancelled", said
        assert not grant.alive or of.consent_lost, ("a living grant is called cancelled", *said)
        assert row.refresh_hash is None, ("tokens of the cancelled", *said)
