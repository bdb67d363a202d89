"""The load generator: one process, plain sockets, one request in flight on each connection, the same for all compared.

It reads an order as JSON from its standard input and writes what it saw to its standard output. It knows just enough
HTTP to be no bottleneck: a request is bytes that were made before, an answer is a status and `content-length` bytes.
"""

import json
import re
import selectors
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from time import perf_counter, process_time

from bench import asks
from bench.figures import percentile

REFUSED = re.compile(rb'\{"code":[1-9]')
"""How the body of the platform's refusals begins, whatever their status."""
LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)")
HEAD_END = b"\r\n\r\n"
RECEIVED_AT_ONCE = 65536
PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class Client:
    """One connection: what has arrived of the answer to the request that is out, and since when that is."""

    connection: socket.socket
    arrived: bytes = b""
    asked_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a run saw. `busy` is the share of one core the generator itself used."""

    answers: int = 0
    wrong: int = 0
    first_wrong: str = ""
    seconds: float = 0.0
    busy: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    waits: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Right answers a second."""
        return self.answers / self.seconds


def together(parts: Sequence[Seen]) -> Seen:
    """What several runs of the same thing saw, as one."""
    return Seen(
        answers=sum(part.answers for part in parts),
        wrong=sum(part.wrong for part in parts),
        first_wrong=next((part.first_wrong for part in parts if part.first_wrong), ""),
        seconds=sum(part.seconds for part in parts),
        busy=sum(part.busy * part.seconds for part in parts) / sum(part.seconds for part in parts),
        p50_ms=median(part.p50_ms for part in parts),
        p99_ms=max(part.p99_ms for part in parts),
    )


def drive(port: int, requests: Iterator[bytes], *, clients: int, seconds: float) -> Seen:
    """Keep every client asking until the time is over, then wait for the answers that are out."""
    selector = selectors.DefaultSelector()
    everyone = [Client(socket.create_connection(("127.0.0.1", port))) for _ in range(clients)]
    seen = Seen()
    begun, used = perf_counter(), process_time()
    until = begun + seconds
    for client in everyone:
        client.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client.connection, selectors.EVENT_READ, client)
        _ask(client, next(requests))
    out = clients
    while out:
        ready = selector.select(PATIENCE_SECONDS)
        if not ready:
            seen.wrong += out
            seen.first_wrong = seen.first_wrong or f"{out} clients waited more than {PATIENCE_SECONDS:.0f} s"
            break
        for key, _ in ready:
            if _answered(key.data, seen):
                if perf_counter() < until:
                    _ask(key.data, next(requests))
                else:
                    out -= 1
    seen.seconds, seen.busy = perf_counter() - begun, (process_time() - used) / (perf_counter() - begun)
    for client in everyone:
        client.connection.close()
    waits = sorted(seen.waits)
    seen.p50_ms, seen.p99_ms, seen.waits = 1000 * percentile(waits, 0.50), 1000 * percentile(waits, 0.99), []
    return seen


def _ask(client: Client, request: bytes) -> None:
    client.arrived = b""
    client.asked_at = perf_counter()
    client.connection.sendall(request)


def _answered(client: Client, seen: Seen) -> bool:
    """Whether the whole answer is there; counts it."""
    received = client.connection.recv(RECEIVED_AT_ONCE)
    if not received:
        raise ConnectionError("The server closed a connection in the middle of the run.")
    arrived = client.arrived = client.arrived + received if client.arrived else received
    end = arrived.find(HEAD_END)
    if end < 0:
        return False
    length = LENGTH.search(arrived, 0, end)
    if length is None:
        raise ValueError(f"An answer without its length: {arrived[:end]!r}")
    if len(arrived) < end + len(HEAD_END) + int(length[1]):
        return False
    seen.waits.append(perf_counter() - client.asked_at)
    if arrived.startswith(b"HTTP/1.1 200") and not REFUSED.match(arrived, end + len(HEAD_END)):
        seen.answers += 1
    else:
        seen.wrong += 1
        seen.first_wrong = seen.first_wrong or arrived[end + 4 : end + 204].decode(errors="replace")
    return True


def main() -> None:
    order = asks.decode(json.load(sys.stdin))
    seen = drive(order.port, asks.requests(order), clients=order.clients, seconds=order.seconds)
    json.dump(asdict(seen), sys.stdout)


if __name__ == "__main__":
    main()
