"""`evergrant backup` and `restore`: the database into a file and back. Keys go another way."""

from pathlib import Path

from evergrant.assembly import backups, database
from evergrant.cli import running
from evergrant.settings import Settings


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
        backups.restore(arguments, file)
    print(f"Restored {file}. Start serve and work; if tokens were refreshed since the dump, refreshing stops until you")
    print("choose: evergrant recover")
