"""Sets the stage: everything started on this machine and told of each other, with one tenant and its app."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx2

from evergrant.core.secret import Secret
from evergrant.stage.children import Children, Told

READY_SECONDS = 60.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a person gets into the hub of a stage."""

    email: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a stage stands. The hub is `localhost`, the sandbox `127.0.0.1`, so that they are two sites to a browser."""

    folder: Path
    hub_port: int
    sandbox_port: int

    @property
    def hub(self) -> str:
        """The hub's public address."""
        return f"http://localhost:{self.hub_port}"

    @property
    def sandbox(self) -> str:
        """The sandbox's address."""
        return f"http://127.0.0.1:{self.sandbox_port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The one tenant of a stage, and the key of its programs."""

    id: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running stage: where everything is, and the keys to it."""

    places: Places
    login: Login
    tenant: Tenant
    children: Children


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def stage(places: Places, *, told: Told, login: Login, name: str) -> Iterator[Stage]:
    """Start everything, and stop it in order at the end.

    `told` hears what happens: (`starting`, what), (`restarted`, who). The tenant is made at the first start only.

    Raises:
        StageError: something does not come up in a minute.
    """
    data = places.folder / "data"
    environment = {
        "EVERGRANT_DATA_DIR": str(data),
        "EVERGRANT_PORT": str(places.hub_port),
        "EVERGRANT_PUBLIC_URL": places.hub,
        "EVERGRANT_SANDBOX_URLS": places.sandbox,
        "EVERGRANT_LOG_FORMAT": "json",
    }
    children = Children(places.folder, told)
    with ExitStack() as stack:
        stack.callback(children.stop)
        for name_of_program, command, surroundings in (
            (
                "sandbox",
                ["evergrant_sandbox", "--port", str(places.sandbox_port), "--data", str(places.folder / "sandbox")],
                {},
            ),
            ("hub", ["evergrant", "serve"], environment),
            ("worker", ["evergrant", "work"], environment),
        ):
            told("starting", name_of_program)
            children.start(name_of_program, [sys.executable, "-m", *command], surroundings)
        tenant = _tenant(places, login, name)
        _await_ready(places, children)
        yield Stage(places=places, login=login, tenant=tenant, children=children)


class StageError(Exception):
    """The stage does not come up."""


def _tenant(places: Places, login: Login, name: str) -> Tenant:
    """The stage's tenant: made once, remembered in a file only its owner reads (it is a stage, not production)."""
    kept = places.folder / "tenant"
    if not kept.exists():
        from evergrant.stage import founding  # noqa: PLC0415  (imports the whole hub: a second start does without)

        password = Secret(login.password)
        made = founding.tenant(
            data=places.folder / "data", sandbox=places.sandbox, name=name, email=login.email, password=password
        )
        kept.touch(mode=0o600)
        kept.write_text(f"{made.tenant_id} {made.api_key.reveal()}\n", encoding="ascii")
    tenant_id, api_key = kept.read_text(encoding="ascii").split()
    return Tenant(id=tenant_id, api_key=api_key)


def _await_ready(places: Places, children: Children) -> None:
    """Wait until sandbox and hub answer."""
    for address in (f"{places.sandbox}/_sandbox/clock", f"{places.hub}/readyz"):
        try:
            await_answer(address, READY_SECONDS, failed=lambda: children.failure)
        except StageError as error:
            raise StageError(f"{error} The hub's last words: {children.log_of('hub', 5)}") from error


def await_answer(address: str, seconds: float, *, failed: Callable[[], Exception | None] = lambda: None) -> None:
    """Wait until an address answers 200.

    Raises:
        StageError: it does not in time, or `failed` gives a reason to wait no longer.
    """
    deadline = monotonic() + seconds
    while True:
        with suppress(httpx2.HTTPError):
            if httpx2.get(address, timeout=2.0, trust_env=False).status_code == 200:
                return
        if reason := failed():
            raise StageError(str(reason))
        if monotonic() > deadline:
            raise StageError(f"{address} does not answer.")
        sleep(LOOK_SECONDS)
