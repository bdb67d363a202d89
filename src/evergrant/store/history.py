"""The life of one connection: the event log and the audit chain told as one, each in its own order."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.history import Page, Place, Proof, Step
from evergrant.store import values
from evergrant.store.database import Connection, Database

AT_ONCE = 2000
"""Audit rows looked at for one page: many reads of a token one after the other are one step."""

SUMMED = frozenset({"token.read", "platform.called", "platform.told_again"})
"""What programs do many times a day."""

EVENTS = """
select id, position, type, happened_at, recorded_at, data from events
where tenant_id = $1 and connection_id = $2 and case when $5 then $3 = 0 or position < $3 else position > $3 end
order by case when $5 then -position else position end limit $4
"""

# Only rows that are bound: their numbers have no gap a later one could fill.
AUDIT = """
select l.number, l.hash, a.at, a.actor, a.action, a.detail from audit_links l
join audit a on a.tenant_id = l.tenant_id and a.position = l.position
where l.tenant_id = $1 and l.subject = $2 and a.action not in ('connection.changed', 'link_session.completed')
  and case when $5 then $3 = 0 or l.number < $3 else l.number > $3 end
order by case when $5 then -l.number else l.number end limit $4
"""

# What wrote an event wrote its record in the same transaction.
WRITTEN_BY = """
select a.at, a.actor, l.number, l.hash from audit_links l
join audit a on a.tenant_id = l.tenant_id and a.position = l.position
where l.tenant_id = $1 and l.subject = $2 and a.action in ('connection.changed', 'link_session.completed') and a.at = any($3)
"""


class Histories:
    """Life histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, tenant_id: str, connection_id: str, *, after: Place, limit: int, newest_first: bool = False
    ) -> Page:
        """Steps behind a place, in order; or, newest first, those before it (an empty place: from the newest)."""
        whose = (tenant_id, connection_id)
        async with self._database.connection() as connection:
            audit = await connection.fetch(AUDIT, *whose, after.audit, AT_ONCE, newest_first)
            events = await connection.fetch(EVENTS, *whose, after.event, limit + 1, newest_first)
            proofs = await _proofs(connection, whose, events)
        said = _merged(_steps_of_events(events, proofs), _steps_of_audit(audit, events), newest_first=newest_first)
        is_cut = len(audit) == AT_ONCE
        if is_cut:  # audit rows that were not looked at yet may come before the events that are left
            said = said[: max(place for place, (_, _, number) in enumerate(said) if number) + 1]
        return _page(said, after, limit, is_cut=is_cut)


Said = tuple[Step, int, int]
"""A step, and the position of its event or the number of its audit row; 0 for the other."""


async def _proofs(connection: Connection, whose: tuple[str, str], events: Sequence[Any]) -> dict[datetime, Any]:
    written = await connection.fetch(WRITTEN_BY, *whose, [row["recorded_at"] for row in events])
    return {row["at"]: row for row in written}


def _steps_of_events(events: Sequence[Any], proofs: dict[datetime, Any]) -> deque[Said]:
    found: deque[Said] = deque()
    for row in events:
        written = proofs.get(row["recorded_at"])
        step = Step(
            id=row["id"],
            type=row["type"],
            actor=written["actor"] if written else "",
            happened_at=row["happened_at"],
            recorded_at=row["recorded_at"],
            data=values.from_json(row["data"]),
            proof=Proof(number=written["number"], hash=written["hash"]) if written else None,
        )
        found.append((step, row["position"], 0))
    return found


def _steps_of_audit(audit: Sequence[Any], events: Sequence[Any]) -> deque[Said]:
    """Where a row does not say its platform time, it is reckoned from the event before it."""
    known = sorted((row["recorded_at"], row["happened_at"] - row["recorded_at"]) for row in events)
    found: deque[Said] = deque()
    for row in audit:
        data = values.from_json(row["detail"])
        said = data.pop("at", None)
        before = bisect_right(known, row["at"], key=lambda each: each[0])
        offset = known[max(before - 1, 0)][1] if known else timedelta(0)
        step = Step(
            id=f"aud_{row['number']}",
            type=row["action"],
            actor=row["actor"],
            happened_at=datetime.fromisoformat(said) if said else row["at"] + offset,
            recorded_at=row["at"],
            data=data,
            proof=Proof(number=row["number"], hash=row["hash"]),
        )
        found.append((step, 0, row["number"]))
    return found


def _merged(events: deque[Said], audit: deque[Said], *, newest_first: bool) -> Sequence[Said]:
    """Both in one order by when they were recorded, neither out of its own."""
    found: list[Said] = []
    while events and audit:
        audit_first = audit[0][0].recorded_at <= events[0][0].recorded_at
        found.append((audit if audit_first is not newest_first else events).popleft())
    return [*found, *events, *audit]


def _page(said: Sequence[Said], after: Place, limit: int, *, is_cut: bool) -> Page:
    steps: list[Step] = []
    event, audit, seen = after.event, after.audit, 0
    for step, position, number in said:
        summed = _summed(steps[-1], step) if steps else None
        if summed is None and len(steps) == limit:
            break
        steps = [*steps[:-1], summed] if summed else [*steps, step]
        event, audit, seen = position or event, number or audit, seen + 1
    return Page(steps=steps, place=Place(event=event, audit=audit), more=is_cut or seen < len(said))


def _summed(before: Step, step: Step) -> Step | None:
    """Two reads of the token, or two calls, by one key on one day, as one step; None if they are not."""
    alike = before.type == step.type and step.type in SUMMED and before.actor == step.actor
    if not alike or before.recorded_at.date() != step.recorded_at.date():
        return None
    assert before.proof
    assert step.proof
    later = max(before, step, key=lambda each: each.proof.number if each.proof else 0)
    return Step(
        id=later.id,
        type=step.type,
        actor=step.actor,
        happened_at=later.happened_at,
        recorded_at=later.recorded_at,
        data={"count": before.data.get("count", 1) + 1},
        proof=later.proof,
    )
