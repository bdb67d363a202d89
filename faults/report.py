"""What the trials found, as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from faults.tally import Tally


def line(tally: Tally) -> str:
    """One tally in one line."""
    verdict = "[green]held[/]" if not tally.violations else f"[bold red]{tally.violations} violations[/]"
    return f"{tally.test}  {tally.mode:<24} {tally.trials:>6,} trials  {tally.seconds:>7.1f} s  {verdict}"


def table(tallies: Sequence[Tally]) -> Table:
    """All of them."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Fault tests")
    for heading in ("test", "mode", "trials", "violations", "seconds", "notes"):
        made.add_column(
            heading, overflow="fold", justify="right" if heading in {"trials", "violations", "seconds"} else "left"
        )
    for tally in tallies:
        wrong = f"[bold red]{tally.violations}[/]" if tally.violations else "0"
        made.add_row(tally.test, tally.mode, f"{tally.trials:,}", wrong, f"{tally.seconds:.1f}", "; ".join(tally.notes))
    return made


def show(console: Console, tallies: Sequence[Tally]) -> None:
    """Print the table, what was violated, and one sentence that says how it went."""
    console.print(table(tallies))
    for tally in tallies:
        for words in tally.words:
            console.print(f"[red]{tally.test} {tally.mode}[/]: {words}", highlight=False)
    violations, trials = violated(tallies), sum(tally.trials for tally in tallies)
    if violations:
        console.print(f"[bold red]{violations} violations[/] in {trials:,} trials.")
    else:
        console.print(f"[green]{trials:,} trials, 0 violations.[/]")


def violated(tallies: Sequence[Tally]) -> int:
    """How many violations there were in all."""
    return sum(tally.violations for tally in tallies)


def write(path: Path, facts: Mapping[str, object], tallies: Sequence[Tally]) -> None:
    """Write everything as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {**facts, "violations": violated(tallies), "lines": [tally.plain() for tally in tallies]}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
