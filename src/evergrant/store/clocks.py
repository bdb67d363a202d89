"""The database's own time; and the last offset read from each sandbox clock, so that a restart does not jump in time."""

from evergrant.store.database import Database


class Clocks:
    """Offsets of platform time from wall time, in seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wall(self) -> float:
        """The database's own time, in Unix seconds: the one clock all processes share."""
        async with self._database.connection() as connection:
            told: float = await connection.fetchval("select extract(epoch from clock_timestamp())::float8")
        return told

    async def remembered(self, clock: str) -> float | None:
        """The last offset read, None if there never was one."""
        async with self._database.connection() as connection:
            offset: float | None = await connection.fetchval(
                "select offset_seconds from clocks where clock = $1", clock
            )
        return offset

    async def remember(self, clock: str, offset: float) -> None:
        """Keep an offset that differs from the one kept."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                insert into clocks (clock, offset_seconds) values ($1, $2)
                on conflict (clock) do update set offset_seconds = excluded.offset_seconds, read_at = now()
                """,
                clock,
                offset,
            )
