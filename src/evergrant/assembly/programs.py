"""The two programs: serve and work."""

import asyncio
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from evergrant.assembly.house import Arguments, House, house
from evergrant.jobs.worker import Worker
from evergrant.settings import Settings
from evergrant.store import listener, schema
from evergrant.store.signing import Pen
from evergrant.web import app
from evergrant.web.desk import Desk
from evergrant.web.live import Live


async def work(settings: Settings, arguments: Arguments, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run a worker until `stop` is set, then let what is in flight land."""
    at_once = {"refresh": settings.refresh_at_once, "sync": settings.sync_at_once}
    async with house(settings, arguments) as parts:
        worker = Worker(parts.ports, at_once=at_once)
        async with listener.listening(arguments, {listener.WORK: worker.wake}):
            running = asyncio.create_task(worker.run())
            ready()
            await stop.wait()
            worker.stop()
            await running


def desk_of(parts: House, live: Live) -> Desk:
    """What the doors are given."""
    return Desk(
        ports=parts.ports,
        apps=parts.apps,
        merchants=parts.merchants,
        links=parts.links,
        claims=parts.quarantine,
        connections=parts.connections,
        log=parts.events,
        histories=parts.histories,
        signer=Pen(parts.database, parts.signer),
        recovery=parts.recovery,
        records=parts.records,
        people=parts.people,
        keys=parts.keys,
        trail=parts.trail,
        inbox=parts.inbox,
        erasures=parts.erasures,
        outages=parts.outages,
        health=parts.database,
        walls=parts.database,
        answers=parts.ports.books.answers,
        live=live,
        origin=parts.settings.origin,
        sandbox_urls=parts.settings.sandbox_urls,
        return_urls=parts.settings.return_urls,
        schema_revision=schema.newest(),
    )


async def serve(settings: Settings, arguments: Arguments, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Serve the hub until `stop` is set."""
    live = Live()
    async with house(settings, arguments, clock_believed=0.1, walled=True) as parts:
        heard = {listener.EVENTS: live.heard}
        async with listener.listening(arguments, heard):
            server = Server(
                app.build(desk_of(parts, live)),
                address=settings.host,
                port=settings.port,
                interface=Interfaces.ASGINL,
                log_enabled=False,
            )
            serving = asyncio.create_task(server.serve())
            ready()
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            live.close()
            server.stop()  # type: ignore[no-untyped-call]
            await serving
            stopping.cancel()
