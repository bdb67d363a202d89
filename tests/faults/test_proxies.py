"""The proxies do what they say: each mode against a real server, each lost word against a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import asyncpg
import pytest

from faults.tools.addresses import Port, Socket
from faults.tools.background import Background
from faults.tools.postgres_proxy import Act, PostgresProxy, Rule
from faults.tools.proxy import Fault, Mode, Proxy

ANSWER = bytes(range(256)) * 4


@asynccontextmanager
async def answering() -> AsyncIterator[Port]:
    """A server that answers every line with the same bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    server = await Port().listen(answer)
    try:
        yield Port().bound(server)
    finally:
        server.close()


async def asked(proxy: Proxy, *, within: float = 1.0) -> bytes:
    """What comes back for one line, until it is whole, over, or late."""
    reader, writer = await proxy.at.connect()
    writer.write(b"hello\n")
    got = b""
    try:
        async with asyncio.timeout(within):
            while len(got) < len(ANSWER) and (piece := await reader.read(4096)):
                got += piece
    except TimeoutError:
        pass
    finally:
        writer.close()
    return got


async def test_each_mode_spoils_an_answer_in_its_way() -> None:
    """Passed whole, cut after so many bytes, half closed, reset, garbled, late, slow, swallowed, refused; and whole again."""
    async with answering() as port, Proxy(port) as proxy:
        assert await asked(proxy) == ANSWER
        await proxy.switch(Fault(mode=Mode.CUT, after_bytes=10))
        assert await asked(proxy) == ANSWER[:10]
        await proxy.switch(Fault(mode=Mode.HALF_CLOSE, after_bytes=20))
        assert await asked(proxy) == ANSWER[:20]
        await proxy.switch(Fault(mode=Mode.RESET))
        with pytest.raises(ConnectionResetError):
            await asked(proxy)
        await proxy.switch(Mode.GARBAGE)
        garbled = await asked(proxy)
        assert (len(garbled), garbled == ANSWER) == (len(ANSWER), False)
        await proxy.switch(Fault(mode=Mode.DELAY, seconds=0.1))
        begun = monotonic()
        assert await asked(proxy) == ANSWER
        assert monotonic() - begun >= 0.1
        await proxy.switch(Fault(mode=Mode.RATE, bytes_a_second=100))
        assert 0 < len(await asked(proxy, within=0.15)) < 100
        assert proxy.spoiled == 6
        await proxy.switch(Mode.BLACK_HOLE)
        assert await asked(proxy, within=0.05) == b""
        late = asyncio.create_task(asked(proxy))
        await asyncio.sleep(0.05)
        await proxy.switch(Mode.REFUSE)
        assert await late == ANSWER
        with pytest.raises(ConnectionRefusedError):
            await asked(proxy)
        await proxy.switch(Mode.PASS)
        assert await asked(proxy) == ANSWER


async def counted(dsn: str) -> int:
    """How many rows there are, asked past the proxy."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval("select count(*) from kept"))
    finally:
        await connection.close()


async def wrote(dsn: str, *, whole: bool = True) -> bool:
    """Write a row, in a transaction or in a statement of its own; whether the client was told that it is there."""
    connection = await asyncpg.connect(dsn)
    try:
        if whole:
            async with connection.transaction():
                await connection.fetchval("select count(*) from kept where name = $1", "x")
                await connection.execute("insert into kept values ($1)", "x")
        else:
            await connection.execute("insert into kept values ($1)", "x")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    else:
        return True
    finally:
        connection.terminate()


@pytest.mark.parametrize("whole", [True, False], ids=["transaction", "statement"])
async def test_the_word_of_a_commit_is_lost_or_the_commit_itself(database: str, tmp_path: Path, *, whole: bool) -> None:
    """Lost after the server committed: it is there, and nobody was told. Before: it is not there. Only the nth, only once."""
    async with PostgresProxy(database, folder=tmp_path) as proxy:
        assert isinstance(proxy.at, Socket)
        plain = await asyncpg.connect(database)
        await plain.execute("create table kept (name text)")
        await plain.close()
        assert await wrote(proxy.dsn, whole=whole)
        word = proxy.add(Rule(act=Act.LOSE_WORD, matching="into kept", nth=2))
        assert await wrote(proxy.dsn, whole=whole)
        assert not await wrote(proxy.dsn, whole=whole)
        assert (word.seen, word.hits, await counted(database)) == (2, 1, 3)
        proxy.release()
        commit = proxy.add(Rule(act=Act.LOSE_COMMIT, matching="INTO kept"))
        assert not await wrote(proxy.dsn, whole=whole)
        assert (commit.hits, await counted(database)) == (1, 3)
        assert await wrote(proxy.dsn, whole=whole)
        units = [unit for unit in proxy.committed if "insert into kept values ($1)" in unit]
        assert [len(unit) for unit in units] == [4 if whole else 1] * 4


@pytest.mark.parametrize(("act", "there"), [(Act.HOLD_WORD, 1), (Act.HOLD_COMMIT, 0)])
async def test_a_commit_waits_for_its_release(database: str, act: Act, there: int) -> None:
    """Over a port as well: the server has it, or has it not yet; released, the client is told."""
    async with PostgresProxy(database, at=Port()) as proxy:
        plain = await asyncpg.connect(database)
        await plain.execute("create table kept (name text)")
        await plain.close()
        rule = proxy.add(Rule(act=act, matching="into kept"))
        writing = asyncio.create_task(wrote(proxy.dsn))
        await asyncio.wait_for(rule.reached.wait(), 5)
        assert (writing.done(), await counted(database)) == (False, there)
        proxy.release()
        assert await writing
        assert await counted(database) == 1


async def test_a_server_can_refuse_hang_and_hang_up(database: str, tmp_path: Path) -> None:
    """New connections are refused, open ones hang as long as it is said, and are cut."""
    async with PostgresProxy(database, folder=tmp_path) as proxy:
        connection = await asyncpg.connect(proxy.dsn)
        proxy.freeze()
        hanging = asyncio.create_task(connection.fetchval("select 1"))
        assert not (await asyncio.wait({hanging}, timeout=0.05))[0]
        proxy.go_on()
        assert await hanging == 1
        proxy.refuse()
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await asyncpg.connect(proxy.dsn, timeout=2)
        assert await connection.fetchval("select 2") == 2
        await proxy.cut_all()
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.fetchval("select 3")


def test_tools_run_beside_a_test_that_waits(tmp_path: Path) -> None:
    """In a thread of their own, closed with the block."""
    with Background() as tools:
        proxy = tools.enter(Proxy(Socket(tmp_path / "nobody"), at=Socket(tmp_path / "door")))
        tools.run(proxy.switch(Mode.BLACK_HOLE))
        assert (tmp_path / "door").is_socket()
