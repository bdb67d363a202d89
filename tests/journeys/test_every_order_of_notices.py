"""Notices come late, twice and in any order: what is believed in the end is what the platform's history says."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from types import SimpleNamespace
from typing import Any

from evergrant.actions import receive, verify
from evergrant.actions.ports import Received
from evergrant.core import connection, lifecycle
from evergrant.core.app import App, Hosts
from evergrant.core.authorization import PENDING, State
from evergrant.core.connection import Change, Connection, Flow, Shop
from evergrant.core.flows import Kind
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.providers import tiktok_shop
from evergrant.providers.wire import Reply, Request

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC)
ENDS = NOON + timedelta(days=20)
HISTORY = ("grant", "expiring", "deauthorize", "grant", "deauthorize", "grant")
"""One a minute. All of it has happened by the time the hub hears of any of it."""

APP = App(
    tenant_id="ten",
    id="app",
    provider=tiktok_shop.NAME,
    region="ROW",
    name="Acme",
    key="k",
    secret=Secret("s"),
    service_id="1",
    hosts=Hosts(authorize="http://a", auth="http://b", api="http://c"),
    required_scopes=frozenset(),
    rotation=Rotation.FAMILY,
    clock="wall",
)


SCOPES = tiktok_shop.FLOW_SCOPES[Kind.ORDERS]


def minute(number: int) -> datetime:
    """When the event of that number happened."""
    return NOON + timedelta(minutes=number)


def notice(number: int) -> bytes:
    """The notice of that number, as the platform writes it."""
    kind, data = (
        (6, "{}") if HISTORY[number] == "deauthorize" else (7, f'{{"expiration_time":"{ENDS.timestamp():.0f}"}}')
    )
    at = int(minute(number).timestamp())
    return f'{{"type":{kind},"tts_notification_id":"n{number}","shop_id":"1","timestamp":{at},"data":{data}}}'.encode()


@dataclass
class Hub:
    """The hub's actions over books in memory: one connection, an inbox that keeps each notice once."""

    known: Connection
    holds: int = -1
    """Whose pair is kept: the number of the grant that brought it."""
    doubted: bool = False
    inbox: set[str] = field(default_factory=set)
    calls: int = 0

    async def find(self, *_: str) -> Connection:
        """The connection."""
        return self.known

    async def holders(self, *_: Any) -> list[tuple[str, str]]:
        """Nobody before the first grant."""
        return [] if self.known.authorization.state is State.PENDING else [("ten", "con")]

    async def keep(self, change: Change, *, actor: str = "") -> None:  # noqa: ARG002  (the protocol's)
        """The change, and what it asks."""
        self.known = replace(change.after, revision=change.after.revision + 1)
        self.doubted = (self.doubted or change.asks) and not change.answers
        if change.wipes_tokens:
            self.holds = -1

    async def settle(self, _taken: Received, _outcome: str, change: Change | None = None) -> None:
        """A notice is settled together with its change."""
        if change is not None:
            await self.keep(change)

    async def access(self, *_: str) -> tuple[Secret, datetime] | None:
        """The pair that is kept."""
        return None if self.holds < 0 else (Secret(f"token-{self.holds}"), ENDS)

    async def send(self, request: Request, *, once: bool = False) -> Reply:  # noqa: ARG002  (the protocol's)
        """The platform: only the pair of the newest grant is alive."""
        self.calls += 1
        token = next(value for name, value in request.headers if name == "x-tts-access-token")
        assert isinstance(token, Secret)
        alive = token.reveal() == f"token-{len(HISTORY) - 1}"
        shops = b'{"code":0,"data":{"shops":[{"id":"1","cipher":"c"}]}}'
        return Reply(status=200 if alive else 401, body=shops if alive else b'{"code":105001,"message":"gone"}')

    @property
    def ports(self) -> Any:
        """What the actions are given."""

        async def nothing(*_: Any, **__: Any) -> bool:
            return False

        async def app(_id: str) -> App:
            return APP

        async def now(_clock: str) -> datetime:
            return minute(len(HISTORY))

        books = SimpleNamespace(
            apps=SimpleNamespace(by_id=app, refused=nothing),
            connections=SimpleNamespace(
                find=self.find, holders=self.holders, keep=self.keep, is_refreshing=nothing, ask_again=nothing
            ),
            tokens=SimpleNamespace(access=self.access),
            inbox=SimpleNamespace(settle=self.settle),
            watches=SimpleNamespace(heard=nothing, came=nothing),
        )
        return SimpleNamespace(books=books, platform=self, clock=SimpleNamespace(now=now))

    async def hears(self, number: int) -> None:
        """Event `number` arrives: a consent with its pair, or a notice, once."""
        if HISTORY[number] == "grant":
            news = lifecycle.News(kind=lifecycle.Kind.GRANTED, at=minute(number), ends=ENDS, scopes=SCOPES)
            change = connection.apply(self.known, news, needs={}, now=minute(len(HISTORY)))
            if not change.why_not:
                await self.keep(change)
                self.holds = number
            return
        taken = receive.received(APP, notice(number))
        if taken.notification_id not in self.inbox:
            self.inbox.add(taken.notification_id)
            await receive.digest(taken, self.ports)

    async def verifies(self) -> None:
        """A worker asks the platform, where somebody casts doubt."""
        if self.doubted:
            await verify.one("ten", "con", self.ports)
            if self.known.authorization.state not in lifecycle.VERIFIABLE:
                self.doubted = False


