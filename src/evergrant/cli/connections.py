"""`evergrant connections` and `links`: what is connected, and how it is renewed."""

from collections.abc import Sequence
from datetime import timedelta

from rich.console import Console
from rich.table import Column, Table

from evergrant.actions import connect, refresh
from evergrant.actions.reading import Filter, Listed
from evergrant.assembly.house import House
from evergrant.cli import running, tenants
from evergrant.core.link import Mode, Purpose
from evergrant.core.secret import Secret

Row = tuple[Listed, int | None]

PAGE = 200

REPROCESSED = {
    "ok": "The pair in it is the connection's now.",
    "nothing_kept": "No suspect answer of this connection waits.",
    "still_suspect": "This version cannot believe it either. It stays kept.",
    "outlived": "A newer pair stands already. It stays as it is.",
    "identity_changed": "It is for another seller. Its pair is set aside.",
}


def list_connections(given: str | None) -> None:
    """List a workspace's connections, all of them."""
    show(tenants.in_house(lambda parts: read(parts, given)))


async def read(parts: House, given: str | None) -> list[Row]:
    """Every connection with the days it has left, page by page."""
    tenant = await tenants.chosen(parts, given)
    rows: list[Row] = []
    after: str | None = ""
    while after is not None:
        found = await parts.connections.page(tenant, Filter(after=after, limit=PAGE))
        for known in found:
            now = await parts.ports.clock.now(known.connection.clock)
            rows.append((known, known.connection.authorization.days_remaining(now)))
        after = found[-1].connection.id if len(found) == PAGE else None
    return rows


def show(rows: Sequence[Row]) -> None:
    """They as a table; an id is never broken over two lines."""
    table = Table(Column("connection", no_wrap=True), "merchant", "shops", "status", "ends", "days left")
    for known, left in rows:
        authorization = known.connection.authorization
        shops = ", ".join(shop.name or shop.id for shop in known.connection.shops)
        ends = f"{authorization.ends:%Y-%m-%d}" if authorization.ends else "not known"
        days = "" if left is None else str(left)
        table.add_row(known.connection.id, known.merchant_name, shops, authorization.state.value, ends, days)
    Console().print(table)


def reprocess(given: str | None, connection: str) -> None:
    """Read the newest suspect answer of a connection again, and say what came of it."""

    async def again(parts: House) -> str:
        tenant = await tenants.chosen(parts, given)
        await parts.connections.find(tenant, connection)
        return await refresh.reprocess(tenant, connection, parts.ports)

    print(REPROCESSED[tenants.in_house(again)])


def create_link(given: str | None, connection: str, days: int) -> None:
    """Make a hosted link that renews one connection, and show its address."""

    async def make(parts: House) -> Secret:
        tenant = await tenants.chosen(parts, given)
        known = await parts.connections.find(tenant, connection)
        wanted = connect.Wanted(
            tenant_id=tenant,
            merchant_id=known.merchant_id,
            app_id=known.app_id,
            purpose=Purpose.RENEW,
            connection_id=connection,
            mode=Mode.REDIRECT,
            return_to=None,
            life=timedelta(days=days),
            created_by="command line",
        )
        _session, handle = await connect.invite(wanted, parts.ports)
        return handle

    chosen = running.read_settings()
    print(f"{chosen.origin}/l/{tenants.in_house(make).reveal()}")
