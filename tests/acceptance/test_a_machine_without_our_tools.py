"""What a vendor's machine has: the packages of requirements.lock and nothing that only development needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).parent / "uv"

IMPORT_ALL = """
import importlib, pkgutil
for top in ("evergrant", "evergrant_sandbox", "evergrant_sdk"):
    for found in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}."):
        if not found.name.endswith(".__main__") and ".migrations" not in found.name:
            importlib.import_module(found.name)
"""
"""Every module but the programs' beginnings and what Alembic runs: `migrate` proves that."""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with what it needs and nothing of the test's own environment."""
    kept = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with requirements.lock and nothing else; packages come from uv's cache."""
    folder = tmp_path_factory.mktemp("production") / "venv"
    python = folder / "bin" / "python"
    without_downloads = {"UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "hardlink"}
    for command in (
        ("venv", "--quiet", "--python", sys.executable, str(folder)),
        ("pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", "requirements.lock"),
    ):
        done = run(UV, *command, **without_downloads)
        assert done.returncode == 0, done.stderr
    return python


@pytest.mark.processes
def test_the_schema_is_made_with_what_production_has(production: Path, database: str, tmp_path: Path) -> None:
    """`evergrant migrate` needs no package of the development environment."""
    where = {"EVERGRANT_DATABASE_URL": database, "EVERGRANT_DATA_DIR": str(tmp_path)}
    done = run(production, "-m", "evergrant", "migrate", PYTHONPATH=str(ROOT / "src"), **where)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.processes
def test_every_module_can_be_imported_with_what_production_has(production: Path) -> None:
    """No module of hub, sandbox or SDK imports what only development has."""
    done = run(production, "-c", IMPORT_ALL, PYTHONPATH=str(ROOT / "src"))

    assert (0, "") == (done.returncode, done.stderr)
