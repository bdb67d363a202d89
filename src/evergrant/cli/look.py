"""`evergrant connections`, `links` and `doctor`: looking at what is there, and at what is wrong."""

import os
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from evergrant.actions import connect
from evergrant.actions.reading import Filter, Listed
from evergrant.assembly import programs
from evergrant.assembly.house import House, StartError
from evergrant.cli import running
from evergrant.cli.keys import in_house
from evergrant.core.link import Mode, Purpose
from evergrant.core.secret import Secret
from evergrant.postgres import PostgresError
from evergrant.settings import Settings

PAGE = 200


def list_connections(tenant: str) -> None:
    """List a workspace's connections."""

    async def read(parts: House) -> list[tuple[Listed, int | None]]:
        found = await parts.connections.page(tenant, Filter(limit=PAGE))
        rows = []
        for known in found:
            now = await parts.ports.clock.now(known.connection.clock)
            rows.append((known, known.connection.authorization.days_remaining(now)))
        return rows

    table = Table("connection", "merchant", "shops", "status", "ends", "days left")
    for known, left in in_house(read):
        authorization = known.connection.authorization
        shops = ", ".join(shop.name or shop.id for shop in known.connection.shops)
        ends = f"{authorization.ends:%Y-%m-%d}" if authorization.ends else "not known"
        row = (known.connection.id, known.merchant_name, shops, authorization.state.value, ends, str(left))
        table.add_row(*row)
    Console().print(table)


def create_link(tenant: str, connection: str, days: int) -> None:
    """Make a hosted link that renews one connection, and show its address."""

    async def make(parts: House) -> Secret:
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
    print(f"{chosen.origin}/l/{in_house(make).reveal()}")


def doctor(chosen: Settings) -> int:
    """Ask everything that can be wrong; gives the exit code."""
    wrong = 0
    for question, answer in _answers(chosen):
        wrong += answer is not None
        print(f"{'WRONG' if answer else 'ok   '}  {question}{': ' + answer if answer else ''}")
    return 1 if wrong else 0


def _answers(chosen: Settings) -> list[tuple[str, str | None]]:
    """Each question with what is wrong, or None."""
    answers = [
        ("settings can be read", None),
        ("the public address is https, or this machine", _public(chosen)),
        ("the data folder can be written", _writable(chosen)),
    ]
    try:
        with programs.database(chosen) as arguments:
            answers.append(("the database answers", None))
            answers.append(("the schema and the vault's key fit", programs.standing(chosen, arguments)))
    except (PostgresError, StartError) as error:
        answers.append(("the database answers", f"{error.code}: {error}"))
    return answers


def _public(chosen: Settings) -> str | None:
    local = chosen.public_url.host in ("localhost", "127.0.0.1", "[::1]")
    if chosen.is_https or local:
        return None
    return f"{chosen.origin} is neither. TikTok sends codes there: put TLS in front of it."


def _writable(chosen: Settings) -> str | None:
    try:
        chosen.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"{chosen.data_dir}: {error.strerror}"
    return None if os.access(chosen.data_dir, os.W_OK) else f"{chosen.data_dir} cannot be written"
