"""`evergrant recover`: after a restore, what becomes of pairs that may be used up already."""

from datetime import datetime

from evergrant.actions import recover
from evergrant.assembly.house import House
from evergrant.cli import tenants


def show() -> None:
    """Say what is held, and what can be done."""

    async def ask(parts: House) -> tuple[int, int, datetime | None]:
        return await parts.recovery.status()

    held, proven, since = tenants.in_house(ask)
    if since is None:
        print("Nothing is held: the database is as new as its tokens.")
        return
    print(
        f"held      {held} connections since {since:%Y-%m-%d %H:%M:%S} UTC: the database was put back to an older state"
    )
    print(f"proven    {proven} have a newer pair since then, from the spool or a new consent")
    if held:
        print(
            "choose    evergrant recover --probe        show each refresh token once; what is refused needs its seller"
        )
        print("          evergrant recover --ask-sellers  show none; every seller is asked for a new consent")


def probe() -> None:
    """Let each pair that is held be shown once."""
    freed = tenants.in_house(lambda parts: parts.recovery.probe())
    print(f"{freed} refresh tokens will be shown once each, as probes, by the next worker.")


def ask_sellers() -> None:
    """Give up every pair that is held."""
    asked = tenants.in_house(lambda parts: recover.ask_sellers(parts.ports))
    print(f"{asked} connections need a new consent now: evergrant connections list")
