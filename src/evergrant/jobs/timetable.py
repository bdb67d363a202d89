"""What happens by itself, and how often: a table. Each line is one kind of due work, taken in rows and run side by side."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evergrant.actions import connect, expire, receive, refresh, sync, verify
from evergrant.actions.ports import Ports

Take = Callable[[str, Ports, int], Awaitable[Sequence[Any]]]
Run = Callable[[Any, Ports], Awaitable[str]]
Sweep = Callable[[str, Ports], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Rows that fall due: `take` gives some, `run` does one. A notification with its name makes it look at once."""

    name: str
    every: float
    take: Take
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Regular:
    """One sweep over everything of a clock, every so many seconds."""

    name: str
    every: float
    sweep: Sweep


async def _due_refreshes(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.tokens.take_due(clock, await ports.clock.now(clock), min(room, refresh.AT_MOST))


async def _due_polls(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.flows.take_due(clock, await ports.clock.now(clock), min(room, sync.AT_MOST))


async def _unverified(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.connections.take_unverified(clock, room)


async def _verify(taken: tuple[str, str], ports: Ports) -> str:
    return await verify.one(*taken, ports)


async def _heal(_clock: str, ports: Ports) -> int:
    return await refresh.heal(ports)


async def _heal_exchanges(_clock: str, ports: Ports) -> int:
    return await ports.books.exchanges.heal()


async def _unfinished(_clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.exchanges.take_unfinished(min(room, connect.AT_MOST))


async def _notices(_clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.inbox.take(min(room, receive.AT_MOST))


DUE = (
    Due(name="refresh", every=0.5, take=_due_refreshes, run=refresh.one),
    Due(name="sync", every=0.5, take=_due_polls, run=sync.one),
    Due(name="verify", every=1.0, take=_unverified, run=_verify),
    Due(name="digest", every=0.5, take=_notices, run=receive.digest),
    Due(name="finish", every=1.0, take=_unfinished, run=connect.resume),
)

BY_CLOCK = (
    Regular(name="expire", every=0.5, sweep=expire.sweep),
    Regular(name="announce", every=2.0, sweep=expire.announce),
    Regular(name="doubts", every=2.0, sweep=refresh.doubts),
)
"""Done for every clock an app lives by."""

ONCE = (
    Regular(name="heal", every=0.25, sweep=_heal),
    Regular(name="heal_exchanges", every=2.0, sweep=_heal_exchanges),
)
"""Done once, whatever the clocks. An answer on disk is usable within a second after the database is back (TF-04)."""
