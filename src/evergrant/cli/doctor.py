"""`evergrant doctor`: says what is wrong with a configuration before a seller finds out. It only looks."""

import os

from evergrant.assembly import database
from evergrant.postgres import PostgresError
from evergrant.settings import Settings


def doctor(chosen: Settings) -> int:
    """Ask everything that can be wrong; gives the exit code."""
    wrong = 0
    for question, answer in _answers(chosen):
        wrong += answer is not None
        print(f"{'WRONG' if answer else 'ok   '}  {question}{': ' + answer if answer else ''}")
    return 1 if wrong else 0


def _answers(chosen: Settings) -> list[tuple[str, str | None]]:
    """Each question with what is wrong, or None."""
    return [
        ("the public address is https, or this machine", _public(chosen)),
        ("the data folder can be written", _writable(chosen)),
        *_database(chosen),
    ]


def _database(chosen: Settings) -> list[tuple[str, str | None]]:
    if not database.exists(chosen):
        return [("there is no database yet: the first start makes it", None)]
    try:
        with database.running(chosen) as arguments:
            silent, unfit = database.standing(chosen, arguments)
    except PostgresError as error:
        silent, unfit = f"{error.code}: {error}", None
    answers = [("the database answers", silent)]
    return answers if silent else [*answers, ("the schema and the vault's key fit", unfit), *_held(chosen, unfit)]


def _held(chosen: Settings, unfit: str | None) -> list[tuple[str, str | None]]:
    if unfit:
        return []
    with database.running(chosen) as arguments:
        held = database.held(arguments)
    said = f"it was put back, and {held} connections are not refreshed until you choose: evergrant recover"
    return [("the database is as new as its tokens", said if held else None)]


def _public(chosen: Settings) -> str | None:
    local = chosen.public_url.host in ("localhost", "127.0.0.1", "[::1]")
    if chosen.public_url.scheme == "https" or local:
        return None
    return f"{chosen.origin} is neither. TikTok sends codes there: put TLS in front of it."


def _writable(chosen: Settings) -> str | None:
    """Whether it is there and can be written, or could be made."""
    there = next(path for path in (chosen.data_dir.absolute(), *chosen.data_dir.absolute().parents) if path.exists())
    if not there.is_dir():
        return f"{there} is no folder"
    return None if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written"
