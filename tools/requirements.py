"""`make requirements`: one line per requirement, `ID<TAB>proven|open<TAB>tests`, from the record of the last `make test`.

A requirement is proven when at least one test is marked with it and every such test passed. Exit 2 when the record is
missing, or older than the code and tests it speaks of.
"""

import json
import subprocess
import sys

from tools.record import RECORD, ROOT, known


def newest_change() -> float:
    """When the code or a test was last written (modification time, Unix seconds)."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "tests", "tools"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return max(path.stat().st_mtime for name in listed if (path := ROOT / name).exists())


def main() -> int:
    if not RECORD.exists():
        print("There is no record yet. Run `make test` first.", file=sys.stderr)
        return 2
    if RECORD.stat().st_mtime < newest_change():
        print("The record is older than the code. Run `make test` again.", file=sys.stderr)
        return 2
    tests: dict[str, list[str]] = {}
    failed: set[str] = set()
    for entry in json.loads(RECORD.read_text(encoding="utf-8"))["tests"]:
        for number in entry["requirements"]:
            tests.setdefault(number, []).append(entry["test"])
            if not entry["passed"]:
                failed.add(number)
    for number in known():
        proven = number in tests and number not in failed
        print(f"{number}\t{'proven' if proven else 'open'}\t{' '.join(tests.get(number, []))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
