"""PostgreSQL's protocol, version 3, as far as a proxy has to understand it: frames, and which statement an answer is of."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

LENGTH = 4
STARTS_WITHOUT_TYPE = (80877103, 80877104)
"""Requests for TLS and for GSSAPI: answered by one byte, after which the start comes again."""
CANCEL = 80877102

PARSE, BIND, EXECUTE, QUERY, SYNC, CLOSE = b"P", b"B", b"E", b"Q", b"S", b"C"
COMPLETE, READY, ERROR = b"C", b"Z", b"E"
IDLE = b"I"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its type (empty for the first one of a connection) and what follows its length."""

    kind: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """As it goes over the wire."""
        return self.kind + (len(self.body) + LENGTH).to_bytes(LENGTH) + self.body


async def read(reader: asyncio.StreamReader) -> Frame:
    """The next message. Raises asyncio.IncompleteReadError at the end."""
    head = await reader.readexactly(1 + LENGTH)
    return Frame(head[:1], await reader.readexactly(int.from_bytes(head[1:]) - LENGTH))


async def read_start(reader: asyncio.StreamReader) -> Frame:
    """The first message of a connection, which has no type."""
    length = int.from_bytes(await reader.readexactly(LENGTH))
    return Frame(b"", await reader.readexactly(length - LENGTH))


def code_of(start: Frame) -> int:
    """What the first message is: a version, or a request."""
    return int.from_bytes(start.body[:LENGTH])


def text(body: bytes, number: int = 0) -> str:
    """The text at that place of a body of texts that each end with a zero byte."""
    return body.split(b"\0", number + 1)[number].decode("utf-8", "replace")


@dataclass(slots=True)
class Exchange:
    """What the client asked for between two moments at which the server was ready, and the answer as far as it came."""

    statements: list[str] = field(default_factory=list)
    answer: list[Frame] = field(default_factory=list)
    failed: bool = False


class Reading:
    """Reads along with one connection: which statements run, and when what they did is committed."""

    def __init__(self) -> None:
        self._prepared: dict[str, str] = {}
        self._bound: dict[str, str] = {}
        self._asked: deque[Exchange] = deque()
        self._open = Exchange()
        self._started = False
        self.in_transaction: list[str] = []
        """The statements of the transaction that is open."""

    def asked(self, frame: Frame) -> Exchange | None:
        """A message of the client; gives the exchange it completes."""
        match frame.kind:
            case b"P":
                self._prepared[text(frame.body)] = text(frame.body, 1)
            case b"B":
                self._bound[text(frame.body)] = self._prepared.get(text(frame.body, 1), "")
            case b"E":
                self._open.statements.append(self._bound.get(text(frame.body), ""))
            case b"Q":
                self._open.statements.append(text(frame.body))
                return self._complete()
            case b"S":
                return self._complete()
            case _:
                pass
        return None

    def answered(self, frame: Frame) -> Exchange | None:
        """A message of the server; gives the exchange it belongs to, None before the first."""
        if not self._started:
            self._started = frame.kind == READY
            return None
        if not self._asked:
            return None
        exchange = self._asked[0]
        exchange.answer.append(frame)
        exchange.failed = exchange.failed or frame.kind == ERROR
        if frame.kind == READY:
            self._asked.popleft()
        return exchange

    def unit(self, exchange: Exchange) -> list[str]:
        """Everything that is committed if this exchange commits."""
        return [*self.in_transaction, *exchange.statements]

    def settled(self, exchange: Exchange) -> list[str] | None:
        """The unit that is committed by now; None if the transaction goes on or was given up."""
        unit = self.unit(exchange)
        if exchange.answer[-1].body != IDLE:
            self.in_transaction = unit
            return None
        self.in_transaction = []
        gave_up = any(text(frame.body) == "ROLLBACK" for frame in exchange.answer if frame.kind == COMPLETE)
        return None if exchange.failed or gave_up else unit

    def _complete(self) -> Exchange:
        done, self._open = self._open, Exchange()
        self._asked.append(done)
        return done
