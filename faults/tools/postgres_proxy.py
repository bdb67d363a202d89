"""A proxy in front of PostgreSQL that knows what a commit is: it can lose the word of it, or the commit itself.

async with PostgresProxy(dsn) as proxy:
    rule = proxy.add(Rule(act=Act.LOSE_WORD, matching="into presentations"))
    ... connect to proxy.dsn ...
    assert rule.hits == 1
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from faults.tools import frames
from faults.tools.addresses import ONE_READ, Address, Port, Socket, database_url, leave, of_database
from faults.tools.frames import Exchange, Frame, Reading


class Act(StrEnum):
    """What happens to a commit."""

    LOSE_WORD = "lose_word"
    """The server has committed; the client's connection is cut before it hears of it."""
    HOLD_WORD = "hold_word"
    """The server has committed; the client hears of it when the rule is released."""
    LOSE_COMMIT = "lose_commit"
    """The connection is cut before the server is asked to commit."""
    HOLD_COMMIT = "hold_commit"
    """The server is asked to commit when the rule is released."""


PARTS = (frames.PARSE, frames.BIND, b"D", frames.EXECUTE, frames.CLOSE)
"""Messages that mean nothing before the one that completes them."""

LATE = (Act.LOSE_WORD, Act.HOLD_WORD)


@dataclass(slots=True, kw_only=True, eq=False)
class Rule:
    """Which commits it is about: those with a statement that matches (a regular expression, whatever the case), from the
    `nth` on, `times` of them.
    """

    act: Act
    matching: str = r"\b(insert|update|delete)\b"
    nth: int = 1
    times: int = 1
    seen: int = 0
    hits: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, unit: list[str]) -> bool:
        """Whether such a commit is its business."""
        return any(re.search(self.matching, statement, re.IGNORECASE) for statement in unit)

    def takes(self, unit: list[str]) -> bool:
        """Whether this commit is hit; it is counted."""
        if not self.wants(unit):
            return False
        self.seen += 1
        hit = self.nth <= self.seen < self.nth + self.times
        self.hits += hit
        return hit


class PostgresProxy:
    """Stands in front of a PostgreSQL, on a socket in a folder of its own. `committed` lists what was committed through it."""

    def __init__(self, dsn: str, *, folder: Path | None = None, at: Address | None = None) -> None:
        self._upstream = of_database(dsn)
        self._dsn = dsn
        self.at = at if at is not None else _beside(self._upstream, folder)
        self.rules: list[Rule] = []
        self.committed: list[list[str]] = []
        self.refused = 0
        self._through = asyncio.Event()
        self._through.set()
        self._refuses = False
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await self.at.listen(self._taken)
        self.at = self.at.bound(self._server)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.release()
        self.go_on()
        await self.cut_all()

    @property
    def dsn(self) -> str:
        """The address of the database through this proxy."""
        return database_url(self._dsn, self.at)

    def add(self, rule: Rule) -> Rule:
        """From now on this rule counts as well."""
        self.rules.append(rule)
        return rule

    def release(self) -> None:
        """Forget all rules; what they held goes on."""
        for rule in self.rules:
            rule.released.set()
        self.rules.clear()

    def refuse(self, on: bool = True) -> None:  # noqa: FBT001, FBT002  (a switch)
        """Take no new connections, or take them again."""
        self._refuses = on

    def freeze(self) -> None:
        """Nothing gets through any more, in either direction: the server hangs."""
        self._through.clear()

    def go_on(self) -> None:
        """Everything gets through again, also what was on its way."""
        self._through.set()

    async def cut_all(self) -> None:
        """Cut every connection that is open."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                if self._refuses:
                    self.refused += 1
                else:
                    await self._carry(reader, writer)
        finally:
            self._tasks.discard(task)
            await leave(writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await self._upstream.connect()
        try:
            if not await _begun(reader, writer, behind, ahead):
                return
            line = _Line(self, ahead, writer)
            both = [asyncio.create_task(line.there(reader)), asyncio.create_task(line.back(behind))]
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
        finally:
            await leave(ahead)

    async def through(self) -> None:
        """Wait while nothing gets through."""
        await self._through.wait()

    def taken_by(self, acts: tuple[Act, ...], unit: list[str]) -> Rule | None:
        """The rule of one of these kinds that hits a commit of these statements."""
        return next((rule for rule in self.rules if rule.act in acts and rule.takes(unit)), None)


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: PostgresProxy, ahead: asyncio.StreamWriter, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._ahead = ahead
        self._writer = writer
        self._reading = Reading()
        self._waiting: list[Frame] = []

    async def there(self, reader: asyncio.StreamReader) -> None:
        """What the client says, an exchange at a time: until it is whole, nobody knows whether it may go."""
        while True:
            frame = await frames.read(reader)
            await self._proxy.through()
            self._waiting.append(frame)
            exchange = self._reading.asked(frame)
            if frame.kind in PARTS:
                continue
            if exchange is not None and not await self._may_go(exchange):
                return
            self._ahead.write(b"".join(waiting.raw for waiting in self._waiting))
            self._waiting.clear()
            await self._ahead.drain()

    async def back(self, behind: asyncio.StreamReader) -> None:
        """What the server says; the word of a commit that a rule is about waits until it is whole."""
        while True:
            frame = await frames.read(behind)
            await self._proxy.through()
            exchange = self._reading.answered(frame)
            if exchange is None:
                self._writer.write(frame.raw)
            elif frame.kind == frames.READY:
                unit = self._reading.settled(exchange)
                if unit and not await self._may_be_told(unit):
                    return
                self._writer.write(b"".join(kept.raw for kept in exchange.answer))
            elif len(exchange.answer) > 1000 or not exchange.statements:  # a long list of rows, or COPY
                self._writer.write(b"".join(kept.raw for kept in exchange.answer))
                exchange.answer.clear()
            await self._writer.drain()

    async def _may_go(self, exchange: Exchange) -> bool:
        """Whether the server may be asked for it: not if a rule takes the commit away."""
        ends = any(statement.upper().startswith("COMMIT") for statement in exchange.statements)
        begins = any(statement.upper().startswith("BEGIN") for statement in exchange.statements)
        if begins or (self._reading.in_transaction and not ends):
            return True
        rule = self._proxy.taken_by((Act.LOSE_COMMIT, Act.HOLD_COMMIT), self._reading.unit(exchange))
        if rule is None:
            return True
        rule.reached.set()
        if rule.act is Act.LOSE_COMMIT:
            return False
        await rule.released.wait()
        return True

    async def _may_be_told(self, unit: list[str]) -> bool:
        self._proxy.committed.append(unit)
        rule = self._proxy.taken_by(LATE, unit)
        if rule is None:
            return True
        rule.reached.set()
        if rule.act is Act.LOSE_WORD:
            return False
        await rule.released.wait()
        return True


async def _begun(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    behind: asyncio.StreamReader,
    ahead: asyncio.StreamWriter,
) -> bool:
    """Carry the first words of a connection; whether more will follow. A wish to cancel something has no answer."""
    while True:
        start = await frames.read_start(reader)
        ahead.write(start.raw)
        await ahead.drain()
        code = frames.code_of(start)
        if code in frames.STARTS_WITHOUT_TYPE:
            writer.write(await behind.readexactly(1))
            await writer.drain()
            continue
        if code == frames.CANCEL:
            await behind.read(ONE_READ)
            return False
        return True


def _beside(upstream: Address, folder: Path | None) -> Address:
    """A socket of the same name in a folder of one's own, or a free port."""
    return Socket(folder / upstream.path.name) if isinstance(upstream, Socket) and folder is not None else Port()
