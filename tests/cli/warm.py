"""Runs commands, each in a process of its own that finds everything imported: what starting an interpreter costs is paid once.

python -m tests.cli.warm        a JSON line asks for a command, a line with its exit code answers
"""

import importlib
import json
import os
import sys
from typing import Any

from evergrant.cli import main

LATER = (
    "alembic.command",
    "alembic.config",
    "evergrant.assembly.database",
    "evergrant.assembly.programs",
    "evergrant.assembly.provisioning",
    "evergrant.cli.connections",
    "evergrant.cli.doctor",
    "evergrant.cli.generations",
    "evergrant.cli.keys",
    "evergrant.cli.running",
    "evergrant.cli.tenants",
    "evergrant.store.schema",
    "sqlalchemy.dialects.postgresql",
    "uvloop",
)
"""What commands import once they run."""


def become(asked: dict[str, Any]) -> None:
    """In the new process: take on what was asked for, as if typed in a shell, and run it."""
    for number, (path, how) in enumerate(
        ((os.devnull, os.O_RDONLY), (asked["out"], os.O_WRONLY | os.O_CREAT), (asked["err"], os.O_WRONLY | os.O_CREAT))
    ):
        os.dup2(os.open(path, how, 0o600), number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    sys.argv = ["evergrant", *asked["arguments"]]
    main.main()


def serve() -> None:
    """One command after another."""
    for name in LATER:
        importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(json.loads(line))
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
