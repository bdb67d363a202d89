"""The reference says what the code does: error codes, settings, routes, commands, events and the life-cycle table."""

import importlib
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer.main
from fastapi import FastAPI
from fastapi.routing import APIRoute

from evergrant.cli import main
from evergrant.core import lifecycle
from evergrant.core.authorization import State
from evergrant.core.errors import EvergrantError
from evergrant.core.gate import Why
from evergrant.postgres import PostgresError
from evergrant.settings import Settings, SettingsError
from evergrant.web import app, lanes, problems, words
from tests.docs import pages
from tools import lifecycle as drawing

SRC = pages.ROOT / "src" / "evergrant"
STARTS_WITH_CODE = re.compile(r'(?:StartError|\bfail)\(\s*"([a-z_]+)"')
EMITTED = re.compile(r'Event\(\s*type="([a-z_.]+)"')
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`")


def source() -> str:
    """All of the hub's code."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(SRC.rglob("*.py")))


def every(kind: type[Any]) -> set[type[Any]]:
    """A class and all below it that the hub defines, wherever they stand."""
    for path in SRC.rglob("*.py"):
        if f"({kind.__name__})" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(path.relative_to(SRC.parent).with_suffix("").parts))
    found, waiting = set(), [kind]
    while waiting:
        known = waiting.pop()
        found.add(known)
        waiting += known.__subclasses__()
    return {known for known in found if known.__module__.startswith("evergrant.")}


@pytest.fixture(scope="module")
def application() -> FastAPI:
    """The FastAPI application behind the fast lanes, with nothing behind its doors."""
    desk: Any = SimpleNamespace(sandbox_urls=(), is_https=False, walls=SimpleNamespace(visited=None))
    guard: Any = app.build(desk)
    return cast("FastAPI", guard._app._behind)


def documented_routes(*, marked: bool) -> set[tuple[str, str]]:
    """Routes named in the HTTP reference, with or without the mark of the OpenAPI document."""
    terms = [line for line in pages.read("reference/http-api.md").splitlines() if line.startswith("`")]
    return {(method, path) for line in terms if ("◇" in line) == marked for method, path in ROUTE.findall(line)}


def routes(application: FastAPI) -> list[APIRoute]:
    """Every route of the routers that are built in."""
    built_in = [getattr(route, "original_router", None) for route in application.routes]
    return [route for router in built_in if router for route in router.routes if isinstance(route, APIRoute)]


def commands(group: Any, before: str = "evergrant") -> dict[str, list[Any]]:
    """The parameters of every command, by the words that call it."""
    found: dict[str, list[Any]] = {}
    for name, command in group.commands.items():
        called = f"{before} {name}"
        found |= commands(command, called) if hasattr(command, "commands") else {called: command.params}
    return found


def test_every_answer_code_has_a_line_with_its_status() -> None:
    """Error codes and statuses of the hub's answers: the table has each, and no other."""
    table = pages.rows(pages.read("reference/errors.md").split("## Answers of the hub")[1].split("\n## ")[0])
    codes = {known.code for known in every(EvergrantError)} | {why.value for why in Why}

    assert codes == set(table)
    assert {code: str(problems.STATUSES[code]) for code in codes} == {code: cells[0] for code, cells in table.items()}


def test_every_code_that_stops_a_program_has_a_line() -> None:
    """Codes on the command line: the second table has each, and no other."""
    table = pages.first_cells(pages.read("reference/errors.md").split("## When a program does not start")[1])
    postgres = {known.code for known in every(PostgresError) if known is not PostgresError}
    written = set(STARTS_WITH_CODE.findall(source())) - {"database_unavailable", "invalid_request"}

    assert written | postgres | {SettingsError.code} == set(table)


def test_every_code_has_a_cure() -> None:
    """The how-to says what to do about each code an answer can carry."""
    cures = pages.first_cells(pages.read("how-to/cure-an-error.md"))
    codes = {known.code for known in every(EvergrantError)} | {why.value for why in Why}

    assert codes == set(cures)


def test_every_setting_has_a_line() -> None:
    """Settings: the table has each, and no other."""
    assert set(Settings.model_fields) == set(pages.first_cells(pages.read("reference/settings.md")))


def test_every_route_of_the_openapi_document_is_described(application: FastAPI) -> None:
    """Routes marked in the HTTP reference are those of the OpenAPI document."""
    described = {
        (method.upper(), path) for path, methods in application.openapi()["paths"].items() for method in methods
    }

    assert described == documented_routes(marked=True)


def test_every_other_route_is_a_fast_lane_or_watches(application: FastAPI) -> None:
    """Routes without the mark are what machines watch, and a fast lane; each fast lane is described."""
    unmarked = documented_routes(marked=False)
    hidden = {
        (method, route.path)
        for route in routes(application)
        if not route.include_in_schema
        for method in route.methods or ()
    }
    patterns = [value for value in vars(lanes).values() if isinstance(value, re.Pattern)]
    every = unmarked | documented_routes(marked=True)
    fast = {route for route in every if any(pattern.match(route[1]) for pattern in patterns)}

    assert len(patterns) == len(fast)
    assert set() == unmarked - fast - hidden


def test_every_page_named_is_there(application: FastAPI) -> None:
    """The paths of pages in the HTTP reference are served."""
    named = set(re.findall(r"`(/[^`]*)`", pages.read("reference/http-api.md").split("## Pages")[1]))
    served = {route.path for route in routes(application)}

    assert set() == named - served


def test_every_command_has_a_line_with_its_options() -> None:
    """Commands: the table has each, and no other, and names every option."""
    text = pages.read("reference/commands.md").split("\n## ")[0]
    lines = pages.rows(text.split("| command |")[1])
    table = {re.sub(r" [A-Z]+$", "", name): " ".join(cells) for name, cells in lines.items()}
    known = commands(typer.main.get_command(main.app))
    missing = [
        (name, option.opts[0])
        for name, options in known.items()
        for option in options
        if option.opts[0].startswith("-")
        and not any(word in table.get(name, "") for word in (*option.opts, *option.secondary_opts))
    ]

    assert set(known) == set(table)
    assert [] == missing


def test_every_event_type_has_a_line() -> None:
    """Event types: the table has each that has words for people, and everything the code tells is among them."""
    table = set(pages.first_cells(pages.read("reference/events.md")))
    by_table = {
        branch.tells for row in lifecycle.TABLE.values() for cell in row.values() for branch in cell if branch.tells
    }

    assert set(words.EVENTS) == table
    assert set() == (set(EMITTED.findall(source())) | by_table) - table


def test_the_life_is_drawn_from_the_table() -> None:
    """Page and picture of the life-cycle are what the table gives now: `python -m tools.lifecycle` makes them."""
    page = drawing.PAGE.read_text(encoding="utf-8")

    assert drawing.fresh_page(page) == page
    assert drawing.PICTURE.read_text(encoding="utf-8") == drawing.picture()


def test_every_state_has_a_place_in_the_picture() -> None:
    """A new state has to be put into the picture; only `erased` is left out."""
    assert set(lifecycle.TABLE) - {State.ERASED} == set(drawing.PLACES)
