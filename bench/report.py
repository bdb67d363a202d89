"""What the bench found, as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.figures import Goal, Line, Spread, missed, spread


def table(lines: Sequence[Line]) -> Table:
    """The table: the median of each figure, its spread beside it, and whether its goal was held."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="Medians; (smallest to largest) of the rounds")
    for heading in ("what", "figure", "against", "ratio", "goal", "verdict"):
        made.add_column(heading, overflow="fold")
    for line in lines:
        made.add_row(
            line.name,
            _figure(spread(line.values), line.unit),
            line.against or "-",
            _ratio(spread(line.ratios)) if line.ratios else "-",
            goal_in_words(line.goal, line.unit) if line.goal else "-",
            verdict(line),
        )
    return made


def goal_in_words(goal: Goal, unit: str) -> str:
    """A goal as one reads it."""
    sign = "≤" if goal.at_most else "≥"
    return f"{sign} {goal.bound:.2f}" if goal.of_ratio else f"{sign} {goal.bound:,.0f} {unit}"


def verdict(line: Line) -> str:
    """A word before it is a colour."""
    if line.troubles:
        return "[bold red]void[/]: " + "; ".join(line.troubles)
    if line.goal is None:
        return "-"
    return "[green]held[/]" if line.held else "[bold red]missed[/]"


def show(console: Console, lines: Sequence[Line]) -> None:
    """Print the table, and one sentence that says how it went."""
    console.print(table(lines))
    for line in lines:
        if line.notes:
            console.print(f"[dim]{line.name}: {line.notes}[/dim]", highlight=False)
    names = missed(lines)
    if names:
        console.print(f"[bold red]Missed:[/] {', '.join(names)}.")
    else:
        console.print("[green]Every goal was held.[/]")


def write(path: Path, machine: Mapping[str, object], lines: Sequence[Line]) -> None:
    """Write everything, each round of it, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine, "lines": [line.plain() for line in lines], "missed": list(missed(lines))}
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _figure(values: Spread, unit: str) -> str:
    return f"{_number(values.middle)} {unit} [dim]({_number(values.least)} to {_number(values.most)})[/dim]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def _ratio(values: Spread) -> str:
    return f"{values.middle:.2f} [dim]({values.least:.2f} to {values.most:.2f})[/dim]"
