"""The embedded PostgreSQL: a server of one's own in a folder, for one machine, started and stopped by those who use it.

    with postgres.running(data_dir / "postgres", tell=log.info) as server:
        pool = await asyncpg.create_pool(server.dsn)

Why it is built this way: docs/decisions/0010-embedded-postgresql.md.
"""

from evergrant.postgres.binaries import Binaries, check_version
from evergrant.postgres.cluster import Durability
from evergrant.postgres.failures import (
    BinariesMissingError,
    DiskFullError,
    NotPermittedError,
    NotReadyError,
    OtherMajorError,
    PostgresError,
    StartFailedError,
    TooOldError,
)
from evergrant.postgres.supervisor import Server, running

__all__ = [
    "Binaries",
    "BinariesMissingError",
    "DiskFullError",
    "Durability",
    "NotPermittedError",
    "NotReadyError",
    "OtherMajorError",
    "PostgresError",
    "Server",
    "StartFailedError",
    "TooOldError",
    "check_version",
    "running",
]
