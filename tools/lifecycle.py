"""Draws the life of an authorization from its table: `python -m tools.lifecycle` writes page and picture anew.

The page keeps its words; what stands between the two marks is replaced. tests/docs fails while either is stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from evergrant.core import lifecycle
from evergrant.core.authorization import State
from evergrant.core.lifecycle import TABLE, Branch, Kind

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "lifecycle.md"
PICTURE = ROOT / "docs" / "pictures" / "lifecycle.svg"
BEGIN, END = "<!-- drawn from TABLE: begin -->", "<!-- drawn from TABLE: end -->"

WIDTH, HEIGHT = 1060, 560
BOX_WIDTH, BOX_HEIGHT = 196, 46
PLACES: dict[State, tuple[int, int]] = {
    State.PENDING: (120, 290),
    State.ACTIVE: (430, 290),
    State.SUSPENDED: (430, 90),
    State.CANCELLED: (900, 90),
    State.REAUTHORIZATION_REQUIRED: (900, 220),
    State.EXPIRED: (900, 350),
    State.DEACTIVATED: (900, 480),
}
"""Where each state stands. `erased` is left out: every state goes there, so its arrows would hide all others."""

COLOURS = {"lives": "#2f9e6e", "ends": "#b4540a", "asks": "#5b6770"}

LAST_COLUMN = PLACES[State.EXPIRED][0]

Arrow = tuple[State, State]


def arrows() -> dict[Arrow, list[Kind]]:
    """Every way from one state to another, with the news that leads there, as the table has it."""
    found: dict[Arrow, list[Kind]] = {}
    for state, row in TABLE.items():
        for kind, cell in row.items():
            for branch in cell:
                if branch.to is not None and branch.to not in (state, State.ERASED):
                    news = found.setdefault((state, branch.to), [])
                    news += [kind] if kind not in news else []
    return found


def page() -> str:
    """The ways as a list, then one table per state, every cell of it."""
    ways = [f"| {start.value} | {end.value} | {_news(news)} |" for (start, end), news in arrows().items()]
    listed = ["## Ways from one state to another\n", "| from | to | by the news |", "| --- | --- | --- |", *ways, ""]
    return "\n".join([*listed, "## Every cell\n", *(line for state in TABLE for line in _section(state))])


def picture() -> str:
    """The states and the ways between them."""
    marks = "".join(
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L10 5L0 10z" fill="{colour}"/></marker>'
        for name, colour in COLOURS.items()
    )
    shape = f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="14"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {shape} role="img" aria-label="States of an authorization">',
        f'<defs>{marks}</defs><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *(_drawn(way) for way in arrows()),
        *(_box(state) for state in PLACES),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _news(kinds: list[Kind]) -> str:
    return ", ".join(f"`{kind.value}`" for kind in kinds)


def _section(state: State) -> Iterator[str]:
    yield f"### {state.value}\n"
    yield "| news | when | becomes | reason | event |"
    yield "| --- | --- | --- | --- | --- |"
    for kind, cell in TABLE[state].items():
        for branch in cell:
            yield f"| {_code(kind.value)} | {_when(branch)} | {_becomes(branch)} | {_code(branch.because)} | {_code(branch.tells)} |"
    yield ""


def _when(branch: Branch) -> str:
    if branch.when is lifecycle.always:
        return ""
    return " ".join((branch.when.__doc__ or branch.when.__name__).split()).split(". ")[0].rstrip(".")


def _becomes(branch: Branch) -> str:
    return f"**{branch.to.value}**" if branch.to is not None else branch.why


def _code(value: str | None) -> str:
    return f"`{value}`" if value else ""


def _drawn(way: Arrow) -> str:
    """One arrow, from the edge of one box to the edge of the other; ways back are bent, so that both can be seen."""
    start, end = way
    kind = "lives" if end is State.ACTIVE else "asks" if end is State.SUSPENDED else "ends"
    back = end is State.ACTIVE and start is not State.PENDING
    (x1, y1), (x2, y2) = _edge(start, end, back=back), _edge(end, start, back=back)
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    if back:
        middle_x, middle_y = middle_x - (y2 - y1) / 9, middle_y + 26
    if PLACES[start][0] == PLACES[end][0] == LAST_COLUMN:
        middle_x += BOX_HEIGHT + abs(y2 - y1) / 9
    return (
        f'<path d="M{x1} {y1}Q{middle_x:.0f} {middle_y:.0f} {x2} {y2}" fill="none" stroke="{COLOURS[kind]}" '
        f'stroke-width="1.8" marker-end="url(#{kind})"/>'
    )


def _edge(near: State, far: State, *, back: bool) -> tuple[int, int]:
    """Where an arrow touches a box: on the side that faces the other; a way back a little lower or to the right."""
    (x, y), (other_x, other_y) = PLACES[near], PLACES[far]
    aside = 14 if back else -6
    if x == other_x == LAST_COLUMN:
        return x + BOX_WIDTH // 2, y - aside
    if x == other_x:
        return x + 3 * aside, y + (BOX_HEIGHT // 2 if other_y > y else -BOX_HEIGHT // 2)
    return x + (BOX_WIDTH // 2 if other_x > x else -BOX_WIDTH // 2), y + aside


def _box(state: State) -> str:
    x, y = PLACES[state]
    return (
        f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="9" '
        f'fill="#f4f7f5" stroke="#5b6770"/><text x="{x}" y="{y + 5}" text-anchor="middle" fill="#22302a">{state.value}</text>'
    )


def _legend() -> Iterator[str]:
    told = {"lives": "a consent, or proof that it stands", "asks": "somebody says it is over", "ends": "it ends"}
    for number, (kind, words) in enumerate(told.items()):
        y = HEIGHT - 84 + 26 * number
        yield f'<path d="M22 {y - 4}H62" stroke="{COLOURS[kind]}" stroke-width="1.8" marker-end="url(#{kind})"/>'
        yield f'<text x="72" y="{y}" fill="#22302a">{words}</text>'


def fresh_page(text: str) -> str:
    """The page with what stands between its marks drawn anew."""
    before, rest = text.split(BEGIN)
    _old, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{page()}\n{END}{after}"


def main() -> int:
    """Write both."""
    PAGE.write_text(fresh_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(picture(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}, {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
