"""Opening the house: it starts only with the key and the schema that fit, and says in a line what does not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from evergrant import postgres, settings
from evergrant.assembly.house import StartError, house
from evergrant.settings import Settings
from evergrant.store import vault
from tests import hub_fixture, postgres_fixture


@pytest.fixture
async def dsn(database_server: postgres.Server) -> AsyncIterator[str]:
    """A database with the schema and nothing else."""
    async with postgres_fixture.fresh(database_server, await hub_fixture.template(database_server)) as made:
        yield made


def in_folder(folder: Path) -> Settings:
    """Settings with this data folder."""
    return settings.read(data_dir=folder)


async def opened(chosen: Settings, dsn: str) -> None:
    """Open the house and close it again."""
    async with house(chosen, {"dsn": dsn}):
        pass


async def test_a_new_database_gets_its_key_and_opens_again(dsn: str, tmp_path: Path) -> None:
    """The first start makes the key, the second finds it."""
    await opened(in_folder(tmp_path), dsn)
    made = vault.read_keys(tmp_path / "keys")
    await opened(in_folder(tmp_path), dsn)

    assert [1] == list(made)
    assert made == vault.read_keys(tmp_path / "keys")


async def test_without_its_key_nothing_opens_and_no_other_is_made(dsn: str, tmp_path: Path) -> None:
    """A missing key file stops the start; the database is never written with another key."""
    await opened(in_folder(tmp_path / "first"), dsn)

    with pytest.raises(StartError, match="missing") as caught:
        await opened(in_folder(tmp_path / "second"), dsn)
    assert "vault_key" == caught.value.code
    assert {} == vault.read_keys(tmp_path / "second" / "keys")


async def test_another_databases_key_is_refused(dsn: str, tmp_path: Path) -> None:
    """A key of the right shape that is not the one."""
    await opened(in_folder(tmp_path / "first"), dsn)
    vault.make_key(tmp_path / "second" / "keys", 1)

    with pytest.raises(StartError, match="not the one"):
        await opened(in_folder(tmp_path / "second"), dsn)


async def test_an_empty_database_says_what_to_do(database: str, tmp_path: Path) -> None:
    """`evergrant migrate` is named."""
    with pytest.raises(StartError, match="evergrant migrate") as caught:
        await opened(in_folder(tmp_path), database)
    assert "schema_outdated" == caught.value.code


async def test_a_folder_that_cannot_be_written_says_so(dsn: str, tmp_path: Path) -> None:
    """The spool needs a place before anything may be shown to a platform."""
    (tmp_path / "spool").write_text("in the way", encoding="ascii")

    with pytest.raises(StartError, match="spool") as caught:
        await opened(in_folder(tmp_path), dsn)
    assert "data_dir_not_writable" == caught.value.code
