"""Tenants, their people, and how people get in: argon2id for passwords, hashed random tokens for logins."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, ParamSpec, TypeVar

import asyncpg
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from evergrant.actions.reading import Entry, Person, Whence
from evergrant.core.errors import ConflictError, PasswordsBusyError
from evergrant.core.secret import Secret
from evergrant.store import audit, tries
from evergrant.store.database import Database
from evergrant.store.tries import Tries
from evergrant.store.values import digest

Given = ParamSpec("Given")
Result = TypeVar("Result")

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
"""A login ends when it was not used for so long, or is that old (TS-24)."""

CONFIRMED = timedelta(minutes=10)
"""How long an entered password counts for what asks for it anew (TS-06)."""

AT_ONCE = 2
"""How many passwords are checked at the same time: each takes 64 MiB and a core for a while."""

WAITING, WAITING_KNOWN = 16, 32
"""How many may wait for that, a few seconds' worth; the second half is for browsers that have logged in before."""


@cache
def _of_nobody() -> str:
    """What the password of an unknown address is held against: hashed once a process, and only where people log in."""
    return PasswordHasher().hash("nobody's password")


class People:
    """Tenants and people."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._tries = Tries(database)

    async def found(self, owner: Person, password: Secret) -> None:
        """Keep a new tenant with its first person.

        Raises:
            ConflictError: somebody has this e-mail address.
        """
        hashed = await self._in_turn(self._hasher.hash, password.reveal())
        async with self._database.transaction() as connection:
            await connection.execute(
                "insert into tenants (id, name) values ($1, $2)", owner.tenant_id, owner.tenant_name
            )
            try:
                await connection.execute(
                    "insert into people (tenant_id, id, email, name, role, password_hash) values ($1, $2, $3, $4, $5, $6)",
                    owner.tenant_id,
                    owner.id,
                    owner.email,
                    owner.name,
                    owner.role,
                    hashed,
                )
            except asyncpg.UniqueViolationError as error:
                raise ConflictError("Somebody has this e-mail address already.") from error
            entry = Entry(tenant_id=owner.tenant_id, actor="command line", action="tenant.founded", subject=owner.id)
            await audit.write(connection, [entry])

    async def tenants(self) -> Sequence[tuple[str, str]]:
        """Every tenant's id and name, the oldest first: for the command line only."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select id, name from tenants where erased_at is null order by created_at, id"
            )
        return [(row["id"], row["name"]) for row in rows]

    async def by_password(self, email: str, password: Secret, whence: Whence) -> Person | None:
        """Whoever has this address and password. Takes as long for an unknown address as for a wrong password.

        Raises:
            TooManyTriesError: too many were wrong lately; it was not looked at.
            PasswordsBusyError: too many wait to be checked.
        """
        tried = await self._tries.begin(email, whence)
        if self._waiting >= (WAITING_KNOWN if tried.is_known else WAITING):
            await self._tries.settle(tried, is_right=False)
            raise PasswordsBusyError
        self._waiting += 1
        try:
            nobody = await self._in_turn(_of_nobody)
            found = await self._database.look_up("person_of_address", email)
            row = found[0] if found else None
            right = await self._in_turn(self._is_right, row["password_hash"] if row else nobody, password)
        finally:
            self._waiting -= 1
        if row is None or not right:
            return None
        await self._tries.settle(tried, is_right=True)
        return _person(row)

    async def log_in(self, person: Person, token: Secret, *, browser: Secret, instead_of: Secret | None) -> None:
        """Begin a login under a fresh token, and end the browser's earlier one; from now on it is known."""
        if instead_of is not None:
            await self.log_out(instead_of)
        async with self._database.transaction() as connection:
            await connection.execute(
                "insert into logins (hash, tenant_id, person_id) values ($1, $2, $3)",
                digest(token.reveal()),
                person.tenant_id,
                person.id,
            )
            await tries.remember(connection, person.email, browser)
            entry = Entry(tenant_id=person.tenant_id, actor=person.id, action="person.logged_in", subject=person.id)
            await audit.write(connection, [entry])

    async def by_login(self, token: Secret) -> Person | None:
        """Whoever is logged in with this token; its idle time begins anew."""
        return await self._logged_in(token, is_use=True)

    async def still_logged_in(self, token: Secret) -> Person | None:
        """Whoever is logged in with this token; its idle time goes on."""
        return await self._logged_in(token, is_use=False)

    async def is_confirmed(self, token: Secret) -> bool:
        """Whether the password was entered for this login a few minutes ago."""
        async with self._database.connection() as connection:
            found: bool = await connection.fetchval(
                "select exists(select from logins where hash = $1 and ended_at is null and confirmed_at > now() - $2::interval)",
                digest(token.reveal()),
                CONFIRMED,
            )
        return found

    async def confirm(self, person: Person, token: Secret, password: Secret, whence: Whence) -> bool:
        """Enter the password anew for this login; whether it was the right one. Raises as `by_password`."""
        found = await self.by_password(person.email, password, whence)
        if found is None or (found.tenant_id, found.id) != (person.tenant_id, person.id):
            return False
        async with self._database.transaction() as connection:
            await connection.execute(
                "update logins set confirmed_at = now() where hash = $1 and ended_at is null", digest(token.reveal())
            )
            entry = Entry(tenant_id=person.tenant_id, actor=person.id, action="person.confirmed", subject=person.id)
            await audit.write(connection, [entry])
        return True

    async def log_out(self, token: Secret) -> None:
        """End a login."""
        await self._database.look_up("end_login", digest(token.reveal()))

    async def _logged_in(self, token: Secret, *, is_use: bool) -> Person | None:
        rows = await self._database.look_up("person_logged_in", digest(token.reveal()), IDLE, ABSOLUTE, is_use)
        return _person(rows[0]) if rows else None

    async def _in_turn(self, work: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
        async with self._slots:
            return await asyncio.to_thread(work, *given, **named)

    def _is_right(self, hashed: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(hashed, password.reveal())
        except (VerifyMismatchError, InvalidHashError):
            return False


def _person(row: Any) -> Person:
    return Person(
        tenant_id=row["tenant_id"],
        tenant_name=row["tenant_name"],
        id=row["id"],
        email=row["email"],
        name=row["name"],
        role=row["role"],
    )
