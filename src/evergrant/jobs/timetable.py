"""What happens by itself, and how often: a table. Each line is one kind of due work, taken in rows and run side by side."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evergrant.actions import (
    adopt,
    claim,
    connect,
    erase,
    exchange,
    expire,
    mend,
    prove,
    push,
    receive,
    redact,
    refresh,
    sync,
    verify,
    watch,
)
from evergrant.actions.ports import Ports
from evergrant.core.link import Claimed, Returned, Unasked

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


async def _due_pushes(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.outward.pushes.take_due(clock, await ports.clock.now(clock), min(room, push.AT_MOST))


async def _unverified(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.connections.take_unverified(clock, room)


async def _verify(taken: tuple[str, str], ports: Ports) -> str:
    return await verify.one(*taken, ports)


async def _quiet(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.watches.take_due(clock, await ports.clock.now(clock), min(room, watch.AT_MOST))


async def _heal(_clock: str, ports: Ports) -> int:
    return await refresh.heal(ports)


async def _heal_exchanges(_clock: str, ports: Ports) -> int:
    return await ports.books.exchanges.heal()


async def _rewrap(_clock: str, ports: Ports) -> int:
    return await ports.books.custody.generations.rewrap()


async def _unfinished(_clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.exchanges.take_unfinished(min(room, exchange.AT_MOST))


async def resume(unfinished: tuple[Returned, str], ports: Ports) -> str:
    """Finish what a killed process left of a return from the platform, with a state or without."""
    returned, stage = unfinished
    if isinstance(returned, Claimed):
        return await connect.resume((returned, stage), ports)
    assert isinstance(returned, Unasked)
    return await adopt.resume((returned, stage), ports)


async def _notices(_clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.inbox.take(min(room, receive.AT_MOST))


async def _forget_answers(_clock: str, ports: Ports) -> int:
    return await ports.books.answers.sweep()


async def _forget_pushes(_clock: str, ports: Ports) -> int:
    return await ports.books.outward.pushes.forget()


async def _forget_failed(_clock: str, ports: Ports) -> int:
    return await mend.forget(ports)


async def _by_rule(_clock: str, ports: Ports) -> int:
    return await mend.by_rule(ports)


async def _checks(clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.outages.take_checks(clock, min(room, prove.AT_MOST))


async def _balance(clock: str, ports: Ports) -> int:
    return await ports.books.outages.balance(clock, await ports.clock.now(clock))


async def _erasures(_clock: str, ports: Ports, room: int) -> Sequence[Any]:
    return await ports.books.custody.erasures.take(min(room, erase.AT_MOST))


async def _chain(_clock: str, ports: Ports) -> int:
    return await ports.books.upkeep.chain.extend()


async def _compare(_clock: str, ports: Ports) -> int:
    return int(await ports.books.upkeep.epochs.compare())


DUE = (
    Due(name="refresh", every=0.5, take=_due_refreshes, run=refresh.one),
    Due(name="sync", every=0.5, take=_due_polls, run=sync.one),
    Due(name="push", every=0.5, take=_due_pushes, run=push.one),
    Due(name="verify", every=1.0, take=_unverified, run=_verify),
    Due(name="digest", every=0.5, take=_notices, run=receive.digest),
    Due(name="finish", every=1.0, take=_unfinished, run=resume),
    Due(name="watch", every=2.0, take=_quiet, run=watch.one),
    Due(name="prove", every=0.5, take=_checks, run=prove.one),
    Due(name="erase", every=5.0, take=_erasures, run=erase.one),
)

BY_CLOCK = (
    Regular(name="expire", every=0.5, sweep=expire.sweep),
    Regular(name="announce", every=2.0, sweep=expire.announce),
    Regular(name="unclaimed", every=10.0, sweep=claim.expire),
    Regular(name="doubts", every=2.0, sweep=refresh.doubts),
    Regular(name="pass_over", every=5.0, sweep=watch.pass_over),
    Regular(name="missed", every=10.0, sweep=watch.missed),
    Regular(name="orphans", every=5.0, sweep=refresh.orphans),
    Regular(name="redact", every=600.0, sweep=redact.sweep),
    Regular(name="balance", every=1.0, sweep=_balance),
)
"""Done for every clock an app lives by."""

ONCE = (
    Regular(name="heal", every=0.25, sweep=_heal),
    Regular(name="heal_exchanges", every=2.0, sweep=_heal_exchanges),
    Regular(name="forget_answers", every=600.0, sweep=_forget_answers),
    Regular(name="forget_pushes", every=600.0, sweep=_forget_pushes),
    Regular(name="forget_failed", every=600.0, sweep=_forget_failed),
    Regular(name="by_rule", every=10.0, sweep=_by_rule),
    Regular(name="rewrap", every=30.0, sweep=_rewrap),
    Regular(name="chain", every=0.5, sweep=_chain),
    Regular(name="compare", every=1.0, sweep=_compare),
)
"""Done once, whatever the clocks. An answer on disk is usable within a second after the database is back (TF-04)."""
