"""Using the embedded database: the first to come starts it, others join, whoever sees it die revives it, the last
to leave stops it.
"""

import hashlib
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode

from evergrant.postgres import account, binaries, cluster, failures, locks, place, postmaster
from evergrant.postgres.account import Account, Runner
from evergrant.postgres.binaries import Binaries
from evergrant.postgres.cluster import Durability
from evergrant.postgres.place import Place
from evergrant.postgres.postmaster import Listener

SPARE = Path("/var/lib/evergrant")
TICK = 0.2  # between looks at the server where the system does not tell of its end
CALM = 1.0  # between looks where it does
LONGEST_PAUSE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server, and how to connect to it."""

    socket: Path
    port: int
    user: str
    database: str
    version: str
    password: str = field(repr=False)

    @property
    def dsn(self) -> str:
        """The address of the database; it holds the password."""
        return self.dsn_of(self.database)

    def dsn_of(self, database: str) -> str:
        """The address of another database of the same server; it holds the password."""
        query = urlencode({"host": self.socket, "port": self.port}, quote_via=quote)
        return f"postgresql://{self.user}:{quote(self.password, safe='')}@/{quote(database, safe='')}?{query}"


def _silent(event: str, **fields: object) -> None:
    """Listens to nothing."""


@contextmanager
def running(
    home: Path,
    *,
    tell: Listener = _silent,
    programs: Binaries | Path = Binaries.EMBEDDED,
    durability: Durability = Durability.FULL,
    patience: float = 300.0,
    spare: Path = SPARE,
) -> Iterator[Server]:
    """The embedded server, running for as long as the block lasts.

    Args:
        home: the folder it lives in; made if missing. One machine only.
        tell: is called with an event's name and fields, also from another thread; `structlog.get_logger().info` will do.
        programs: which server programs to start.
        durability: never anything but FULL outside tests.
        patience: seconds to wait for a server that recovers.
        spare: where root puts what must not lie in a folder only root can enter, if it has to.

    Raises:
        PostgresError: it cannot be used; the code says why, the sentence what to do.
    """
    use = _Use(home=home, tell=tell, programs=programs, durability=durability, patience=patience, spare=spare)
    server = use.join()
    try:
        yield server
    finally:
        use.leave()


class _Use:
    """One process's use of the server: its share of the users' lock, and a thread that watches."""

    def __init__(
        self,
        *,
        home: Path,
        tell: Listener,
        programs: Binaries | Path,
        durability: Durability,
        patience: float,
        spare: Path,
    ) -> None:
        self.where = Place(home.absolute())
        self.programs = programs
        self.durability = durability
        self.patience = patience
        self.spare = spare
        self.leaving = threading.Event()
        self.share: int | None = None
        self.bell = (-1, -1)
        self.watcher = threading.Thread(target=self._watch, name="postgres-watch", daemon=True)
        self._listener = tell

    def tell(self, event: str, **fields: object) -> None:
        """Pass an event on. A listener that fails must not end the watch."""
        with suppress(Exception):
            self._listener(event, **fields)

    def join(self) -> Server:
        """Start the server or join the running one."""
        where = self.where
        with failures.translated():
            where.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locks.turn(where.start_lock, within=self.patience):
                self.share = locks.attempt(where.users_lock, locks.SHARED)
                try:
                    server = self._brought_up()
                except failures.NotReadyError:
                    self._let_go()  # and leave the server at it: stopped, it would have to begin again
                    raise
                except BaseException:
                    self._give_up_share()
                    raise
        self.bell = os.pipe()  # the watcher hears the closing of the other end
        self.watcher.start()
        return server

    def leave(self) -> None:
        """Stop using the server; the last to leave stops it."""
        self.leaving.set()
        os.close(self.bell[1])
        self.watcher.join()
        os.close(self.bell[0])
        with failures.translated():
            try:
                with locks.turn(self.where.start_lock, within=self.patience):
                    self._give_up_share()
            except FileNotFoundError:
                # Somebody removed the folder under the server, which notices within a minute and ends by itself.
                self.tell("postgres.folder_gone", folder=str(self.where.home))

    def _let_go(self) -> None:
        if self.share is not None:
            os.close(self.share)

    def _give_up_share(self) -> None:
        self._let_go()
        if not locks.free(self.where.users_lock):
            self.tell("postgres.left")
        elif not locks.free(self.where.server_lock):
            postmaster.stop(self.where, self.tell)

    def _brought_up(self) -> Server:
        where = self.where
        settled = locks.until(lambda: postmaster.is_ready(where) or not postmaster.is_well(where), within=self.patience)
        if not postmaster.is_well(where):
            self._start()
        elif settled:
            self.tell("postgres.joined")
        else:
            raise postmaster.not_ready(where, self.patience)
        return Server(
            socket=where.socket,
            port=place.PORT,
            user=cluster.ROLE,
            database=cluster.DATABASE,
            version=where.version.read_text(encoding="ascii").strip(),
            password=cluster.password_of(where),
        )

    def _start(self) -> None:
        where = self.where
        if postmaster.pid_of(where) is not None:
            postmaster.stop(where, self.tell)  # alive, and nobody can reach it: its socket is gone
        made_by = cluster.major_of(where.data)
        owner = (where.home if made_by is None else where.server).stat().st_uid
        runner = account.choose(
            binaries.find(self.programs, made_by),
            where=where,
            owner=None if owner == 0 and made_by is None else owner,
            spare=self.spare,
        )
        if made_by is None:
            self._make(runner)
        postmaster.start(
            postmaster.Start(
                where=where,
                runner=runner,
                durability=self.durability,
                patience=self.patience,
                leaving=self.leaving,
                tell=self.tell,
            ),
        )

    def _make(self, runner: Runner) -> None:
        if self.watcher.is_alive():
            raise failures.StartFailedError(
                f"The data in {self.where.data} is gone while it was in use. Stop every Evergrant process; the next "
                "start begins with an empty database.",
            )
        self._settle_in(runner.account)
        self.tell("postgres.preparing", version=runner.version)
        held = postmaster.alone(self.where)
        try:
            cluster.make(self.where, runner, durability=self.durability, keeps=held)
        finally:
            os.close(held)

    def _settle_in(self, chosen: Account) -> None:
        """Make the server's own folder, where its account can reach it."""
        where = self.where
        if where.link.is_symlink():
            if not where.link.exists():
                raise failures.StartFailedError(
                    f"The data was in {where.server}, which is gone. Bring it back, or remove {where.link} to begin "
                    "with an empty database.",
                )
            return
        where.link.mkdir(mode=0o700, exist_ok=True)
        if where.link.stat().st_uid != chosen.uid:
            os.chown(where.link, chosen.uid, chosen.gid)
        if chosen.steps_down and not account.reaches(chosen, where.link):
            where.home.chmod(0o711)
            if not account.reaches(chosen, where.link):
                where.home.chmod(0o700)
                where.link.rmdir()
                name = hashlib.sha256(os.fsencode(where.home)).hexdigest()[:12]
                place.private(self.spare / f"server-{name}", chosen.uid, chosen.gid)
                where.link.symlink_to(self.spare / f"server-{name}")

    def _watch(self) -> None:
        pause = TICK
        while not self._rested(pause):
            try:
                with failures.translated():
                    self._look_after()
                pause = TICK
            except failures.PostgresError as error:
                self.tell("postgres.restart_failed", code=error.code, error=str(error))
                pause = min(2 * pause, LONGEST_PAUSE)

    def _rested(self, pause: float) -> bool:
        """Rest until the server ends, or for a while; whether we are leaving."""
        with postmaster.end_of(self.where) as end:
            waiting = select.poll()
            for descriptor in (self.bell[0], *end):
                waiting.register(descriptor, select.POLLIN)
            waiting.poll(1000 * (CALM if end else pause))
        return self.leaving.is_set()

    def _look_after(self) -> None:
        where = self.where
        if postmaster.is_well(where) and not place.is_long(where.log):
            return
        turn = locks.attempt(where.start_lock, locks.ALONE)
        if turn is None:
            return  # another process is at it
        try:
            if not postmaster.is_well(where):
                self._start()
                self.tell("postgres.restarted")
            place.rotate(where.log)
        finally:
            os.close(turn)
