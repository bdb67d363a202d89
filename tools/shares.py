"""Pytest plugin: how `make test` shares the tests out among its processes.

One module runs in one process, as with `--dist loadfile`; so does a folder whose modules share what is costly to start.
What takes long and shares nothing goes test by test.
"""

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

TOGETHER = frozenset({"tests/browser/product"})
"""Folders that stay in one process: here hub, worker, sandbox and PostgreSQL are started once."""

APART = frozenset({"tests/model"})
"""Folders each of whose tests may run in another process: the model's has a hub of its own for each kind of platform."""


class Shares(LoadFileScheduling):  # type: ignore[misc]
    """By file, or by folder."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.rpartition("/")[0]
        if folder in APART:
            return nodeid
        return folder if folder in TOGETHER else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)
