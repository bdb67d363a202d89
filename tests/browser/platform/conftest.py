"""The sandbox and nothing else, started once a module."""

from collections.abc import Iterator

import pytest

from tests.sandbox.program import Program, started


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A sandbox and nothing else, running."""
    with started(tmp_path_factory.mktemp("sandbox")) as running:
        yield running
