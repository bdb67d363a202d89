"""Fixtures: a fresh sandbox in this process, and a receiver of notices on a real socket."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.sandbox.kit import Sandbox, running
from tests.sandbox.receiving import Receiver, receiving
from tests.sandbox.visiting import Visitor


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a freshly founded world, to be copied: founding one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("founded") / "data"

    async def found() -> None:
        async with running(folder):
            pass

    asyncio.run(found())
    return folder


@pytest.fixture
async def sandbox(founded: Path, tmp_path: Path) -> AsyncIterator[Sandbox]:
    """A freshly founded sandbox."""
    shutil.copytree(founded, tmp_path / "data")
    async with running(tmp_path / "data") as fresh:
        yield fresh


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver of notices."""
    async with receiving() as listening:
        yield listening


@pytest.fixture
def visitor(sandbox: Sandbox) -> Visitor:
    """A person in front of the sandbox's pages."""
    return Visitor(sandbox)
