"""The second wall between tenants: whose rows the database shows a connection, whatever its statement asks for.

The first wall is the tenant in every statement. The second stands in the database (migration 0013, decision 0029): as
`evergrant_web` a session sees the rows of the tenants its setting names. Which they are is a matter of the request under
way: nobody's before its credential is known, then its own tenant's. What commands and workers do is for all of them.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg

ROLE = "evergrant_web"
NOBODY: frozenset[str] = frozenset()

Seen = frozenset[str] | None
"""The tenants whose rows are seen; None: the whole house."""

_here: ContextVar[Seen] = ContextVar("evergrant_tenants", default=None)
_UNKNOWN: Any = object()

MISSING = """
select coalesce(
    (select 'the role evergrant_web is missing' where not exists (select from pg_roles where rolname = 'evergrant_web')),
    (select 'the role evergrant_web may pass every policy' from pg_roles
     where rolname = 'evergrant_web' and (rolsuper or rolbypassrls)),
    (select format('this user may not take on the role evergrant_web') from pg_roles
     where rolname = 'evergrant_web' and not pg_has_role(current_user, oid, 'member')),
    (select format('the table %s has no policy', c.relname) from pg_class c
     where c.relnamespace = 'evergrant'::regnamespace and c.relkind in ('r', 'p')
       and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
       and not (c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'wall'))
     order by c.relname limit 1),
    (select format('evergrant_web may not read the table %s', c.relname) from pg_class c
     where c.relnamespace = 'evergrant'::regnamespace and c.relkind in ('r', 'p')
       and not has_table_privilege('evergrant_web', c.oid, 'select')
     order by c.relname limit 1))
"""


def here() -> Seen:
    """Whose rows are seen by what runs now."""
    return _here.get()


def enter(tenant_id: str) -> None:
    """From here on this request sees the tenant's rows, and no others."""
    assert "," not in tenant_id
    _here.set(frozenset({tenant_id}))


@contextmanager
def visited() -> Iterator[None]:
    """A request: it sees nobody's rows until it enters, and what comes after it knows nothing of it."""
    token = _here.set(NOBODY)
    try:
        yield
    finally:
        _here.reset(token)


class Walled(asyncpg.Connection):  # type: ignore[misc]  # the driver ships no types
    """A connection that knows whose rows it sees, so that the database is told only when that changes."""

    __slots__ = ("_seen",)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._seen: Any = _UNKNOWN

    async def see(self, tenants: Seen) -> None:
        """See these tenants' rows only, or, for None, the whole house."""
        if self._seen == tenants:
            return
        self._seen = _UNKNOWN
        await self.fetchval(
            "select set_config('role', $1, false) || set_config('evergrant.tenant_id', $2, false)",
            "none" if tenants is None else ROLE,
            ",".join(sorted(tenants or ())),
        )
        self._seen = tenants


def wanted(of: Collection[str] | None, *, always: bool) -> Seen:
    """Whose rows a statement is to see: those it names itself, or the request's. `always`: never the whole house."""
    if of is not None:
        return frozenset(of)
    return NOBODY if always and _here.get() is None else _here.get()


async def missing(connection: Any) -> str | None:
    """What is missing of the wall, if anything is."""
    found: str | None = await connection.fetchval(MISSING)
    return found
