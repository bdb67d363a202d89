"""Backups: the database as it stands at one moment, without keys; and, elsewhere, the keys without the database."""

import asyncio
import os
import shutil
from pathlib import Path

from evergrant.assembly import database
from evergrant.assembly.house import Arguments, StartError
from evergrant.postgres import dumps
from evergrant.settings import Settings
from evergrant.store import occupancy, revived

DSN = "dsn"


def dump(arguments: Arguments, file: Path) -> None:
    """Write the database into a file.

    Raises:
        StartError: the file is there already, or cannot be written.
        PostgresError: it could not be dumped.
    """
    if file.exists():
        raise StartError("backup_exists", f"{file} is there already: name another file.")
    try:
        dumps.dump(arguments[DSN], file, asyncio.run(occupancy.server_major(arguments)))
    except OSError as error:
        raise StartError("backup_not_writable", f"{file} cannot be written: {error.strerror}") from error


def copy_keys(settings: Settings, folder: Path, *, apart_from: Path) -> list[str]:
    """Copy the vault's keys to a folder that is not the dump's; gives their names.

    Raises:
        StartError: it is the dump's folder, or cannot be written.
    """
    if folder.resolve() == apart_from.resolve().parent:
        raise StartError(
            "backup_keys_beside", "Keys beside the dump open it: name a folder on another disk, for another person."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        copied = []
        for key in sorted((settings.data_dir / "keys").glob("*.key")):
            target = folder / key.name
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400) if not target.exists() else None
            if handle is not None:
                with key.open("rb") as source, os.fdopen(handle, "wb") as written:
                    shutil.copyfileobj(source, written)
                    written.flush()
                    os.fsync(written.fileno())
            copied.append(key.name)
    except OSError as error:
        raise StartError("backup_not_writable", f"{folder} cannot be written: {error.strerror}") from error
    return copied


def restore(arguments: Arguments, file: Path) -> revived.Revived:
    """Put a dump in the place of what the database holds, and end every login in it; gives what else lives again.

    Raises:
        StartError: there is no such file, or somebody uses the database.
        PostgresError: it could not be restored; nothing was changed.
    """
    if not file.is_file():
        raise StartError("backup_missing", f"There is no file {file}.")
    if users := asyncio.run(occupancy.users(arguments)):
        raise StartError(
            "database_in_use", f"{users} connections of Evergrant use this database: stop serve and work first."
        )
    dumps.restore(arguments[DSN], file, asyncio.run(occupancy.server_major(arguments)))
    database.migrate(arguments)  # a dump holds no rights: the wall between tenants is put up again
    return asyncio.run(revived.settle(arguments))
