"""Orders that were missed, kept apart until the whole gap is read, and then given to the records in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evergrant.actions.polls import Run
from evergrant.core import flows
from evergrant.providers.wire import Record
from evergrant.store.database import Connection

BATCH = 1000
"""Records released in one transaction."""

RENEW = """
update flows set lease_until = now() + $6, reached = greatest(reached, $7)
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and fence = $5
returning true
"""

EXPECT = """
update outage_flows set expected = coalesce(expected, $5)
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and balanced_at is null
returning true
"""

COUNT = """
update outage_flows set caught_up = caught_up + $5
where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4 and balanced_at is null
"""

STAGE = """
insert into gap_records as g (tenant_id, connection_id, shop_id, kind, record_id, updated_at, created_at, rank, due_at, document)
select $1, $2, $3, $4, given.* from unnest($5::text[], $6::timestamptz[], $7::timestamptz[], $8::smallint[],
    $9::timestamptz[], $10::bytea[]) as given (id, updated_at, created_at, rank, due_at, document)
on conflict (tenant_id, connection_id, shop_id, kind, record_id) do update set updated_at = excluded.updated_at,
    created_at = excluded.created_at, rank = excluded.rank, due_at = excluded.due_at, document = excluded.document,
    redacted_at = null
where excluded.updated_at > g.updated_at or (excluded.updated_at = g.updated_at and g.redacted_at is null)
"""

STAGED = """
select exists (select from gap_records where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4)
"""

# Cancellations first, then by when the seller promised to ship, then oldest change first; the records draw their
# positions in the order in which they are inserted. Of what is known already the newest version wins, as in every poll.
RELEASE = """
with batch as (
    delete from gap_records where ctid = any(array(
        select ctid from gap_records where tenant_id = $1 and connection_id = $2 and shop_id = $3 and kind = $4
        order by rank, due_at nulls last, updated_at, record_id limit $5))
    returning *
), kept as (
    insert into records (tenant_id, connection_id, shop_id, kind, record_id, updated_at, document, created_at, redacted_at)
    select tenant_id, connection_id, shop_id, kind, record_id, updated_at, document, created_at, redacted_at
    from batch order by rank, due_at nulls last, updated_at, record_id
    on conflict (tenant_id, connection_id, shop_id, kind, record_id) do update
        set updated_at = excluded.updated_at, document = excluded.document, kept_at = now(), redacted_at = excluded.redacted_at,
            created_at = coalesce(excluded.created_at, records.created_at)
        where excluded.updated_at > records.updated_at
            or (excluded.updated_at = records.updated_at and excluded.document is distinct from records.document
                and records.redacted_at is null)
    returning true
)
select (select count(*) from batch) as released, (select count(*) from kept) as kept
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """How many records left the gap, and how many of them were new or newer than what was known."""

    records: int
    kept: int


async def is_open(
    connection: Connection, run: Run, reached: datetime | None, lease: timedelta, total: int | None
) -> bool:
    """Whether the run makes good an outage that is not made good yet. Its lease is renewed, and how many records the
    platform said there are is noted, the first time it is said.
    """
    is_ours = await connection.fetchval(RENEW, *of(run), run.fence, lease, reached)
    return bool(await connection.fetchval(EXPECT, *of(run), total if is_ours else None))


async def stage(connection: Connection, run: Run, records: Sequence[Record]) -> None:
    """Keep what was missed until the whole gap is read. An order that changes meanwhile is kept once, as it last was."""
    latest = {record.id: record for record in sorted(records, key=lambda record: record.updated_at)}
    given = latest.values()
    await connection.execute(
        STAGE,
        *of(run),
        list(latest),
        [record.updated_at for record in given],
        [record.created_at for record in given],
        [0 if record.is_cancelled else 1 for record in given],
        [record.due_at for record in given],
        [record.document for record in given],
    )


async def is_staged(connection: Connection, run: Run) -> bool:
    """Whether anything waits to be released."""
    return run.kind is flows.Kind.ORDERS and bool(await connection.fetchval(STAGED, *of(run)))


async def release(connection: Connection, run: Run, lease: timedelta) -> Released:
    """Give the next records to whoever reads them, the most urgent first; none if the run is not this worker's any more."""
    if not await connection.fetchval(RENEW, *of(run), run.fence, lease, None):
        return Released(records=0, kept=0)
    row = await connection.fetchrow(RELEASE, *of(run), BATCH)
    await count(connection, run, row["kept"])
    return Released(records=row["released"], kept=row["kept"])


async def count(connection: Connection, run: Run, records: int) -> None:
    """Note in the outage's ledger that so many more were caught up."""
    if run.catching_up and records:
        await connection.execute(COUNT, *of(run), records)


def of(run: Run) -> tuple[str, str, str, str]:
    """The flow a run is about."""
    return (run.tenant_id, run.connection_id, run.shop_id, run.kind.value)
