"""`evergrant keys`: what a vendor's programs show to be let in."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Column, Table

from evergrant.actions.reading import KEY_SCOPES
from evergrant.assembly import provisioning
from evergrant.assembly.house import House
from evergrant.cli import running, tenants
from evergrant.core.secret import Secret
from evergrant.store.keys import KeptKey, Rotated


def create_key(given: str | None, name: str, scopes: Sequence[str], days: int | None) -> None:
    """Make an API key, and show it once."""
    unknown = sorted(set(scopes) - set(KEY_SCOPES))
    if unknown:
        running.fail("invalid_request", f"There is no scope {', '.join(unknown)}. There are: {', '.join(KEY_SCOPES)}.")

    async def make(parts: House) -> Secret:
        return await provisioning.add_key(
            parts, await tenants.chosen(parts, given), name=name, scopes=scopes, days=days
        )

    print(tenants.in_house(make).reveal())


def list_keys(given: str | None) -> None:
    """List a workspace's API keys, oldest first; never the keys themselves."""

    async def read(parts: House) -> Sequence[KeptKey]:
        return await parts.keys.of(await tenants.chosen(parts, given))

    show(tenants.in_house(read))


def show(found: Sequence[KeptKey]) -> None:
    """They as a table; an id is never broken over two lines."""
    table = Table(Column("key", no_wrap=True), "name", "scopes", "state", "made", "ends", "last used")
    for key in found:
        ends = key.revoked_at or key.expires_at
        table.add_row(
            key.id,
            key.name,
            ", ".join(key.scopes),
            key.state,
            _minute(key.created_at),
            _minute(ends),
            _minute(key.used_at),
        )
    Console().print(table)


def rotate_key(given: str | None, key_id: str, overlap_hours: int, days: int | None) -> None:
    """Make an API key in the place of another, and show it once; the old one goes on working for a while."""

    async def make(parts: House) -> tuple[Secret, Rotated]:
        tenant, overlap = await tenants.chosen(parts, given), timedelta(hours=overlap_hours)
        return await provisioning.rotate_key(parts, tenant, key_id, overlap=overlap, days=days)

    key, rotated = tenants.in_house(make)
    print(key.reveal())
    until = f"until {_minute(rotated.new_ends)}" if rotated.new_ends else "until it is revoked"
    print(f"{key_id} works until {_minute(rotated.old_ends)}, the new one {until}.", file=sys.stderr)


def revoke_key(given: str | None, key_id: str) -> None:
    """End an API key at once."""

    async def end(parts: House) -> None:
        await parts.keys.revoke(await tenants.chosen(parts, given), key_id)

    tenants.in_house(end)
    print(f"{key_id} is revoked: the next call that shows it is refused.")


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "never"
