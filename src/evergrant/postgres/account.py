"""Which account the server runs as: PostgreSQL refuses root, so root has to step aside for it.

Three ways, in this order; the first that works is taken, and the owner of the server's folder remembers it:

1. an ordinary user: as itself;
2. root: inside a user namespace in which root is called `nobody`. Files stay root's, so it works in /root too;
3. root where user namespaces are refused (most containers): as the user `evergrant`, or `nobody` if there is none.

An ordinary user without a name (a container started with `--user 1234`) takes way 2, since initdb wants a name.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evergrant.postgres import binaries, failures
from evergrant.postgres.place import Place

NOBODY = 65534
NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
PREFERRED = ("evergrant", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who the server runs as: `uid` and `gid` as seen from outside, and what has to be done to become it."""

    name: str
    uid: int
    gid: int
    prefix: tuple[str, ...] = ()

    @property
    def steps_down(self) -> bool:
        """Whether root becomes somebody else for it."""
        return self.uid != os.geteuid()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        said: str = "",
        keeps: tuple[int, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account; its errors are among its output."""
        return subprocess.run(  # noqa: S603 - the server's own programs
            [*self.prefix, *command],
            input=said,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            pass_fds=keeps,
            **self._alone(),
        )

    def begin(self, command: Sequence[str | Path], *, log: int, keeps: tuple[int, ...]) -> int:
        """Start a program as this account, in a session of its own, so that the terminal's Ctrl-C does not reach it."""
        child = subprocess.Popen(  # noqa: S603 - the server's own programs
            [*self.prefix, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=keeps,
            **self._alone(),
        )
        child.returncode = 0  # it may outlive us: whoever sees it end asks the system by its number
        return child.pid

    def _alone(self) -> dict[str, Any]:
        """How each of its programs is started: as the account, in a session of its own, with nothing of ours."""
        account: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.steps_down else {}
        return {"cwd": "/", "env": binaries.environment(), "start_new_session": True, "umask": 0o077, **account}


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """An account that was seen to work, the programs it can reach, and their version."""

    account: Account
    programs: Path
    version: str


def choose(programs: Path, *, where: Place, owner: int | None, spare: Path) -> Runner:
    """The first account under which the server's programs run.

    Args:
        programs: the folder of the server's programs.
        where: the server's place, to say what to do about it.
        owner: who owns the server's folder; None if there is none yet.
        spare: where programs are copied that the account cannot reach.

    Raises:
        NotPermittedError: there is no such account.
        TooOldError: the programs are too old.
    """
    reasons: list[str] = []
    for account in _candidates(owner):
        runner = _tried(account, programs, reasons)
        if runner is None and account.steps_down:
            runner = _tried(account, binaries.copied(programs, _open_to_all(spare)), reasons)
        if runner is not None:
            binaries.check_version(binaries.major(runner.version) * 10_000)
            return runner
    raise failures.NotPermittedError(f"{_what_to_do(where, owner)} Tried: {'; '.join(reasons)}.")


def _what_to_do(where: Place, owner: int | None) -> str:
    if owner == os.geteuid() == 0:
        return (
            "The data belongs to root, PostgreSQL refuses root, and this machine lets root make no user namespace. Allow "
            "it to, or hand the data over to an ordinary user in a folder that user can reach: "
            f"chown -R nobody '{where.server}' && chmod 711 '{where.home}'."
        )
    return (
        "The PostgreSQL server cannot be run by this account. Run Evergrant as an ordinary user that owns its data "
        "folder, or name a database in EVERGRANT_DATABASE_URL."
    )


def _candidates(owner: int | None) -> list[Account]:
    me = os.geteuid()
    namespace = Account(name="user namespace", uid=me, gid=os.getegid(), prefix=NAMESPACE)
    if me != 0:
        name = _name_of(me)
        return [Account(name=name, uid=me, gid=os.getegid()) if name else namespace]
    match owner:
        case None:
            return [namespace, *_ordinary()]
        case 0:
            return [namespace]
        case uid:
            return [Account(name=_name_of(uid) or str(uid), uid=uid, gid=_group_of(uid))]


def _ordinary() -> list[Account]:
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_name in PREFERRED}
    chosen = [users[name] for name in PREFERRED if name in users][:1]
    return [Account(name=user.pw_name, uid=user.pw_uid, gid=user.pw_gid) for user in chosen]


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return uid


def _tried(account: Account, programs: Path, reasons: list[str]) -> Runner | None:
    try:
        answer = account.run([programs / "postgres", "--version"]).stdout
    except OSError as error:
        answer = str(error)
    if version := binaries.version_in(answer):
        return Runner(account=account, programs=programs, version=version)
    reasons.append(f"as {account.name}, {answer.strip().splitlines()[-1] if answer.strip() else 'no answer'}")
    return None


def _open_to_all(spare: Path) -> Path:
    spare.mkdir(mode=0o755, parents=True, exist_ok=True)
    return spare


def reaches(account: Account, folder: Path) -> bool:
    """Whether the account can work in a folder: every folder above must let it through."""
    return account.run(["/bin/sh", "-c", 'cd "$0" && test -w .', folder]).returncode == 0
