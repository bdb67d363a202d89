"""What every test has: no settings from the machine it runs on, and the fixtures that start real things on demand."""

import os

import pytest

from evergrant import logs
from tests.hub_fixture import hub
from tests.postgres_fixture import database, database_server
from tests.sandbox_fixture import sandbox, sandbox_process
from tests.world_fixture import world

__all__ = ["database", "database_server", "hub", "sandbox", "sandbox_process", "world"]


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_production() -> None:
    """The programs configure their logs; so do tests that run them inside."""
    logs.configure(level="debug", form="json")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the machine must not decide what a test shows."""
    for name in os.environ:
        if name.startswith("EVERGRANT_"):
            monkeypatch.delenv(name)
