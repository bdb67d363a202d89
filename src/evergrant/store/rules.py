"""Rules: what is still open so long after it was opened is dismissed, resolved, or tried again, by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from evergrant.actions.exceptions import How
from evergrant.actions.mending import Action, Choice, Rule
from evergrant.actions.reading import Entry
from evergrant.core.errors import ConflictError, NotFoundError
from evergrant.store import audit, exceptions, locks, replays
from evergrant.store.database import Database

AT_ONCE = 500

MOST = 100
"""Rules of one tenant."""

COUNT = "select count(*) from exception_rules where tenant_id = $1"
ADD = """
insert into exception_rules (tenant_id, id, cause, connection_id, action, after_minutes, created_by)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id, cause, connection_id, action) do nothing returning *
"""

# Of all tenants the one nobody has looked at for longest.
TAKE = """
update exception_rules r set looked_at = now() where (r.tenant_id, r.id) in (
    select tenant_id, id from exception_rules where not id = any($1)
    order by looked_at nulls first, tenant_id, id limit 1 for update skip locked)
returning *
"""

# One that tries again waits as long after each try.
RIPE = """
from exceptions e join exception_rules r on r.tenant_id = e.tenant_id and r.id = $2
where e.tenant_id = $1 and e.state = 'open' and e.cause = r.cause
  and (r.connection_id is null or e.connection_id = r.connection_id)
  and (case when r.action = 'retry' then e.last_at else e.opened_at end) < now() - r.after_minutes * interval '1 minute'
  and not (r.action = 'retry' and exists (select from replay_items i where i.tenant_id = e.tenant_id
    and i.exception_id = e.id and (i.outcome is null or i.ended_at > now() - r.after_minutes * interval '1 minute')))
"""
WHERE = f"select distinct connection_id from (select e.connection_id {RIPE} order by e.position limit $3) ripe"  # noqa: S608
SOME = f"select e.id {RIPE} and e.connection_id = $3 order by e.position limit $4"


class Rules:
    """The rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rule: Rule) -> Rule:
        """Keep a rule. Raises NotFoundError: there is no such connection; ConflictError: there is one already, or too many."""
        async with self._database.transaction() as connection:
            if rule.connection_id is not None and not await connection.fetchval(
                "select true from connections where tenant_id = $1 and id = $2", rule.tenant_id, rule.connection_id
            ):
                raise NotFoundError("There is no such connection.")
            await connection.execute("select pg_advisory_xact_lock($1::int, hashtext($2))", locks.RULES, rule.tenant_id)
            row = await connection.fetchrow(
                ADD,
                rule.tenant_id,
                rule.id,
                rule.cause,
                rule.connection_id,
                rule.action,
                rule.after_minutes,
                rule.created_by,
            )
            if row is None:
                raise ConflictError("There is such a rule already. Remove it first, if you want another time.")
            if await connection.fetchval(COUNT, rule.tenant_id) > MOST:
                raise ConflictError(f"There are {MOST} rules, and no more are possible. Remove one first.")
            await audit.write(connection, [_entry(rule.tenant_id, rule.created_by, "exception_rule.added", rule.id)])
        return _rule(row)

    async def of(self, tenant_id: str) -> Sequence[Rule]:
        """All of a tenant, oldest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select * from exception_rules where tenant_id = $1 order by created_at, id", tenant_id
            )
        return [_rule(row) for row in rows]

    async def remove(self, tenant_id: str, rule_id: str, *, actor: str) -> None:
        """Raises NotFoundError."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval(
                "delete from exception_rules where tenant_id = $1 and id = $2 returning true", tenant_id, rule_id
            ):
                raise NotFoundError("There is no such rule.")
            await audit.write(connection, [_entry(tenant_id, actor, "exception_rule.removed", rule_id)])

    async def take(self, seen: Sequence[str]) -> Rule | None:
        """The rule of any tenant that nobody has looked at for longest; none of those, and None after the last."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(TAKE, list(seen))
        return _rule(row) if row else None

    async def ripe(self, rule: Rule) -> Sequence[str]:
        """Connections for which it has something to do; not always all of them at once."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(WHERE, rule.tenant_id, rule.id, AT_ONCE)
        return [row["connection_id"] for row in rows]

    async def apply(self, rule: Rule, connection_id: str, at: datetime) -> int:
        """Do it, for some at a time; gives how many. `at` is platform time."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(SOME, rule.tenant_id, rule.id, connection_id, AT_ONCE)
            ids = [row["id"] for row in rows]
            if not ids:
                return 0
            await connection.execute(
                "update exception_rules set ran_at = now() where tenant_id = $1 and id = $2", rule.tenant_id, rule.id
            )
            if rule.action is Action.RETRY:
                choice = Choice(cause=rule.cause, connection_id=connection_id, ids=ids)
                return await replays.begin(connection, rule.tenant_id, f"rpl_{token_hex(16)}", choice, actor=rule.id)
            dismiss = rule.action is Action.DISMISS
            await audit.write(connection, [_entry(rule.tenant_id, rule.id, f"exceptions.{rule.action}", connection_id)])
            return await exceptions.end(
                connection, rule.tenant_id, connection_id, ids, How.BY_RULE, at, dismiss=dismiss
            )


def _entry(tenant_id: str, actor: str, action: str, subject: str) -> Entry:
    return Entry(tenant_id=tenant_id, actor=actor, action=action, subject=subject)


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        tenant_id=row["tenant_id"],
        id=row["id"],
        cause=row["cause"],
        connection_id=row["connection_id"],
        action=Action(row["action"]),
        after_minutes=row["after_minutes"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        ran_at=row["ran_at"],
    )
