"""Finds secrets of ours in files that are about to be committed: API keys, and tokens of the platform or the sandbox."""

import re
import sys
from pathlib import Path

PATTERNS = {
    "an API key of a hub": re.compile(r"\beg_[A-Za-z0-9_-]{40,}"),
    "a token of the platform": re.compile(r"\b(?:TTP|ROW|GCP)_(?!sbx)[A-Za-z0-9_-]{70,}"),
    "a token of a sandbox": re.compile(r"\b(?:TTP|ROW|GCP)_sbx[A-Za-z0-9_-]{70,}"),
}


def found_in(path: Path) -> list[str]:
    """What a file holds that must not be committed."""
    text = path.read_text(encoding="utf-8", errors="ignore")
    return [f"{path}: {kind}" for kind, pattern in PATTERNS.items() if pattern.search(text)]


def main() -> int:
    """Check the files named on the command line."""
    found = [line for name in sys.argv[1:] for line in found_in(Path(name))]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
