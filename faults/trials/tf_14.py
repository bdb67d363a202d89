"""TF-14: thousands of records that failed are tried again, some of them poisoned, by workers that are killed every two
seconds, and the connection dies in the middle of it and is renewed.
"""

import asyncio
import json
import re
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

from evergrant.core.tokens import Rotation
from evergrant.providers import dialects
from evergrant.providers.wire import Access, Page
from faults import notices
from faults.stand import Stand, Trial
from faults.tally import Tally
from faults.world import Bond, World

RECORDS = 5_000
DIES_AT = 40
"""Percent done when the connection dies."""
KILL_SECONDS = 2.0
LOOK_SECONDS = 0.25
DONE_SECONDS, A_MINUTE = 240.0, 60.0
UNDER_WAY_SECONDS = 2.0
"""Calls that were about to leave when the end was kept may still arrive."""
VARIANTS_A_PRODUCT = 2
AT_ONCE, PRODUCTS_AT_ONCE = 500, 100
UPDATE = "/inventory/update"
SHUT = """
select extract(epoch from now())::float8 as at from flows where connection_id = $1 and kind = 'stock' and shut is not null
"""
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(slots=True, kw_only=True)
class Course:
    """What one trial does, and what it has seen."""

    world: World
    bond: Bond
    email: str
    records: int
    replay: str = ""
    done: bool = False
    kills: int = 0
    samples: int = 0
    newest: dict[str, int] = field(default_factory=dict)
    poisoned: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the hub's API."""
        headers = {"authorization": f"Bearer {self.world.home.api_key}"}
        url = f"{self.world.hubs[0].address}{path}"
        async with self.world.session.request(method, url, json=body, headers=headers) as answer:
            told = await answer.json(content_type=None)
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {told}")
            return told

    async def give(self, levels: dict[str, int]) -> None:
        """Hand levels to the hub; from now on they are the newest."""
        items = [
            {"sku": sku, "quantity": count} | ({"warehouse_id": "99"} if sku in self.poisoned else {})
            for sku, count in levels.items()
        ]
        for begin in range(0, len(items), AT_ONCE):
            path = f"/v1/connections/{self.bond.id}/inventory"
            await self.api("PUT", path, {"items": items[begin : begin + AT_ONCE]})
        self.newest |= levels

    async def progress(self) -> dict[str, int]:
        """How many records of the bulk retry came to what."""
        told = await self.api("GET", f"/v1/replays/{self.replay}?limit=1")
        return {name: told[name] for name in ("succeeded", "failed", "superseded", "skipped", "waiting", "total")}


async def run(stand: Stand) -> None:
    """Fail all, try all again, kill and end in the middle, and compare at the end."""
    tally = stand.tally("stable")
    for number in range(stand.times(1, 3)):
        async with stand.world(f"replay{number}", hubs=1, workers=0) as world:
            course = await _failed(world, RECORDS)
            with tally.trial():
                choice = {"cause": "paused_by_vendor"}
                course.replay = (await course.api("POST", "/v1/replays", choice))["id"]
                await course.api("POST", f"/v1/connections/{course.bond.id}/resume", {"flow": "stock"})
                watched = asyncio.create_task(_watched(course))
                killed = asyncio.create_task(_killed(course))
                try:
                    since, until = await _outage(course)
                    await _over(course, tally)
                finally:
                    course.done = True
                    await asyncio.gather(watched, killed)
                await _checked(course, since, until, tally)


