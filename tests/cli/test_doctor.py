"""The doctor tells the truth about the database, and makes nothing where it only looks."""

from pathlib import Path

import pytest

from tests.cli.typed import complaint, evergrant

UNREACHABLE = "postgresql://u:CNRY@127.0.0.1:9/none"


@pytest.mark.processes
def test_a_database_that_does_not_answer_is_not_called_ok(tmp_path: Path) -> None:
    """It connects before it says so."""
    where = {"EVERGRANT_DATABASE_URL": UNREACHABLE}
    done = evergrant("doctor", "--data-dir", str(tmp_path), environment=where)

    assert 1 == done.returncode
    assert "WRONG  the database answers: database_unavailable" in done.stdout
    assert "ok     the database" not in done.stdout
    assert "CNRY" not in done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("command", ["doctor", "migrate"])
@pytest.mark.parametrize("address", ["nonsense", "mysql://u:CNRY@127.0.0.1/x", "postgresql://u:CNRY@127.0.0.1:port/x"])
def test_an_address_that_is_none_of_a_postgresql_is_a_sentence(command: str, address: str) -> None:
    """It names the setting, and never repeats its value: it may hold a password."""
    done = evergrant(command, environment={"EVERGRANT_DATABASE_URL": address})

    assert (2, "settings_unreadable") == complaint(done)
    assert "database_url: Value error, it has to be an address such as postgresql://" in done.stderr
    assert "CNRY" not in done.stderr
    assert "nonsense" not in done.stderr


@pytest.mark.processes
def test_a_database_that_refuses_us_is_a_sentence(database: str, tmp_path: Path) -> None:
    """A wrong password, to doctor, migrate and serve."""
    password = database.split("://evergrant:")[1].split("@", maxsplit=1)[0]
    where = {"EVERGRANT_DATABASE_URL": database.replace(password, "CNRY"), "EVERGRANT_DATA_DIR": str(tmp_path)}
    asked, migrated, served = (
        evergrant(*command, environment=where) for command in (("doctor",), ("migrate",), ("serve", "--port", "0"))
    )

    assert 1 == asked.returncode
    assert "WRONG  the database answers: database_refused" in asked.stdout
    assert [(2, "database_refused")] * 2 == [complaint(migrated), complaint(served)]
    assert "CNRY" not in asked.stdout + migrated.stderr + served.stderr


@pytest.mark.processes
def test_an_empty_data_folder_stays_empty(tmp_path: Path) -> None:
    """No database is made, nor the folder itself; both are made by the first start."""
    done = evergrant("doctor", "--data-dir", str(tmp_path / "none"))

    assert 0 == done.returncode, done.stdout
    assert "there is no database yet" in done.stdout
    assert [] == list(tmp_path.iterdir())


@pytest.mark.processes
def test_looking_at_a_new_database_makes_no_key(database: str, tmp_path: Path) -> None:
    """The vault's key belongs to the machine that serves, not to the one somebody looked from."""
    where = {"EVERGRANT_DATABASE_URL": database, "EVERGRANT_DATA_DIR": str(tmp_path)}
    evergrant("migrate", environment=where)
    done = evergrant("doctor", environment=where)

    assert 0 == done.returncode, done.stdout
    assert [] == list(tmp_path.iterdir())
