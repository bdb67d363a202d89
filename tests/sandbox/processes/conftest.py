"""One running sandbox for the tests that only need its sockets."""

from collections.abc import Iterator

import pytest

from tests.sandbox.program import Program, started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One program for the tests that only need its sockets."""
    with started(tmp_path_factory.mktemp("shared")) as program:
        yield program


@pytest.fixture
def program(shared: Program) -> Iterator[Program]:
    """The shared program, without faults and with a strict app."""
    app = shared.ask("world")["apps"][0]
    shared.steer(f"apps/{app['key']}/rotation", mode="strict", old_access_token="lives", grace_seconds=60)
    yield shared
    shared.call("DELETE", "/_sandbox/faults")