async def _failed(world: World, records: int) -> Course:
    """A shop with so many variants known here, whose flow is paused, and a level for each of them that failed for it."""
    (bond,) = await world.connect(Rotation.STABLE, 1)
    await notices.polled(world, [bond])
    await world.platform.post(
        "/apps", {"key": bond.app.key, "webhook_url": f"{world.hubs[0].address}/hooks/tiktok-shop/{bond.app.id}"}
    )
    for _ in range(0, records // VARIANTS_A_PRODUCT + 1, AT_ONCE):
        await world.platform.post("/products", {"shop": bond.shop_id, "count": AT_ONCE})
    for kind in ("products", "inventory", "stock"):
        next_run = None if kind == "stock" else await world.now()
        await world.sql(
            """
            insert into flows (tenant_id, connection_id, shop_id, kind, clock, paused_by_vendor, next_run_at)
            values ($1, $2, $3, $4, $5, false, $6)
            """,
            *(world.home.tenant_id, bond.id, bond.shop_id, kind, bond.app.clock, next_run),
        )
    worker = await world.worker(more={"EVERGRANT_CALLS_PER_SECOND": "1000"})
    course = Course(world=world, bond=bond, email=f"seller{world.made}@faults.example", records=records)
    await _until(
        course,
        "select true from flows where kind = 'products' and connection_id = $1 and last_success_at is not null",
    )
    worker.kill()
    await course.api("POST", f"/v1/connections/{bond.id}/pause", {"flow": "stock"})
    rows = await world.sql(
        "select seller_sku from wares where connection_id = $1 order by 1 limit $2", bond.id, records
    )
    skus = [row["seller_sku"] for row in rows]
    if len(set(skus)) < records:
        raise RuntimeError(f"{len(set(skus))} variants where {records} are wanted")
    course.poisoned = set(skus[::100])
    await course.give({sku: number % 997 for number, sku in enumerate(skus)})
    return course


async def _until(course: Course, statement: str) -> Any:
    """Wait until a statement about the connection gives a row; gives the row."""
    deadline = monotonic() + A_MINUTE
    while not (rows := await course.world.sql(statement, course.bond.id)):
        if monotonic() > deadline:
            raise TimeoutError(statement)
        await asyncio.sleep(0.02)
    return rows[0]


async def _killed(course: Course) -> None:
    """Workers, one after the other, each killed two seconds after it began to work."""
    while not course.done:
        worker = await course.world.worker(more={"EVERGRANT_CALLS_PER_SECOND": "1000"})
        await asyncio.sleep(KILL_SECONDS)
        worker.kill()
        course.kills += 1


async def _watched(course: Course) -> None:
    """Whenever it is asked, every record is somewhere."""
    while not course.done:
        told = await course.progress()
        course.samples += 1
        total = sum(count for name, count in told.items() if name != "total")
        if not total == told["total"] == course.records:
            course.lost.append(f"the progress does not add up: {told}")
        rows = await course.world.sql(
            "select state, count(distinct entity) as many from pushes where connection_id = $1 and state <> 'superseded' group by 1",
            course.bond.id,
        )
        kept = sum(row["many"] for row in rows)
        if kept < course.records:
            course.lost.append(f"records are missing: {[tuple(row) for row in rows]}")
        await asyncio.sleep(LOOK_SECONDS)


async def _outage(course: Course) -> tuple[float, float]:
    """In the middle the seller takes it back, newer levels come, and the seller renews; gives from when to when, as the
    database's clock has it, the hub knew that it was dead.
    """
    await _reached(course, DIES_AT)
    await course.world.platform.post(f"/grants/{course.bond.grant}/cancel")
    since = (await _until(course, SHUT))["at"]
    healthy = [sku for sku in course.newest if sku not in course.poisoned]
    await course.give({sku: 1_000 + number for number, sku in enumerate(healthy[::5])})
    await asyncio.sleep(2 * KILL_SECONDS)
    await _until(course, "select true from connections where id = $1 and state <> 'suspended'")
    rows = await course.world.sql("select extract(epoch from now())::float8 as at")
    await _renewed(course)
    return since, rows[0]["at"]


async def _renewed(course: Course) -> None:
    """The seller renews through a hosted link, as in life."""
    world, bond = course.world, course.bond
    given = {
        "merchant_id": world.home.merchant_id,
        "app_id": bond.app.id,
        "purpose": "renew",
        "connection_id": bond.id,
    }
    link = await course.api("POST", "/v1/link-sessions", given)
    here = world.hubs[0].address.replace("127.0.0.1", "localhost")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), trust_env=False) as person:
        path = urlsplit(link["url"]).path
        async with person.get(f"{here}{path}") as page:
            found = CSRF.search(await page.text())
        assert found
        async with person.post(f"{here}{path}", data={"csrf": found[1]}, allow_redirects=False) as gone:
            state = parse_qs(urlsplit(gone.headers["location"]).query)["state"][0]
        consent = {"app": bond.app.key, "seller": course.email, "shop": bond.shop_id, "period": "365d", "state": state}
        back = urlsplit((await world.platform.post("/authorize", consent))["redirect_url"])
        callback = f"/cb/tiktok-shop/{bond.app.id}?{back.query}"
        async with person.get(f"{here}{callback}", allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()


async def _reached(course: Course, percent: int) -> None:
    """Wait until so much of it has succeeded."""
    deadline = monotonic() + DONE_SECONDS
    while (await course.progress())["succeeded"] * 100 < percent * course.records:
        if monotonic() > deadline:
            raise TimeoutError(f"{percent} % were not done in {DONE_SECONDS:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)


async def _over(course: Course, tally: Tally) -> None:
    """Wait until nothing waits any more, or too long."""
    deadline = monotonic() + DONE_SECONDS
    while monotonic() < deadline:
        if not (await course.progress())["waiting"] and not await _waiting(course):
            break
        await asyncio.sleep(LOOK_SECONDS)
    # A newer level of what a killed worker had in hand goes out behind it, and is in no bulk retry.
    tally.holds(not await _waiting(course), "levels are still on their way")
    tally.note(f"{course.records:,} records, {course.kills} kills, {course.samples} samples")


async def _waiting(course: Course) -> int:
    rows = await course.world.sql(
        "select count(*) as some from pushes where connection_id = $1 and state = 'waiting'", course.bond.id
    )
    return int(rows[0]["some"])


async def _checked(course: Course, since: float, until: float, tally: Tally) -> None:
    tally.add(course.lost)
    tally.holds(course.kills >= 3, f"only {course.kills} workers were killed: the trial shows little")
    told = await course.progress()
    poisoned = len(course.poisoned)
    wanted = {"failed": poisoned, "waiting": 0, "skipped": 0, "succeeded": course.records - poisoned}
    tally.holds(wanted.items() <= told.items(), f"it came out otherwise: {told}")
    tally.add(await _out_of_order(course))
    tally.add(await _not_as_given(course))
    lines = [line for line in await course.world.platform.lines(kind="api") if line["path"].endswith(UPDATE)]
    dead = [line for line in lines if since + UNDER_WAY_SECONDS < line["wall"] < until]
    tally.holds(not dead, f"{len(dead)} calls were made while the connection was known to be dead")
    tally.holds(lines, "no call was made at all")


async def _out_of_order(course: Course) -> list[str]:
    """Of one SKU, an older level never counted after a newer one, and each was settled once."""
    rows = await course.world.sql(
        """
        select a.entity from pushes a join pushes b on b.tenant_id = a.tenant_id and b.connection_id = a.connection_id
          and b.entity = a.entity and b.position > a.position
        where a.connection_id = $1 and a.state = 'done' and b.state = 'done' and a.ended_at >= b.ended_at
        """,
        course.bond.id,
    )
    twice = await course.world.sql(
        """
        select data ->> 'record_id' as sku from events where connection_id = $1 and type = 'exception.resolved'
        group by data ->> 'exception_id', 1 having count(*) > 1
        """,
        course.bond.id,
    )
    wrong = [f"{row['entity']}: an older level was settled after a newer one" for row in rows]
    return wrong + [f"{row['sku']}: its exception ended twice" for row in twice]


async def _not_as_given(course: Course) -> list[str]:
    """The newest level of every SKU is what the platform holds, asked past the hub's books."""
    world, bond = course.world, course.bond
    ports, dialect = world.parts.ports, dialects.named(bond.app.provider)
    found = await ports.books.tokens.access(world.home.tenant_id, bond.id)
    assert found is not None
    rows = await world.sql("select cipher from shops where connection_id = $1", bond.id)
    access = Access(token=found[0], cipher=rows[0]["cipher"])
    products = await world.sql("select distinct product_id from wares where connection_id = $1", bond.id)
    held: dict[str, int] = {}
    for begin in range(0, len(products), PRODUCTS_AT_ONCE):
        ids = [row["product_id"] for row in products[begin : begin + PRODUCTS_AT_ONCE]]
        now = await world.now()
        page = dialect.read_inventory(
            await ports.platform.send(dialect.inventory_request(bond.app, access, ids, now)), now
        )
        assert isinstance(page, Page), page
        skus = [sku for record in page.records for sku in json.loads(record.document)["skus"]]
        held |= {sku["seller_sku"]: sku["total_available_quantity"] for sku in skus}
    wrong = [sku for sku, count in course.newest.items() if sku not in course.poisoned and held.get(sku) != count]
    return [f"{sku}: the platform holds {held.get(sku)} where {course.newest[sku]} was the last" for sku in wrong]


TEST = Trial(
    id="TF-14",
    proves="a bulk retry of thousands with poison among them, under kills, with a death and a renewal in the middle: all there, in order",
    run=run,
)
