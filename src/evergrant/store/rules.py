"""Rules: what is still open so long after it was opened is dismissed, resolved, or tried again, by itself."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

from evergrant.actions.exceptions import How
from evergrant.actions.mending import Action, Choice, Rule
from evergrant.actions.reading import Entry
from evergrant.core.errors import NotFoundError
from evergrant.store import audit, exceptions, replays
from evergrant.store.database import Database

AT_ONCE = 500

# One that tries again waits as long after each try.
DUE = """
select r.*, e.connection_id as of_connection from exception_rules r
cross join lateral (
    select distinct e.connection_id from exceptions e
    where e.tenant_id = r.tenant_id and e.state = 'open' and e.cause = r.cause
      and (r.connection_id is null or e.connection_id = r.connection_id)
      and (case when r.action = 'retry' then e.last_at else e.opened_at end) < now() - r.after_minutes * interval '1 minute'
      and not (r.action = 'retry' and exists (select from replay_items i where i.tenant_id = e.tenant_id
        and i.exception_id = e.id and (i.outcome is null or i.ended_at > now() - r.after_minutes * interval '1 minute')))
) e
order by r.created_at
"""

RIPE = """
select e.id from exceptions e join exception_rules r on r.tenant_id = e.tenant_id and r.id = $2
where e.tenant_id = $1 and e.connection_id = $3 and e.state = 'open' and e.cause = r.cause
  and (case when r.action = 'retry' then e.last_at else e.opened_at end) < now() - r.after_minutes * interval '1 minute'
  and not (r.action = 'retry' and exists (select from replay_items i where i.tenant_id = e.tenant_id
    and i.exception_id = e.id and (i.outcome is null or i.ended_at > now() - r.after_minutes * interval '1 minute')))
order by e.position limit $4
"""


class Rules:
    """The rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rule: Rule) -> Rule:
        """Keep a rule. Raises NotFoundError: there is no such connection."""
        async with self._database.transaction() as connection:
            if rule.connection_id is not None and not await connection.fetchval(
                "select true from connections where tenant_id = $1 and id = $2", rule.tenant_id, rule.connection_id
            ):
                raise NotFoundError("There is no such connection.")
            row = await connection.fetchrow(
                """
                insert into exception_rules (tenant_id, id, cause, connection_id, action, after_minutes, created_by)
                values ($1, $2, $3, $4, $5, $6, $7) returning *
                """,
                rule.tenant_id,
                rule.id,
                rule.cause,
                rule.connection_id,
                rule.action,
                rule.after_minutes,
                rule.created_by,
            )
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

    async def due(self) -> Sequence[tuple[Rule, str]]:
        """Rules that have something to do, each with the connection it is to be done for."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(DUE)
        return [(_rule(row), row["of_connection"]) for row in rows]

    async def apply(self, rule: Rule, connection_id: str, at: datetime) -> int:
        """Do it, for some at a time; gives how many. `at` is platform time."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(RIPE, rule.tenant_id, rule.id, connection_id, AT_ONCE)
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
