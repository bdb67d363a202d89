"""Does what many callers ask for in one statement, and wakes each with its own answer when that is committed.

While one statement is under way the next callers gather; they go together in the one after it, which begins after all of
them have asked. Under no load a caller waits for its own statement only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")
Answer = TypeVar("Answer")


class Together(Generic[Row, Answer]):
    """Rows in, each caller's own answer out once `write` has done its group. `writers` statements run side by side.

    `alone` are the errors one row brings upon its whole group: then each row is written by itself, so that it fails alone.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Awaitable[Sequence[Answer]]],
        *,
        alone: tuple[type[Exception], ...] = (),
        most: int = 256,
        writers: int = 1,
    ) -> None:
        self._write = write
        self._alone = alone
        self._most = most
        self._free = writers
        self._waiting: list[tuple[Row, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def put(self, row: Row) -> Answer:
        """The answer for this row, after its group is committed. Raises what `write` raised."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._drain(), context=Context())  # a group is not its first caller's request
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._commit(group)
        finally:
            self._free += 1

    async def _commit(self, group: list[tuple[Row, asyncio.Future[Answer]]]) -> None:
        try:
            answers: Sequence[Answer] = await self._write([row for row, _ in group])
        except self._alone as error:
            if len(group) > 1:
                for one in group:
                    await self._commit([one])
                return
            _refuse(group, error)
            return
        except Exception as error:  # noqa: BLE001  (whatever it is, it belongs to the callers who wait)
            _refuse(group, error)
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _refuse(group: Sequence[tuple[object, asyncio.Future[Any]]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
