"""A program that uses the embedded server: says what happens as lines of JSON, leaves when its input ends.

Started by tests, also under interpreters that have nothing but the standard library.
"""

import json
import sys
from pathlib import Path
from typing import Any

from evergrant import postgres


def say(event: str, **fields: object) -> None:
    """One line for the test that started us; from any thread."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def options(given: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `postgres.running` from their JSON form."""
    programs = given.pop("programs", "embedded")
    named = programs in {"embedded", "system"}
    found: dict[str, Any] = {"programs": postgres.Binaries(programs) if named else Path(programs), **given}
    return found | {name: Path(found[name]) for name in ("spare",) if name in found}


def main() -> int:
    """Use the server until the input ends or Ctrl-C is pressed."""
    given = json.loads(sys.argv[1])
    home, stall_at = Path(given.pop("home")), given.pop("stall_at", "")

    def tell(event: str, **fields: object) -> None:
        say(event, **fields)
        if event == stall_at:
            sys.stdin.read()

    try:
        with postgres.running(home, tell=tell, **options(given)) as server:
            try:
                say("running", dsn=server.dsn, version=server.version, socket=str(server.socket))
                sys.stdin.read()
            except KeyboardInterrupt:
                say("interrupted")
                sys.stdin.readline()
                raise
    except KeyboardInterrupt:
        return 130
    except postgres.PostgresError as error:
        say("failed", code=error.code, sentence=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
