"""Hub and platform in one process and in one hand: every call between them can be lost, and every step can be the last.

The hub is the real one on a real database; the platform is the real sandbox. Only the socket between them is replaced, so
that a call can be refused, lost on its way there or on its way back, and the database's door, so that the process can
"die" right before or right after any of its statements: whatever it held in memory is dropped, and another one goes on.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import asyncpg

from evergrant import postgres, settings
from evergrant.actions.ports import AnswerLostError, Dice, NotSentError, Ports
from evergrant.assembly import house, provisioning
from evergrant.assembly.house import House
from evergrant.core.errors import EvergrantError
from evergrant.core.secret import Secret
from evergrant.jobs import timetable
from evergrant.providers.wire import Reply, Request
from evergrant.store.database import Database
from evergrant_sandbox.clock import checked, read_duration
from evergrant_sandbox.control.time import turn_clock
from tests import hub_fixture, postgres_fixture
from tests.model.due import A_MINUTE, MAY_BE_DUE, PATIENCE, rests
from tests.model.kept import SESSION, Kept
from tests.sandbox import kit

Result = TypeVar("Result")

MOST_ROUNDS = 60
ROOM = 50


class Died(BaseException):
    """The process is gone, here and now."""


def death_is_no_news(loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """What else ran in a process that died ends without anybody to tell; whatever else nobody waited for is told."""
    if not isinstance(about.get("exception"), Died):
        loop.default_exception_handler(about)


class AtOnce(ThreadPoolExecutor):
    """Does at once what was meant for a thread: small files are written faster than threads are woken."""

    def submit(self, work: Callable[..., Result], /, *given: Any, **named: Any) -> Future[Result]:
        """Do it."""
        done: Future[Result] = Future()
        try:
            done.set_result(work(*given, **named))
        except Exception as error:  # noqa: BLE001  (whoever waits for it is told)
            done.set_exception(error)
        return done


@dataclass(slots=True)
class Fate:
    """What happens to the next call to the platform, and at which of its next statements the process dies.

    `call`: "" (nothing), not_sent, lost_there, lost_back, rubbish, status_503, throttled, dies_before, dies_after.
    """

    call: str = ""
    statements: int | None = None
    after: bool = False
    dead: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_dead(self) -> bool:
        """Whether this process is gone: whatever of it still runs comes through no door any more."""
        return self.dead.is_set()

    def die(self) -> Died:
        """Note the death, for those who wait for others."""
        self.dead.set()
        return Died()


@dataclass(slots=True)
class Wire:
    """The way to the platform, without a socket."""

    client: kit.Client
    fate: Fate

    async def send(self, request: Request, *, once: bool = False) -> Reply:  # noqa: ARG002  (the port's own name)
        """Send a request, as far as fate lets it go."""
        if self.fate.is_dead:
            raise Died
        fate, self.fate.call = self.fate.call, ""
        match fate:
            case "not_sent":
                raise NotSentError(fate)
            case "lost_there":
                raise AnswerLostError(fate)
            case "dies_before":
                raise self.fate.die()
            case "status_503":
                return Reply(status=503, body=b"<html>busy</html>")
            case "throttled":
                return Reply(status=429, body=b"", retry_after=7.0)
        reply = await self._carried(request)
        match fate:
            case "lost_back":
                raise AnswerLostError(fate)
            case "dies_after":
                raise self.fate.die()
            case "rubbish":
                return replace(reply, body=reply.body[: len(reply.body) // 2])
        return reply

    async def send_all(self, requests: Sequence[Request]) -> Sequence[Reply | None]:
        """One after the other."""
        return [await self.send(request) for request in requests]

    async def _carried(self, request: Request) -> Reply:
        query = urlencode([(name, bare(value)) for name, value in request.query])
        headers = {name: bare(value) for name, value in request.headers}
        path = f"{urlsplit(request.url).path}?{query}"
        reply = await self.client.call(request.method, path, body=request.body, headers=headers)
        return Reply(status=reply.status, body=reply.body)


def bare(value: str | Secret) -> str:
    """What goes over the wire."""
    return value.reveal() if isinstance(value, Secret) else value


@dataclass(frozen=True, slots=True)
class PlatformsTime:
    """The platform's clock, for everybody."""

    sandbox: kit.Sandbox

    async def now(self, _clock: str) -> datetime:
        """Platform time."""
        return datetime.fromtimestamp(self.sandbox.now, UTC)


