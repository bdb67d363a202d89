"""The outermost layer: large bodies are cut off, and a crash is answered and noted like anything else."""

from typing import Any

import pytest
import structlog.testing

from evergrant.web import guard
from tests.hub_fixture import Hub
from tests.world_fixture import KEY, SECRET


async def test_a_body_is_cut_off_before_it_is_read(hub: Hub) -> None:
    """A hundred MiB, declared or not, with a key or without: 413 after the first MiB, at every door that reads."""
    made = (await hub.api.post("/v1/apps", json={"key": KEY, "secret": SECRET, "service_id": "7"})).json()
    told: list[int] = []
    for path, kind in (("/v1/merchants", b"application/json"), ("/login", b"application/x-www-form-urlencoded")):
        for length in ((), ((b"content-length", b"104857600"),)):
            status, read = await poured(hub, path, ((b"content-type", kind), (b"host", b"localhost"), *length))
            assert 413 == status
            told.append(read)
    status, read = await poured(hub, f"/hooks/tiktok-shop/{made['id']}", ((b"authorization", b"x"),))
    assert 413 == status

    assert max(*told, read) <= 17
    assert 2 == told.count(0)


async def poured(hub: Hub, path: str, headers: tuple[tuple[bytes, bytes], ...]) -> tuple[int, int]:
    """Send chunks of 64 KiB without end; gives the status and how many were read."""
    read, statuses = 0, []

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 65536, "more_body": read < 1600}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert b"too_large" in dict(message["headers"])[b"x-error-code"]
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "server": ("localhost", 8080),
        "client": ("127.0.0.1", 1),
    }
    await hub.transport.app(scope, receive, send)
    (status,) = statuses
    return status, read


async def test_a_crash_is_answered_like_any_error_and_noted_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with our envelope or page, request id and headers; one line, without what the error says."""

    async def crash(*_: object) -> None:
        raise RuntimeError("CNRY value")

    lines = structlog.testing.CapturingLogger()
    monkeypatch.setattr(guard, "log", structlog.wrap_logger(lines, processors=[structlog.processors.JSONRenderer()]))
    monkeypatch.setattr(type(hub.parts.apps), "of", crash)
    monkeypatch.setattr(type(hub.parts.apps), "by_id", crash)
    for method, path in (("GET", "/v1/apps"), ("GET", "/cb/tiktok-shop/app_x"), ("POST", "/hooks/tiktok-shop/app_x")):
        got = await hub.api.request(method, path)
        noted = [str(call.args) for call in lines.calls if call.method_name == "error"]
        lines.calls.clear()

        assert (500, "internal_error") == (got.status_code, got.headers["x-error-code"])
        assert "frame-ancestors 'none'" in got.headers["content-security-policy"]
        assert got.headers["content-type"].startswith("text/html" if path.startswith("/cb") else "application/json")
        assert got.headers["x-request-id"] in got.text
        assert 1 == len(noted)
        assert got.headers["x-request-id"] in noted[0]
        assert "RuntimeError" in noted[0]
        assert "CNRY" not in noted[0] + got.text
