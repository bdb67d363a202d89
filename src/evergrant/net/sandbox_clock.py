"""Reads the time of a sandbox, so that hub, worker and sandbox turn together. Never called for production apps."""

import aiohttp

READ_SECONDS = 2.0


class ClockUnreadableError(Exception):
    """The sandbox does not tell its time just now."""


class SandboxClock:
    """Asks sandboxes for their time."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @classmethod
    async def open(cls) -> "SandboxClock":
        """With a connection pool of its own, so that slow calls to a platform never delay the time."""
        timeout = aiohttp.ClientTimeout(total=READ_SECONDS)
        return cls(aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()))

    async def close(self) -> None:
        """Close the pool."""
        await self._session.close()

    async def offset(self, base_url: str) -> float:
        """How far the sandbox's clock is ahead of wall time, in seconds.

        Raises:
            ClockUnreadableError: it does not answer, or not with a time.
        """
        try:
            async with self._session.get(f"{base_url}/_sandbox/clock") as response:
                return float((await response.json())["offset_seconds"])
        except (aiohttp.ClientError, TimeoutError, OSError, KeyError, TypeError, ValueError) as error:
            raise ClockUnreadableError(type(error).__name__) from None