def fresh() -> Hub:
    """Before anything was heard."""
    shop = Shop(id="1", name="", region="GB", cipher="c")
    flow = Flow(shop_id="1", kind=Kind.ORDERS)
    return Hub(
        known=Connection(
            tenant_id="ten",
            id="con",
            merchant_id="mer",
            app_id="app",
            provider=tiktok_shop.NAME,
            region="ROW",
            open_id="o",
            seller_name="",
            clock="wall",
            authorization=PENDING,
            revision=0,
            shops=(shop,),
            flows=(flow,),
        )
    )


def model(heard: Sequence[int]) -> tuple[int, bool]:
    """What may be believed after these: (the grant that stands, whether tokens may leave), by the history alone.

    Written without the life-cycle table: the newest grant heard of counts, and a deauthorization as young as it, heard
    after it, stops everything until the platform was asked.
    """
    stands, doubted = -1, False
    for number in heard:
        if HISTORY[number] == "grant" and number > stands:
            stands, doubted = number, False
        if HISTORY[number] == "deauthorize" and -1 < stands < number:
            doubted = True
    return stands, stands >= 0 and not doubted


async def plays(order: Sequence[int], *, verified_at_once: bool) -> Hub:
    """The events in this order, each twice; the second time somewhere later. The model is asked at every step."""
    hub, heard = fresh(), list[int]()
    twice = [*order[:3], order[0], *order[3:5], order[2], order[1], *order[5:], *order[3:]]
    for number in twice:
        if HISTORY[number] == "grant" and number in heard:
            continue  # a code brings one result; a second return is refused at the door
        if number not in heard:
            heard.append(number)
        await hub.hears(number)
        stands, may_leave = model(heard)
        if not verified_at_once:
            assert (hub.known.authorization.state is State.ACTIVE) == may_leave, (order, heard)
            if stands >= 0:
                assert hub.known.authorization.granted_at == minute(stands)
        if verified_at_once:
            await hub.verifies()
    await hub.verifies()
    return hub


async def test_all_720_orders_end_where_the_history_ends() -> None:
    """Each event twice, verified after every one or only at the end: active, by the newest consent, with its tokens."""
    for order in permutations(range(len(HISTORY))):
        for verified_at_once in (True, False):
            hub = await plays(order, verified_at_once=verified_at_once)
            ended = hub.known.authorization

            assert (State.ACTIVE, minute(5), 5, False) == (ended.state, ended.granted_at, hub.holds, hub.doubted), order
            assert hub.calls <= 2, order
            assert [None] == [flow.shut for flow in hub.known.flows], order
