"""`evergrant selfcheck`: the fifteen invariants, as far as they can be seen from inside. It only looks."""

import json
from pathlib import Path
from typing import Any

from evergrant.assembly import database, selfcheck
from evergrant.cli import running
from evergrant.settings import Settings
from evergrant.store.selfcheck import Answer
from evergrant.web.api import shapes


def check(chosen: Settings, *, as_json: bool, whole_chain: bool) -> int:
    """Ask, and say one line for each; gives the exit code."""
    with running.reported(), database.running(chosen) as arguments:
        found = selfcheck.check(chosen, arguments, whole_chain=whole_chain)
    if as_json:
        print(json.dumps(_document(found), indent=2))
    else:
        for answer in found.answers:
            print(_line(answer))
        for slip in found.waiting:
            print(f"spool     {slip.name}: {slip.kind} {slip.owner}, {slip.seconds:.0f} s old")
        if not found.waiting:
            print("spool     no answer waits on this machine; others have spools of their own")
        if found.held:
            print(f"recovery  {found.held} connections are held after a restore: evergrant recover")
        for number, public in found.public.items():
            print(f"signing   key {number}: {public}")
    return 0 if found.is_well else 1


def history(chosen: Settings, file: Path) -> int:
    """Say whether a life history that was kept is one this hub signed; gives the exit code."""
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        signature = document["signature"]
        value, number = bytes.fromhex(signature["value"]), int(signature["key"])
    except (OSError, ValueError, KeyError, TypeError):
        running.fail("history_unreadable", f"{file} is not an answer of GET /v1/connections/{{id}}/timeline.")
    with running.reported():
        is_ours = selfcheck.is_ours(chosen, number, shapes.signed_text(document), value)
    print(
        f"held      {file}: signed with key {number}"
        if is_ours
        else f"VIOLATED  {file}: not what key {number} signed here"
    )
    return 0 if is_ours else 1


def _line(answer: Answer) -> str:
    known = answer.invariant
    said = "; ".join(
        part for part in (known.seen, f"not seen from inside: {known.unseen}" if known.unseen else "") if part
    )
    word = {"held": "held    ", "violated": "VIOLATED", "unseen": "unseen  "}[answer.word]
    where = f" -- {', '.join(answer.violations)}" if answer.violations else ""
    return f"{word}  {known.id:<3} {known.name}: {said}{where}"


def _document(found: selfcheck.Found) -> dict[str, Any]:
    return {
        "invariants": [
            {
                "id": answer.invariant.id,
                "name": answer.invariant.name,
                "result": answer.word,
                "seen": answer.invariant.seen,
                "unseen": answer.invariant.unseen,
                "violations": list(answer.violations),
            }
            for answer in found.answers
        ],
        "spool": [
            {"name": slip.name, "kind": slip.kind, "owner": slip.owner, "seconds": round(slip.seconds)}
            for slip in found.waiting
        ],
        "held_after_restore": found.held,
        "signing_keys": {str(number): public for number, public in found.public.items()},
    }
