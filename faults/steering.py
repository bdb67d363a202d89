"""The sandbox as a trial steers it: what goes wrong, who is held, what it saw, what it holds by now."""

from asyncio import sleep
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

REFRESH = "/api/v2/token/refresh"
PAGE = 1000
HELD_SECONDS = 20.0
LOOK_SECONDS = 0.01


class PlatformError(Exception):
    """The sandbox refused what a trial asked of it, or what was waited for did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A refresh as the platform saw it: of which grant, which token was shown and which given, from when to when."""

    number: int
    grant: str
    shown: str
    gave: str | None
    begun: float
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant as it stands at the platform: SHA-256 of the newest pair."""

    id: str
    status: str
    refresh: str | None
    access: str | None


class Platform:
    """Steering routes of one running sandbox."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def get(self, path: str, **query: str | int) -> Any:
        """GET a steering route."""
        async with self._session.get(f"{self.url}/_sandbox{path}", params=query) as answer:
            return await self._read(answer)

    async def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST to a steering route."""
        async with self._session.post(f"{self.url}/_sandbox{path}", json=body or {}) as answer:
            return await self._read(answer)

    async def turn(self, seconds: float) -> None:
        """Turn the platform's clock on."""
        await self.post("/clock", {"advance": f"{int(seconds)}s"})

    async def fault(self, action: str, **given: Any) -> str:
        """Set a fault for token calls, or whatever `kind` says; gives its id."""
        return str((await self.post("/faults", {"action": action, "kind": "token"} | given))["id"])

    async def hold(self, barrier: str, grants: Sequence[str]) -> list[str]:
        """Hold the next refresh of each of these grants at a barrier; gives the faults' ids."""
        return [await self.fault("hold", barrier=barrier, grant=grant, path="*/refresh", times=1) for grant in grants]

    async def held(self, faults: Sequence[str], seconds: float = HELD_SECONDS) -> int:
        """Wait until every one of these holds a call; gives how many do, if time runs out before."""
        deadline = monotonic() + seconds
        while True:
            known = {fault["id"]: fault for fault in (await self.get("/faults"))["items"]}
            standing = sum(bool(known[each]["waiting"]) for each in faults)
            if standing == len(faults) or monotonic() > deadline:
                return standing
            await sleep(LOOK_SECONDS)

    async def release(self, faults: Sequence[str], verdict: str = "continue") -> None:
        """Let go what these hold, or cut it; then they are gone."""
        for fault in faults:
            await self.post(f"/faults/{fault}/release", {"verdict": verdict})
            async with self._session.delete(f"{self.url}/_sandbox/faults/{fault}") as answer:
                await self._read(answer)

    async def clear(self) -> None:
        """Remove every fault; what they held goes on."""
        async with self._session.delete(f"{self.url}/_sandbox/faults") as answer:
            await self._read(answer)

    async def lines(self, after: int = 0, kind: str = "token") -> list[dict[str, Any]]:
        """Every line of the log behind a number."""
        found: list[dict[str, Any]] = []
        while True:
            page = (await self.get("/log", kind=kind, after=after, limit=PAGE))["items"]
            found += page
            if len(page) < PAGE:
                return found
            after = page[-1]["n"]

    async def last(self) -> int:
        """The number of the newest line of the log."""
        return int((await self.get("/log", limit=1))["last"])

    async def refreshes(self, after: int = 0) -> list[Seen]:
        """Every refresh behind a number of the log."""
        return [
            Seen(
                number=line["n"],
                grant=str(line["grant"] or ""),
                shown=line["token_sha256"] or "",
                gave=line["gave_refresh_sha256"],
                begun=line["wall"],
                ended=line["ended_wall"] or line["wall"],
            )
            for line in await self.lines(after)
            if line["path"].endswith("/refresh")
        ]

    async def grants(self, app: str) -> dict[str, Grant]:
        """Every grant of an app, by its id."""
        found: dict[str, Grant] = {}
        after: str | None = "0"
        while after is not None:
            page = await self.get("/grants", app=app, limit=PAGE, after=after)
            for item in page["items"]:
                found[item["id"]] = Grant(
                    id=item["id"],
                    status=item["status"],
                    refresh=item["refresh_token_sha256"],
                    access=item["access_token_sha256"],
                )
            after = page["next"]
        return found

    @staticmethod
    async def _read(answer: aiohttp.ClientResponse) -> Any:
        if answer.status >= 400:
            raise PlatformError(f"{answer.method} {answer.url.path}: {answer.status} {await answer.text()}")
        return await answer.json(content_type=None)
