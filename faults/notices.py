"""Notices as the platform would send them, handed to a hub's door by the trial itself, which so knows every answer."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

import aiohttp

from evergrant.providers import dialects
from evergrant.providers.tiktok_shop import signing
from evergrant.providers.wire import CallRefused
from faults.programs import Program
from faults.world import Bond, World

ORDER_STATUS, DEAUTHORIZATION = 1, 6
ANSWER_SECONDS = 6.0
AGAIN_SECONDS = 0.2
NO_ANSWER = 0


@dataclass(slots=True)
class Post:
    """Carries notices; `acknowledged` has the ids answered 200, `answers` every (moment, status), 0 for no answer."""

    world: World
    acknowledged: set[str] = field(default_factory=set)
    answers: list[tuple[float, int]] = field(default_factory=list)
    sent: int = 0

    async def deliver(self, bond: Bond, kind: int, at: datetime, *, hub: Program | None = None, id_: str = "") -> int:
        """Deliver one, once; gives the status, 0 if there was none."""
        self.sent += 1
        name = id_ or f"76{self.sent:017d}"
        body = body_of(bond, kind, at, name)
        signed = signing.sign_notice(bond.app.key, bond.app.secret, body)
        url = f"{(hub or self.world.hubs[0]).address}/hooks/tiktok-shop/{bond.app.id}"
        try:
            async with self.world.session.post(
                url, data=body, headers={"authorization": signed}, timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = NO_ANSWER
        self.answers.append((monotonic(), status))
        if status == 200:
            self.acknowledged.add(name)
        return status

    async def until_taken(self, bond: Bond, kind: int, at: datetime, *, seconds: float = 90.0) -> float:
        """Deliver one again and again, under the same id as the platform does, until it is answered 200; gives when."""
        self.sent += 1
        name, deadline = f"77{self.sent:017d}", monotonic() + seconds
        while await self.deliver(bond, kind, at, id_=name) != 200:
            if monotonic() > deadline:
                raise TimeoutError("no hub took the notice")
            await asyncio.sleep(AGAIN_SECONDS)
        return monotonic()

    async def lost(self) -> list[str]:
        """Acknowledged notices that are not in the inbox."""
        rows = await self.world.sql("select notification_id from notices")
        kept = {row["notification_id"] for row in rows}
        return [f"notice {name} was answered 200 and is not there" for name in sorted(self.acknowledged - kept)]

    async def settled(self, seconds: float) -> float | None:
        """Wait until every kept notice is understood; gives the seconds, None if it takes longer."""
        begun = monotonic()
        while (await self.world.sql("select count(*) as left from notices where settled_at is null"))[0]["left"]:
            if monotonic() - begun > seconds:
                return None
            await asyncio.sleep(AGAIN_SECONDS)
        return monotonic() - begun


async def polled(world: World, bonds: Sequence[Bond]) -> None:
    """Let the hub poll the orders of these."""
    for bond in bonds:
        await _ciphered(world, bond)
        await world.sql(
            """
            insert into flows (tenant_id, connection_id, shop_id, kind, clock, paused_by_vendor, next_run_at)
            values ($1, $2, $3, 'orders', $4, false, $5)
            """,
            *(world.home.tenant_id, bond.id, bond.shop_id, bond.app.clock, await world.now()),
        )


async def _ciphered(world: World, bond: Bond) -> None:
    """Give the shop its real cipher, without which the platform takes no call about it."""
    ports, now = world.parts.ports, await world.now()
    found = await ports.books.tokens.access(world.home.tenant_id, bond.id)
    assert found is not None
    dialect = dialects.named(bond.app.provider)
    answer = dialect.read_shops(await ports.platform.send(dialect.shops_request(bond.app, found[0], now)))
    if isinstance(answer, CallRefused):
        raise TypeError(f"the platform does not tell the shops of {bond.id}: {answer}")
    for shop in answer:
        await world.sql("update shops set cipher = $2 where shop_id = $1", shop.id, shop.cipher)


def body_of(bond: Bond, kind: int, at: datetime, name: str) -> bytes:
    """A notice of this kind, as bytes."""
    about: dict[str, object] = {"order_id": "1", "order_status": "UNPAID", "update_time": int(at.timestamp())}
    if kind == DEAUTHORIZATION:
        about = {"message": f"Shop_id {bond.shop_id} is deauthorized from your APP by merchant."}
    body = {
        "type": kind,
        "tts_notification_id": name,
        "shop_id": bond.shop_id,
        "timestamp": int(at.timestamp()),
        "data": about,
    }
    return json.dumps(body, separators=(",", ":")).encode()
