"""`evergrant backup` and `restore`: the database into a file and back. Keys go another way."""

from pathlib import Path

from evergrant.assembly import backups, database
from evergrant.cli import running
from evergrant.settings import Settings
from evergrant.store.revived import Revived


def backup(chosen: Settings, file: Path, keys: Path | None) -> None:
    """Write a dump; with `keys` copy the vault's keys elsewhere. Without them say how they are kept."""
    with running.reported(), database.running(chosen) as arguments:
        backups.dump(arguments, file)
        print(f"database  {file} ({file.stat().st_size} bytes). It holds no key: by itself nothing in it opens.")
        if keys is None:
            print(
                f"keys      not copied. They are in {chosen.data_dir / 'keys'}: without them the dump is worth nothing. Keep"
            )
            print("          them by another path and with another person: evergrant backup --keys, or your own copy.")
        else:
            names = backups.copy_keys(chosen, keys, apart_from=file)
            print(f"keys      {', '.join(names)} to {keys}. Never keep them where the dump is.")


def restore(chosen: Settings, file: Path) -> None:
    """Put a dump in the place of what the database holds."""
    with running.reported(), database.running(chosen) as arguments:
        found = backups.restore(arguments, file)
    tell(found)
    print(f"Restored {file}. Start serve and work; if tokens were refreshed since the dump, refreshing stops until you")
    print("choose: evergrant recover")


def tell(found: Revived) -> None:
    """Say what was ended since the dump and lives again: nobody but the person who restores can know."""
    print(
        f"logins    {found.logins} ended: everybody logs in again. A password that was changed since the dump is the old one."
    )
    print(
        f"keys      {len(found.keys)} API keys work, also those revoked since the dump. Revoke again what should not:"
    )
    for tenant_id, key_id, name in found.keys:
        print(f"          evergrant keys revoke {key_id} --tenant {tenant_id}   {name}")
    print(
        f"secrets   {found.apps} apps have the secrets of the dump, and {found.older_secrets} older ones are accepted on"
    )
    print("          notices: send those renewed at TikTok since again, and retire_older (PATCH /v1/apps/{id}).")
    print("erased    what was erased since the dump is back, if its key is: erase it again.")
