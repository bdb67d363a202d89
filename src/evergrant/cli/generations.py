"""What `evergrant vault` does and says."""

from collections.abc import Sequence

from evergrant.assembly.house import House
from evergrant.cli import tenants

OVERDUE_DAYS = 30
"""How old the newest generation may be where erasing has to take effect in backups within 30 days."""


def status() -> None:
    """Show the generations, one a line, and say what is due."""

    async def look(parts: House) -> tuple[Sequence[str], Sequence[str]]:
        known = await parts.generations.all()
        newest, due = known[-1].number, []
        lines = []
        for one in known:
            state = "retired" if one.retired_at else "newest" if one.number == newest else "old"
            here = "file here" if one.is_here else "no file here"
            lines.append(f"{one.number:>4}  {one.made_at:%Y-%m-%d}  {state:<8}{one.wraps:>10} data keys  {here}")
            if state == "old" and not one.wraps:
                due.append(f"Generation {one.number} wraps nothing any more: evergrant vault retire {one.number}")
            if one.retired_at and one.is_here:
                due.append(
                    f"Generation {one.number} is retired, and its file is still here: evergrant vault retire {one.number}"
                )
        if await parts.generations.newest_is_older_than(OVERDUE_DAYS):
            due.append(f"The newest generation is older than {OVERDUE_DAYS} days: evergrant vault rotate")
        return lines, due

    lines, due = tenants.in_house(look)
    for line in (*lines, *due):
        print(line)


def rotate(*, prepare: bool) -> None:
    """Make the next generation, or only its file."""
    if prepare:
        number = tenants.in_house(lambda parts: parts.generations.prepare())
        print(f"Generation {number} lies in the keys folder and is used for nothing yet.")
        print(
            "Copy the file to the keys folder of every machine and to your backup of keys, then: evergrant vault rotate"
        )
        return
    number = tenants.in_house(lambda parts: parts.generations.rotate())
    print(f"Generation {number} wraps from now on. Copy its file to your backup of keys now.")
    print("Workers wrap the data keys again; evergrant vault status says how many are left.")


def rewrap() -> None:
    """Wrap every data key again, and say how many."""

    async def all_of_them(parts: House) -> int:
        done = 0
        while found := await parts.generations.rewrap():
            done += found
        return done

    print(f"{tenants.in_house(all_of_them)} data keys wrapped again.")


def retire(number: int) -> None:
    """Destroy a generation, and say what is left to do."""
    was_here = tenants.in_house(lambda parts: parts.generations.retire(number))
    print(
        f"Generation {number} is retired."
        + (" Its file was destroyed here." if was_here else " No file of it was here.")
    )
    print(
        "Destroy its copies on other machines and in your backup of keys; restart the programs: they hold it in memory."
    )


def reseal(connection_id: str, tenant: str | None) -> None:
    """Seal one connection's tokens anew."""

    async def anew(parts: House) -> None:
        await parts.generations.reseal(await tenants.chosen(parts, tenant), connection_id)

    tenants.in_house(anew)
    print(f"The tokens of {connection_id} are sealed under a fresh data key.")