@dataclass(frozen=True, slots=True)
class EvenDice:
    """The real dice, but nothing is spread: the same life runs the same way twice."""

    real: Dice

    def identifier(self, prefix: str) -> str:
        """A new id."""
        return self.real.identifier(prefix)

    def secret(self) -> Secret:
        """A new secret."""
        return self.real.secret()

    def fraction(self) -> float:
        """The middle."""
        return 0.5


@dataclass(kw_only=True)
class Hand:
    """The hub and the platform. `ports` are the living process's; `reborn` drops them and makes others."""

    sandbox: kit.Sandbox
    settings: settings.Settings
    fate: Fate
    kept: Kept
    eye: Any
    """A connection of the onlooker's own."""
    stack: AsyncExitStack
    parts: House
    ports: Ports
    tenant_id: str = ""
    api_key: Secret = field(default_factory=lambda: Secret(""))

    async def reborn(self) -> None:
        """The process is dropped with all it held; another one opens the same database and the same disk."""
        self.fate.die()
        await self.stack.aclose()
        self.fate = Fate()
        self.stack = AsyncExitStack()
        self.parts, self.ports = await opened(self.stack, self.settings, self.sandbox, self.fate)
        await self.a_minute_passes()

    async def doing(self, work: Coroutine[Any, Any, Result]) -> Result | EvergrantError | None:
        """What the work gives, or the error it says; None if the process died of it, and lives again."""
        task, death = asyncio.ensure_future(work), asyncio.ensure_future(self.fate.dead.wait())
        await asyncio.wait((task, death), return_when=asyncio.FIRST_COMPLETED)
        died = self.fate.is_dead
        for each in (task, death):
            each.cancel()
        results = await asyncio.gather(task, death, return_exceptions=True)
        self.fate.statements, self.fate.call = None, ""
        if died:
            await self.reborn()
            return None
        if isinstance(results[0], BaseException) and not isinstance(results[0], EvergrantError):
            raise results[0]
        return results[0]

    async def sql(self, statement: str, *given: Any) -> Any:
        """Rows straight from the database, past the process and its fate."""
        return await self.eye.fetch(statement, *given)

    async def a_minute_passes(self) -> None:
        """Wall time enough for every lease to end and every slip to be nobody's."""
        await self.eye.fetch(A_MINUTE)
        for slip in self.slips():
            with suppress(FileNotFoundError):
                os.utime(slip, (time.time() - 60, time.time() - 60))  # noqa: TID251  (a file's age)

    def slips(self) -> list[Path]:
        """Answers on the disk that did not reach the database."""
        return list((self.settings.data_dir / "spool").iterdir())

    async def turn(self, span: str) -> None:
        """So much platform time passes; what falls due on the way happens."""
        platform = self.sandbox.application.platform
        await turn_clock(platform, checked(platform.clock.now() + read_duration(span)))

    async def work(self, name: str) -> str:
        """One kind of due work: take what there is, do it; what failed is said, as the worker would log it."""
        clock = kit.HERE
        for line in timetable.ONCE:
            if line.name == name:
                return str(await line.sweep("", self.ports))
        for line in timetable.BY_CLOCK:
            if line.name == name:
                return str(await line.sweep(clock, self.ports))
        due = next(line for line in timetable.DUE if line.name == name)
        said = []
        for row in await due.take(clock, self.ports, ROOM):
            try:
                said.append(str(await due.run(row, self.ports)))
            except EvergrantError as error:
                said.append(error.code)
        return " ".join(said)

    async def settle(self, *, for_good: bool) -> None:
        """Let wall time pass, and the worker work, until nothing is left to do; `for_good`: whoever is asked."""
        said: list[str] = []
        for turn in range(1, MOST_ROUNDS):
            await self.a_minute_passes()
            if turn % PATIENCE == 0:
                await self.turn("11m")
            due = await self.due()
            said = [await self.work(name) for name in WORKS if name in due]
            quiet = rests(said, turn)
            if quiet and for_good and len(said) < len(WORKS):
                said = [await self.work(name) for name in WORKS]
                quiet = rests(said, turn)
            if quiet:
                return
        raise AssertionError(f"it never comes to rest: {said}\n{await self.left()}")

    async def due(self) -> set[str]:
        """The work for which there may be something to do."""
        slips = {"heal", "heal_exchanges"} if self.slips() else set()
        now = datetime.fromtimestamp(self.sandbox.now, UTC)
        return {*(await self.eye.fetchval(MAY_BE_DUE, now)), *slips}

    async def left(self) -> str:
        """What there is to do, for whoever wants to know why it never ends."""
        rows = await self.sql(
            """
            select c.id, c.state, c.reason, c.authorization_ends, c.in_doubt_since, c.verify_after, t.due_at, t.access_ends,
                t.refresh_ends, t.lease_until, (select array_agg(p.outcome || ' ' || p.fence order by p.fence)
                from presentations p where p.connection_id = c.id) as shown
            from connections c left join tokens t on t.connection_id = c.id
            where c.state in ('active', 'suspended', 'reauthorization_required')
            """
        )
        return "\n".join(str(dict(row)) for row in rows) + f"\nnow {self.sandbox.now}"


