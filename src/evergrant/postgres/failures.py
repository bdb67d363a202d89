"""What can go wrong with the embedded database: each failure has a stable code and a sentence that says what to do.

PostgresError
├── BinariesMissingError   postgres_binaries_missing        no server programs where they were looked for
├── TooOldError            postgres_too_old                 a server older than Evergrant can use
├── OtherMajorError        postgres_data_from_other_major   the data was made by another major version
├── NotPermittedError      postgres_not_permitted           this account may not run it there
├── DiskFullError          postgres_disk_full               no room for it
├── NotReadyError          postgres_not_ready               it still recovers, and goes on doing so: try again later
├── DumpFailedError        postgres_dump_failed             pg_dump or pg_restore is missing or failed (dumps.py)
└── StartFailedError       postgres_start_failed            it did not come up; the end of its log is in the sentence
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left on device", "Disk quota exceeded")
_UNUSABLE = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.EEXIST,
    errno.ENOENT,
    errno.ENAMETOOLONG,
)


class PostgresError(Exception):
    """The embedded database cannot be used; the message says what to do about it."""

    code: ClassVar[str]


class BinariesMissingError(PostgresError):
    """No PostgreSQL programs where the settings say they are."""

    code = "postgres_binaries_missing"


class TooOldError(PostgresError):
    """The server is older than the oldest version Evergrant works with."""

    code = "postgres_too_old"


class OtherMajorError(PostgresError):
    """The data was made by another major version of PostgreSQL."""

    code = "postgres_data_from_other_major"


class NotPermittedError(PostgresError):
    """This account may not run the server, or may not use its folder."""

    code = "postgres_not_permitted"


class DiskFullError(PostgresError):
    """There is no room left for the database."""

    code = "postgres_disk_full"


class NotReadyError(PostgresError):
    """The server recovers from a crash and needs longer than one wanted to wait; it goes on by itself."""

    code = "postgres_not_ready"


class StartFailedError(PostgresError):
    """The server did not start or did not stop in order."""

    code = "postgres_start_failed"


def from_log(sentence: str, log: str) -> PostgresError:
    """The failure that the end of a server's log tells of."""
    end = "\n".join(log.strip().splitlines()[-20:])
    if any(words in log for words in _FULL_WORDS):
        return DiskFullError(f"{sentence}: the disk is full. Make room and start again. Its log ends with:\n{end}")
    return StartFailedError(f"{sentence}. Its log ends with:\n{end}" if end else f"{sentence}. Its log is empty.")


@contextmanager
def translated() -> Iterator[None]:
    """What the operating system refuses, told as one of this family.

    Raises:
        DiskFullError: there is no room.
        NotPermittedError: a file or folder may not be used.
        StartFailedError: anything else.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(f"No room for the database: {error}. Make room and start again.") from error
        if error.errno in _UNUSABLE:
            raise NotPermittedError(
                f"The database's folder cannot be used: {error}. Run Evergrant as the account that owns it, "
                "or choose another folder (EVERGRANT_DATA_DIR).",
            ) from error
        raise StartFailedError(f"The system refuses the database something: {error}.") from error
