"""The spool: what was put is on the disk whole, each slip a file of its own, and gone when it is dropped."""

import asyncio
from pathlib import Path

import pytest

from evergrant.store import spool
from evergrant.store.spool import Slip, Spool


def slip(number: int) -> Slip:
    """A slip like no other."""
    return Slip(
        kind="refresh",
        tenant_id="ten_1",
        owner_id=f"con_{number}",
        fence=number,
        sealed=b"sealed",
        at="2026-11-20T00:00:00+00:00",
    )


def files(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_many_slips_at_once_are_each_a_file_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to the disk in groups; every caller gets the name of its own."""
    monkeypatch.setattr(spool, "SETTLED_SECONDS", -1.0)
    kept = Spool(tmp_path)
    names = await asyncio.gather(*(kept.put(slip(number)) for number in range(50)))
    found = dict(kept.left())

    assert 50 == len(set(names)) == len(files(tmp_path))
    assert [found[name].fence for name in names] == list(range(50))

    await asyncio.gather(*(kept.drop(name) for name in names))

    assert [] == files(tmp_path)


async def test_a_disk_that_takes_nothing_is_told_to_everybody_who_waited(tmp_path: Path) -> None:
    """Nobody of the group may go on as if the answer were on disk, and nothing more is shown meanwhile."""
    kept = Spool(tmp_path / "spool")
    assert await kept.takes()
    (tmp_path / "spool").rmdir()

    assert [""] * 8 == list(await asyncio.gather(*(kept.put(slip(number)) for number in range(8))))
    assert not await kept.takes()
