"""`make check`: every rule a machine can judge, run side by side, each named with its seconds; exit 1 if one fails."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CODE = ("src", "tests", "tools", "bench", "faults", "docs/conf.py")

CHECKS: dict[str, tuple[str, ...]] = {
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-cache"),
    "architecture": (
        "pytest",
        "-q",
        "--no-record",
        "-p",
        "no:cacheprovider",
        "tests/architecture",
        "-m",
        "not processes",
    ),
    "format": ("ruff", "format", "--check", *CODE),
    "lint": ("ruff", "check", *CODE),
    "spelling": ("codespell", "src", "tests", "tools", "bench", "faults", "docs", "README.md", "changelog.d"),
    "pyproject": ("validate-pyproject", "pyproject.toml"),
}


def run(name: str) -> tuple[str, int, str, float]:
    """One check: its name, exit code, output and seconds."""
    begun = time.monotonic()
    command, *arguments = CHECKS[name]
    done = subprocess.run([BIN / command, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return name, done.returncode, done.stdout + done.stderr, time.monotonic() - begun


def main() -> int:
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, code, output, seconds in pool.map(run, CHECKS):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {name:<13}{seconds:5.1f} s", flush=True)
            if code:
                failed.append(name)
                print(output.rstrip())
    print(f"make check: {'passed' if not failed else 'failed: ' + ', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
