"""Every flow of the hub that commits something, as a trial drives it, and what must be true when it is over."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from evergrant.core.tokens import Rotation
from evergrant.providers.tiktok_shop import signing
from faults import notices, oracle
from faults.inside import ORIGIN, Inside
from faults.notices import DEAUTHORIZATION, ORDER_STATUS
from faults.world import Bond

ORDERS = 5
AGAIN = 3
"""How often a person or a program tries again what was answered 503."""

Check = Callable[[], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """`prepare` sets the scene and gives what is then done, and what must hold at the end."""

    name: str
    prepare: Callable[[Inside, int], Awaitable[tuple[Callable[[], Awaitable[None]], Check]]]


async def _bond(hub: Inside, *, flows: bool = False, orders: int = 0) -> Bond:
    (bond,) = await hub.world.connect(Rotation.STRICT, 1)
    if flows:
        await notices.polled(hub.world, [bond])
    if orders:
        await hub.world.platform.post("/products", {"shop": bond.shop_id, "count": 1})
        await hub.world.platform.post("/orders", {"shop": bond.shop_id, "count": orders})
    return bond


async def told(hub: Inside, connection_id: str) -> list[str]:
    """What the log says of a connection, in its order."""
    rows = await hub.world.sql("select type from events where connection_id = $1 order by position", connection_id)
    return [row["type"] for row in rows]


async def _refresh(hub: Inside, _number: int) -> tuple[Callable[[], Awaitable[None]], Check]:
    bond = await _bond(hub)
    before = await hub.world.platform.last()
    await hub.world.due([bond])

    async def check() -> list[str]:
        seen = [each for each in await hub.world.platform.refreshes(before) if each.grant == bond.grant]
        (row,) = await hub.world.sql(
            """
            select encode(t.refresh_hash, 'hex') as hash, t.version, c.state, c.in_doubt_since, (select count(*) from
                presentations p where p.connection_id = c.id and p.outcome = 'ok') as kept,
                (select count(*) from stray_pairs s where s.connection_id = c.id) as strays
            from tokens t join connections c on c.id = t.connection_id where c.id = $1
            """,
            bond.id,
        )
        found = await oracle.presentations(hub.world, [bond], seen)
        newest = seen[-1].gave if seen else row["hash"]
        if row["hash"] != newest:
            found.append(f"{bond.id} holds another token than the platform gave")
        if row["version"] != 1 + row["kept"] or row["kept"] != len(seen) or row["strays"]:
            found.append(
                f"{bond.id}: {len(seen)} answers, {row['kept']} kept, version {row['version']}, {row['strays']} strays"
            )
        if row["state"] != "active":
            found.append(f"{bond.id} is {row['state']}")
        return found

    return hub.work, check


async def _callback(hub: Inside, number: int) -> tuple[Callable[[], Awaitable[None]], Check]:
    world, app = hub.world, hub.world.apps[Rotation.STRICT]
    await world.platform.post("/apps", {"key": app.key, "redirect_urls": [f"{ORIGIN}/cb/tiktok-shop/{app.id}"]})
    email = f"callback{number}@faults.example"
    shops = [{"name": f"C {number}", "region": "GB", "orders": 0, "products": 0}]
    await world.platform.post(
        "/sellers", {"name": f"C {number}", "email": email, "password": "sandbox", "region": "GB", "shops": shops}
    )
    body = {"merchant_id": world.home.merchant_id, "app_id": app.id}
    link = (await hub.api.post("/v1/link-sessions", json=body)).json()
    person, path = hub.browser(), urlsplit(link["url"]).path
    page = await person.get(path)
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    gone = await person.post(path, data={"csrf": csrf[1]})
    state = parse_qs(urlsplit(gone.headers["location"]).query)["state"][0]
    consent = {"app": app.key, "seller": email, "period": "365d", "state": state}
    made = await world.platform.post("/authorize", consent)
    back = urlsplit(made["redirect_url"])
    before = await world.platform.last()

    async def act() -> None:
        await _patiently(lambda: person.get(f"{back.path}?{back.query}"))

    async def check() -> list[str]:
        await person.aclose()
        calls = [line for line in await world.platform.lines(before) if line["path"].endswith("/token/get")]
        session = (await hub.api.get(f"/v1/link-sessions/{link['id']}")).json()
        ours = await world.sql(
            "select c.id, encode(t.refresh_hash, 'hex') as hash from connections c join tokens t on t.connection_id = c.id "
            "where c.id not like 'con_000%' and c.created_at >= (select created_at from link_sessions where id = $1)",
            link["id"],
        )
        found = [f"the code was shown {len(calls)} times"] if len(calls) > 1 else []
        if session["outcome"] == "completed":
            events = await told(hub, session["result"]["connection_id"])
            if len(ours) != 1 or ours[0]["hash"] != calls[0]["gave_refresh_sha256"]:
                found.append(f"{len(ours)} connections, or not with the pair the platform gave")
            if events.count("connection.authorized") != 1 or events.count("link_session.completed") != 1:
                found.append(f"told otherwise than once: {events}")
        elif session["code"] != "exchange_outcome_lost" or ours:
            found.append(f"the link is {session['outcome']} {session['code']}, with {len(ours)} connections")
        return found

    return act, check


def _notice(
    kind: int, wanted: list[str]
) -> Callable[[Inside, int], Awaitable[tuple[Callable[[], Awaitable[None]], Check]]]:
    async def prepare(hub: Inside, number: int) -> tuple[Callable[[], Awaitable[None]], Check]:
        bond, name = await _bond(hub), f"78{kind}{number:016d}"
        body = notices.body_of(bond, kind, await hub.world.now(), name)
        signed = {"authorization": signing.sign_notice(bond.app.key, bond.app.secret, body)}

        async def act() -> None:
            await _patiently(
                lambda: hub.api.post(f"/hooks/tiktok-shop/{bond.app.id}", content=body, headers=signed), least=200
            )
            await hub.work()

        async def check() -> list[str]:
            rows = await hub.world.sql("select settled_at from notices where notification_id = $1", name)
            events = await told(hub, bond.id)
            found = [] if [row["settled_at"] is None for row in rows] == [False] else [f"{name}: {len(rows)} rows"]
            return found if events == wanted else [*found, f"{bond.id} was told {events}"]

        return act, check

    return prepare


async def _pause(hub: Inside, _number: int) -> tuple[Callable[[], Awaitable[None]], Check]:
    bond = await _bond(hub, flows=True)

    async def act() -> None:
        await _patiently(lambda: hub.api.post(f"/v1/connections/{bond.id}/pause"), least=200)

    async def check() -> list[str]:
        events = await told(hub, bond.id)
        rows = await hub.world.sql(
            "select kind, paused_by_vendor as paused from flows where connection_id = $1", bond.id
        )
        found = [] if all(row["paused"] for row in rows) else ["a flow runs on"]
        return found if events.count("flow.paused") == len(rows) else [*found, f"{bond.id} was told {events}"]

    return act, check


async def _poll(hub: Inside, _number: int) -> tuple[Callable[[], Awaitable[None]], Check]:
    bond = await _bond(hub, flows=True, orders=ORDERS)

    async def check() -> list[str]:
        rows = await hub.world.sql("select record_id from records where connection_id = $1", bond.id)
        events = await told(hub, bond.id)
        (flow,) = await hub.world.sql(
            "select last_success_at, lease_until from flows where connection_id = $1", bond.id
        )
        found = [] if len(rows) == ORDERS else [f"{bond.id} has {len(rows)} of {ORDERS} orders"]
        if flow["last_success_at"] is None:
            found.append(f"the poll of {bond.id} never ended")
        return found if events == ["flow.synced"] else [*found, f"{bond.id} was told {events}"]

    return hub.work, check


async def _patiently(ask: Callable[[], Awaitable[Any]], *, least: int = 0) -> httpx2.Response:
    """Ask, and again when the answer is 503: as the platform does, a program, a person who reloads."""
    answer = await ask()
    for _ in range(AGAIN):
        if answer.status_code != 503:
            break
        answer = await ask()
    assert isinstance(answer, httpx2.Response)
    if least and answer.status_code != least:
        raise RuntimeError(f"answered {answer.status_code}: {answer.text[:200]}")
    return answer


FLOWS = (
    Flow(name="refresh", prepare=_refresh),
    Flow(name="callback", prepare=_callback),
    Flow(name="notice of an order", prepare=_notice(ORDER_STATUS, [])),
    Flow(name="deauthorization", prepare=_notice(DEAUTHORIZATION, ["connection.suspended", "connection.resumed"])),
    Flow(name="pause", prepare=_pause),
    Flow(name="poll", prepare=_poll),
)
