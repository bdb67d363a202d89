"""A sandbox for tests: the real program on a port of its own, put back to an empty world for each test."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from evergrant.stage import cast

READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, steered over its own routes."""

    url: str
    http: httpx2.Client

    def get(self, path: str, **query: Any) -> Any:
        """GET a steering route."""
        return self._read(self.http.get(f"/_sandbox{path}", params=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """POST to a steering route."""
        return self._read(self.http.post(f"/_sandbox{path}", json=body or {}))

    def advance(self, span: str) -> None:
        """Turn the clock."""
        self.post("/clock", {"advance": span})

    def log(self, **query: Any) -> list[dict[str, Any]]:
        """What the platform saw."""
        return list(self.get("/log", limit=1000, **query)["items"])

    @staticmethod
    def _read(answer: httpx2.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the run."""
    port = cast.free_port()
    command = [sys.executable, "-m", "evergrant_sandbox", "--port", str(port), "--data"]
    url = f"http://127.0.0.1:{port}"
    with (
        subprocess.Popen([*command, str(tmp_path_factory.mktemp("sandbox"))], stdout=subprocess.DEVNULL) as process,
        httpx2.Client(base_url=url, trust_env=False, timeout=30) as http,
    ):
        try:
            cast.await_answer(f"{url}/_sandbox/clock", READY_SECONDS)
            yield Sandbox(url, http)
        finally:
            process.terminate()


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, back in its seeded world, its clock at wall time, its log empty."""
    sandbox_process.post("/reset")
    return sandbox_process
