"""The command line: every command has help with an example, and what is wrong is one clear line with a stable code."""

import re
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evergrant import postgres
from evergrant.cli import main
from evergrant.stage import cast
from tests.cli.typed import complaint, evergrant, from_nothing

COMMANDS = (
    ("serve",),
    ("work",),
    ("sandbox",),
    ("migrate",),
    ("doctor",),
    ("tour",),
    ("demo",),
    ("keys", "create"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("keys", "revoke"),
    ("tenants", "create"),
    ("tenants", "list"),
    ("connections", "list"),
    ("links", "create"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    """`--help` ends well and shows how it is typed."""
    done = CliRunner().invoke(main.app, [*command, "--help"])

    assert done.exit_code == 0
    assert "Example: evergrant" in done.output or "Example: EVERGRANT" in done.output


@pytest.mark.processes
def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """The server would silently share it; the command says so instead."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = from_nothing("serve", "--port", port, environment={"EVERGRANT_DATA_DIR": str(tmp_path)})

    assert (2, "port_in_use") == complaint(done)
    assert port in done.stderr


@pytest.mark.processes
def test_a_taken_port_of_the_demos_sandbox_names_its_own_option(tmp_path: Path) -> None:
    """`--port` would move the hub and leave the sandbox's port taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = ("--port", str(cast.free_port()), "--sandbox-port", str(taken.getsockname()[1]))
        done = evergrant("demo", "--no-browser", "--folder", str(tmp_path), *ports)

    assert (2, "port_in_use") == complaint(done)
    assert 'Choose another with --sandbox-port, or make demo ARGS="--sandbox-port' in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("demo", "--port", "8280", "--sandbox-port", "8280"), "invalid_request"),
        (("demo", "--folder", "/proc/nowhere"), "stage_failed"),
        (("tour", "--folder", "/proc/nowhere"), "stage_failed"),
        (("tour", "--folder", "/proc"), "stage_failed"),
    ],
    ids=["one port for two", "demo where nothing can be", "tour where nothing can be", "tour where something is"],
)
def test_a_stage_that_cannot_be_set_is_a_sentence(arguments: tuple[str, ...], code: str) -> None:
    """Two programs on one port, and folders that cannot be used."""
    assert (2, code) == complaint(evergrant(*arguments))


@pytest.mark.processes
def test_a_rotation_nobody_knows_is_refused_before_anything_starts() -> None:
    """A misspelt one would break every promise and tell nobody why."""
    done = evergrant("tour", "--rotation", "nonsense")

    assert 2 == done.returncode
    assert "'nonsense' is not one of 'stable', 'retry_safe', 'strict', 'family', 'unknown'" in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"EVERGRANT_PORT": "eighty"}, "port"),
        ({"EVERGRANT_PUBLIC_URL": "nowhere"}, "public_url"),
        ({"EVERGRANT_SANDBOX_URLS": "sandbox"}, "sandbox_urls"),
        ({"EVERGRANT_LOG_LEVEL": "loud"}, "log_level"),
        ({"EVERGRANT_PROT": "8080"}, "EVERGRANT_PROT"),
        ({"EVERGRANT_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
    ],
)
def test_settings_that_cannot_be_read_are_named(environment: dict[str, str], named: str) -> None:
    """Which one, and what is wrong with it; a misspelt one is not ignored."""
    done = evergrant("serve", environment=environment)

    assert (2, "settings_unreadable") == complaint(done)
    assert named in done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("content", ["port = ", "port = 'x'", "prot = 1", "\xff\xfe"])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    """No TOML, a value of the wrong kind, a name nobody knows, bytes that are no text."""
    (tmp_path / "evergrant.toml").write_text(content, encoding="latin-1")

    assert (2, "settings_unreadable") == complaint(evergrant("serve", cwd=tmp_path))


@pytest.mark.processes
def test_a_secret_setting_is_never_repeated(tmp_path: Path) -> None:
    """The database's address holds a password: a complaint about it must not show it."""
    url = "postgresql://u:CNRY@127.0.0.1:9/none"
    environment = {"EVERGRANT_DATABASE_URL": url, "EVERGRANT_DATA_DIR": str(tmp_path)}
    done = evergrant("serve", "--port", "0", environment=environment)

    assert (2, "database_unavailable") == complaint(done)
    assert "CNRY" not in done.stdout + done.stderr


@pytest.mark.processes
def test_the_vendors_own_database_is_migrated_by_command(database: str, tmp_path: Path) -> None:
    """Without the schema `serve` says which command to run; `migrate` makes it; `doctor` is content."""
    environment = {"EVERGRANT_DATABASE_URL": database, "EVERGRANT_DATA_DIR": str(tmp_path)}
    before = evergrant("doctor", environment=environment)
    serve = evergrant("serve", "--port", "0", environment=environment)
    migrated = from_nothing("migrate", environment=environment)
    after = from_nothing("doctor", environment=environment)

    assert before.returncode == 1
    assert "schema_outdated" in before.stdout
    assert (2, "schema_outdated") == complaint(serve)
    assert (0, 0) == (migrated.returncode, after.returncode), after.stdout


@pytest.mark.processes
def test_a_tenant_and_a_key_are_made_by_command(database: str, tmp_path: Path) -> None:
    """The password and the key are shown once; a key for nobody's tenant is refused."""
    environment = {"EVERGRANT_DATABASE_URL": database, "EVERGRANT_DATA_DIR": str(tmp_path)}
    evergrant("migrate", environment=environment)
    made = evergrant("tenants", "create", "Acme", "--email", "owner@acme.example", environment=environment)
    tenant = re.search(r"ten_\w+", made.stdout)
    assert tenant, made.stderr
    key = evergrant("keys", "create", "--tenant", tenant[0], "--name", "n", "--scope", "read", environment=environment)
    again = evergrant("tenants", "create", "Acme", "--email", "OWNER@acme.example", environment=environment)
    nobody = evergrant(
        "keys", "create", "--tenant", "ten_none", "--name", "n", "--scope", "read", environment=environment
    )
    wrong = evergrant("keys", "create", "--tenant", tenant[0], "--name", "n", "--scope", "all", environment=environment)

    assert key.stdout.startswith("eg_")
    assert (2, "conflict") == complaint(again)
    assert (2, "not_found") == complaint(nobody)
    assert (2, "invalid_request") == complaint(wrong)


def test_a_server_that_is_too_old_is_refused() -> None:
    """Evergrant needs PostgreSQL 15."""
    with pytest.raises(postgres.TooOldError):
        postgres.check_version(140_012)
    postgres.check_version(150_000)
