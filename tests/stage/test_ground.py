"""A demo's folder: nobody else's is touched, a half-made world is begun afresh, a whole one keeps its ports."""

from pathlib import Path

import pytest

from evergrant.stage import ground
from evergrant.stage.cast import Places, StageError


def places(folder: Path, hub_port: int = 8280, sandbox_port: int = 8290) -> Places:
    """A demo in a folder."""
    return Places(folder=folder, hub_port=hub_port, sandbox_port=sandbox_port)


def settle(folder: Path, *, whole: bool) -> list[str]:
    """A start of a demo that comes to its end, or does not; gives what was said."""
    said: list[str] = []
    with ground.taken(places(folder)) as own:
        own.clear(said.append)
        (folder / "sandbox").mkdir(exist_ok=True)
        (folder / "tenant").write_text("ten_1 eg_1\n", encoding="ascii")
        if whole:
            own.keep_seeded()
    return said


def names(folder: Path) -> set[str]:
    """What is in it."""
    return {path.name for path in folder.iterdir()}


def test_a_world_that_was_interrupted_is_begun_afresh_and_said_so(tmp_path: Path) -> None:
    """Only what a stage makes goes; what somebody put beside it stays."""
    first = settle(tmp_path, whole=False)
    (tmp_path / "notes.txt").write_text("mine", encoding="ascii")
    said: list[str] = []
    with ground.taken(places(tmp_path)) as own:
        own.clear(said.append)
        left = names(tmp_path)

    assert [] == first
    assert ["the last start was interrupted before its world was whole: beginning afresh"] == said
    assert {"demo.json", "demo.lock", "notes.txt"} == left


def test_a_whole_world_is_kept(tmp_path: Path) -> None:
    """A later start finds everything and says nothing."""
    settle(tmp_path, whole=True)
    said: list[str] = []
    with ground.taken(places(tmp_path)) as own:
        own.fits()
        own.clear(said.append)

        assert own.is_seeded
    assert [] == said
    assert {"demo.json", "demo.lock", "sandbox", "tenant"} == names(tmp_path)


def test_a_world_made_for_other_ports_names_them(tmp_path: Path) -> None:
    """Its addresses stand in its database: with other ports it would look alive and be dead."""
    settle(tmp_path, whole=True)
    with (
        ground.taken(places(tmp_path, hub_port=8080)) as own,
        pytest.raises(StageError, match=r"made for ports 8280 and 8290; use them .* or another --folder"),
    ):
        own.fits()


def test_a_half_made_world_may_get_other_ports(tmp_path: Path) -> None:
    """It is begun afresh anyway."""
    settle(tmp_path, whole=False)
    with ground.taken(places(tmp_path, hub_port=8080)) as own:
        own.fits()


def test_a_folder_that_is_not_a_demos_is_left_alone(tmp_path: Path) -> None:
    """Even if what is in it is called as ours is."""
    (tmp_path / "data").mkdir()
    with pytest.raises(StageError, match="holds something else"), ground.taken(places(tmp_path)):
        pass

    assert {"data"} == names(tmp_path)


def test_a_demo_that_runs_already_is_named_with_its_address(tmp_path: Path) -> None:
    """A second one in the same folder would share its database."""
    settle(tmp_path, whole=True)
    with (
        ground.taken(places(tmp_path)),
        pytest.raises(StageError, match=r"runs in .* already: http://localhost:8280\."),
        ground.taken(places(tmp_path, hub_port=9999)),
    ):
        pass


def test_a_mark_nobody_can_read_is_a_sentence(tmp_path: Path) -> None:
    """Somebody edited it, or the disk was full."""
    (tmp_path / "demo.json").write_text("{", encoding="ascii")
    with ground.taken(places(tmp_path)) as own, pytest.raises(StageError, match="cannot be read"):
        own.fits()
