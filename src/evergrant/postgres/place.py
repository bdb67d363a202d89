"""Where the embedded database lives on disk, and whose its files are.

<home>/               ours: 0700 (0711 if the server runs as somebody else)
├── start.lock        held by whoever is starting or stopping the server
├── users.lock        shared by every process that uses the server
├── server.lock       handed down to the server: held while any of its processes lives
├── password          of the role `evergrant`, 0600
└── server/           the server's: 0700, owned by the account it runs as; a link if that account cannot enter home
    ├── data/         the cluster (data.making/ while it is being made)
    ├── socket/       the Unix socket, unless its path would be too long
    ├── local.conf    the operator's own settings, if any
    ├── server.log, server.log.1
    └── version       of the server started last
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from evergrant.postgres import failures

PORT = 5432  # nothing listens on it: it is part of the socket's name
LOG_LIMIT = 10_000_000
LONGEST_SOCKET = 103  # bytes, on the system that allows least (Linux: 107)
SHORT = Path("/tmp")  # noqa: S108 - the folder made below it is ours alone, and checked to be


@dataclass(frozen=True, slots=True)
class Place:
    """The paths of one embedded database."""

    home: Path

    @property
    def start_lock(self) -> Path:
        """Held by whoever is starting or stopping the server."""
        return self.home / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the server."""
        return self.home / "users.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server's own processes, and so free once the last of them is gone."""
        return self.home / "server.lock"

    @property
    def password(self) -> Path:
        """The file that holds the password of the role `evergrant`."""
        return self.home / "password"

    @property
    def link(self) -> Path:
        """The server's own folder, or the link to it."""
        return self.home / "server"

    @property
    def server(self) -> Path:
        """The server's own folder, links followed: its account may be unable to follow them."""
        return self.link.resolve()

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.server / "data"

    @property
    def making(self) -> Path:
        """The cluster while it is being made."""
        return self.server / "data.making"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.server / "server.log"

    @property
    def version(self) -> Path:
        """Which version was started last."""
        return self.server / "version"

    @property
    def socket(self) -> Path:
        """The socket's folder: in the server's own where the path is short and plain, else a private one elsewhere."""
        near = self.server / "socket"
        name = str(near / f".s.PGSQL.{PORT}")
        # Clients read a comma as the end of a host's name.
        if len(os.fsencode(name)) <= LONGEST_SOCKET and "," not in name:
            return near
        return SHORT / f"evergrant-{hashlib.sha256(os.fsencode(self.server)).hexdigest()[:24]}"

    @property
    def socket_file(self) -> Path:
        """The socket itself."""
        return self.socket / f".s.PGSQL.{PORT}"


def opened(path: Path, flags: int) -> int:
    """A file's descriptor; a missing file is made, 0600, for the owner of its folder. Links are not followed."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    owner = path.parent.stat()
    if os.fstat(descriptor).st_uid != owner.st_uid and os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def write(path: Path, text: str) -> None:
    """A small file, whole or not at all, on disk when this returns."""
    fresh = path.with_name(f"{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    with os.fdopen(opened(fresh, os.O_WRONLY | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    settle(path.parent)


def settle(folder: Path) -> None:
    """What was made, renamed or removed in a folder is on disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private(folder: Path, uid: int, gid: int) -> None:
    """A folder that belongs to one account alone.

    Raises:
        NotPermittedError: somebody else has put something there.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or found.st_uid != uid or found.st_mode & 0o077:
            raise failures.NotPermittedError(
                f"{folder} should be a folder that only user {uid} can enter, and it is not. Look who made it, "
                "remove it, and start again.",
            ) from None
    else:
        if uid != folder.stat().st_uid:
            os.chown(folder, uid, gid)


def is_long(log: Path) -> bool:
    """Whether the log has reached its size."""
    return log.exists() and log.stat().st_size > LOG_LIMIT


def rotate(log: Path) -> None:
    """The log, kept at its size: what was written before moves to a second file, the one before that goes."""
    if is_long(log):
        older = log.with_name(f"{log.name}.1")
        older.unlink(missing_ok=True)
        with log.open("rb") as source, os.fdopen(opened(older, os.O_WRONLY | os.O_EXCL), "wb") as target:
            shutil.copyfileobj(source, target)
        os.truncate(log, 0)  # the server holds it open for appending: a rename would take the file along


def log_since(log: Path, offset: int) -> str:
    """What the log says after a position."""
    with log.open("rb") as file:
        file.seek(offset)
        return redacted(file.read(100_000).decode("utf-8", errors="replace"))


def redacted(text: str) -> str:
    """The text without statements: they may carry what nobody else should read."""
    return re.sub(r"(?m)^.*\bSTATEMENT:.*(\n\t.*)*\n?", "", text)
