"""The spool: what was put is on the disk whole, many in a file, and gone when the last is dropped."""

import asyncio
import os
from pathlib import Path

import msgspec
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


async def test_many_slips_at_once_share_files_and_each_has_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go to the disk in groups; every caller gets the name of its own."""
    monkeypatch.setattr(spool, "SETTLED_SECONDS", -1.0)
    kept = Spool(tmp_path)
    names = await asyncio.gather(*(kept.put(slip(number)) for number in range(50)))
    found = dict(kept.left())

    assert 50 == len(set(names)) == len(found)
    assert len(files(tmp_path)) <= 5
    assert [found[name].fence for name in names] == list(range(50))

    await asyncio.gather(*(kept.drop(name) for name in names[:-1]))
    assert [(names[-1], 49)] == [(name, slip.fence) for name, slip in kept.left()]
    assert 1 == len(files(tmp_path))
    await kept.drop(names[-1])

    assert [] == files(tmp_path)


async def test_a_slip_set_aside_keeps_no_other_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets a file of its own; another process finds the rest, and one written by an older version."""
    monkeypatch.setattr(spool, "SETTLED_SECONDS", -1.0)
    kept = Spool(tmp_path)
    names = await asyncio.gather(*(kept.put(slip(number)) for number in range(8)))
    await kept.set_aside(names[3])
    (aside,) = (name for name in files(tmp_path) if name.endswith(spool.STRAY))
    (tmp_path / f"1-older{spool.SUFFIX}").write_bytes(msgspec.msgpack.encode(slip(99)))

    assert [slip(3)] == msgspec.msgpack.decode((tmp_path / aside).read_bytes(), type=list[Slip])
    assert {0, 1, 2, 4, 5, 6, 7, 99} == {found.fence for _, found in kept.left()}
    later = Spool(tmp_path)
    for name, _ in list(later.left()):
        await later.drop(name)
    assert [aside] == files(tmp_path)


async def test_a_disk_that_takes_nothing_is_told_to_everybody_who_waited(tmp_path: Path) -> None:
    """Nobody of the group may go on as if the answer were on disk, and nothing more is shown meanwhile."""
    kept = Spool(tmp_path / "spool")
    assert await kept.takes()
    (tmp_path / "spool").rmdir()

    assert [""] * 8 == list(await asyncio.gather(*(kept.put(slip(number)) for number in range(8))))
    assert not await kept.takes()


async def test_what_is_forgotten_is_in_no_file_and_takes_nobody_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slips that share a file with a forgotten one stay, under their names; a look at the disk's room leaves nothing."""
    monkeypatch.setattr(spool, "SETTLED_SECONDS", -1.0)
    kept = Spool(tmp_path)
    assert await kept.takes()
    names = await asyncio.gather(*(kept.put(slip(number)) for number in range(8)))
    await kept.set_aside(names[3])
    for number in (2, 3):
        await kept.forget(slip(number).owner_id)

    left = b"".join([(tmp_path / name).read_bytes() for name in files(tmp_path)])
    assert not [number for number in (2, 3) if slip(number).owner_id.encode() in left]
    for reader in (Spool(tmp_path), kept):
        assert {0, 1, 4, 5, 6, 7} == {found.fence for _, found in reader.left()}
    for name, _ in list(kept.left()):
        await kept.drop(name)
    assert [] == files(tmp_path)


async def test_a_disk_without_room_is_not_filled_by_trying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun on a full disk and could not be ended is taken away again, and what a killed process began."""

    def full(_path: Path, room: bytes) -> int:
        with _path.open("wb") as file:
            file.write(room[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert not await Spool(tmp_path).takes()
    assert [] == files(tmp_path)

    def no_room(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evergrant.store.spool.os.fsync", no_room)
    kept = Spool(tmp_path)
    assert ["", ""] == [await kept.put(slip(number)) for number in range(2)]
    assert [] == files(tmp_path)
    assert {} == kept._inside

    for name in ("1-killed.slip.part", "killed.probe", "2-young.slip.part"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0) if "killed" in name else None)
    Spool(tmp_path)
    assert ["2-young.slip.part"] == files(tmp_path)