WORKS = (
    "heal",
    "heal_exchanges",
    "expire",
    "doubts",
    "orphans",
    "refresh",
    "sync",
    "verify",
    "digest",
    "finish",
)
"""The work an authorization's life rests on, by its names in the timetable."""


class Door:
    """The database's door: counts the statements until the process dies."""

    def __init__(self, parts: House, fate: Fate) -> None:
        self._database, self._fate = parts.database, fate
        self._connection = self._database.connection
        self._database.connection = self.connection  # type: ignore[method-assign]

    @asynccontextmanager
    async def connection(self, *, within: float | None = None, of: Collection[str] | None = None) -> AsyncIterator[Any]:
        """One connection, or one transaction, which is one step."""
        fate = self._fate
        if fate.is_dead:
            raise Died
        last = False
        if fate.statements is not None:
            fate.statements -= 1
            last = fate.statements < 0
        if last and not fate.after:
            raise fate.die()
        async with self._connection(within=within, of=of) as connection:
            yield connection
        if last:
            raise fate.die()


async def opened(
    stack: AsyncExitStack, chosen: settings.Settings, sandbox: kit.Sandbox, fate: Fate
) -> tuple[House, Ports]:
    """A process: the house, with fate at its doors."""
    parts = await stack.enter_async_context(house.house(chosen, {}, clock_believed=0.0))
    Door(parts, fate)
    ports = replace(
        parts.ports, platform=Wire(sandbox.client, fate), clock=PlatformsTime(sandbox), dice=EvenDice(parts.ports.dice)
    )
    return replace(parts, ports=ports), ports


@asynccontextmanager
async def in_hand(server: postgres.Server, folder: Path) -> AsyncIterator[Hand]:
    """Everything, with one tenant. Processes die here, the computer does not: nothing waits for the disk."""
    chosen = settings.read(
        data_dir=folder / "hub", public_url=hub_fixture.ORIGIN, sandbox_urls=kit.HERE, database_connections=2
    )
    fate = Fate()
    async with (
        kit.running(folder / "platform") as sandbox,
        postgres_fixture.fresh(server, await hub_fixture.template(server)) as dsn,
        AsyncExitStack() as around,
    ):
        sandbox.application.platform.book.run("PRAGMA synchronous = OFF")
        kept = Kept(dsn)
        around.push_async_callback(kept.end)
        around.enter_context(patch.object(Database, "connect", kept.connect))
        around.enter_context(patch.object(os, "fsync", lambda _: None))
        eye = await asyncpg.connect(dsn, server_settings=SESSION)
        around.push_async_callback(eye.close)
        stack = AsyncExitStack()
        parts, ports = await opened(stack, chosen, sandbox, fate)
        hand = Hand(
            sandbox=sandbox, settings=chosen, fate=fate, kept=kept, eye=eye, stack=stack, parts=parts, ports=ports
        )
        made = await provisioning.add_tenant(
            parts, name="Acme", email="o@acme.example", person="Olive", password=Secret("correct horse battery")
        )
        hand.tenant_id, hand.api_key = made.tenant_id, made.api_key
        try:
            yield hand
        finally:
            await hand.stack.aclose()
