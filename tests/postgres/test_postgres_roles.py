"""The role the doors work as: made with the cluster, or at the next start of one from before; else said what to run."""

import asyncio
from pathlib import Path

import pytest

from evergrant import postgres
from evergrant.postgres import cluster
from evergrant.store import schema
from tests.postgres import programs

HAS_ROLE = "SELECT pg_has_role(current_user, 'evergrant_web', 'member')"


def test_a_server_without_the_role_says_what_to_run_and_ours_gets_it(
    copied_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a server of the vendor's own: the migration changes nothing. A cluster of ours has it after the next start."""
    marker = copied_home / "server" / "data" / "evergrant.roles"
    assert marker.exists()
    with monkeypatch.context() as earlier:
        earlier.setattr(cluster, "GRANT_DOORS_ROLE", "DROP ROLE evergrant_web;\n")
        marker.unlink()
        with postgres.running(copied_home) as server:
            with pytest.raises(schema.MigrationError, match="grant evergrant_web to evergrant;"):
                schema.migrate({"dsn": server.dsn})
            assert not asyncio.run(programs.ask(server.dsn, "SELECT to_regclass('evergrant.tenants') IS NOT NULL"))
    marker.unlink()
    with postgres.running(copied_home) as server:
        schema.migrate({"dsn": server.dsn})
        assert asyncio.run(programs.ask(server.dsn, HAS_ROLE))
