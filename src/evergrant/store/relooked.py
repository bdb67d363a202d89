"""What a poll that looked means for exceptions: rows nobody can read open some, records that came end some."""

from datetime import datetime

from evergrant.actions.exceptions import Failed
from evergrant.actions.polls import Brought, Run
from evergrant.store import failing, replays
from evergrant.store.database import Connection

UNREADABLE = (
    "TikTok sent this record in a form nobody can read. The others were kept. Look at it in Seller Center; it is taken in"
    " by itself once it is readable."
)

# What failed has to come anew. What was only heard of, while its flow was shut, may have been known already: a whole poll
# has brought everything up to its cursor, and nothing newer of it came.
CAME = """
select e.entity from exceptions e join records r on r.tenant_id = e.tenant_id and r.connection_id = e.connection_id
  and r.shop_id = e.shop_id and r.kind = e.kind and r.record_id = e.entity
where e.tenant_id = $1 and e.connection_id = $2 and e.shop_id = $3 and e.kind = $4 and e.state = 'open'
  and (r.kept_at >= e.last_at or (e.cause = any($5) and e.since <= $6))
"""


async def note(connection: Connection, run: Run, brought: Brought, at: datetime) -> None:
    """Open and end exceptions after a whole poll, in its transaction. `at` is platform time."""
    flow = (run.tenant_id, run.connection_id, run.shop_id, run.kind)
    failed = [
        Failed(
            tenant_id=run.tenant_id,
            connection_id=run.connection_id,
            shop_id=run.shop_id,
            kind=run.kind,
            entity=record_id,
            cause=failing.UNREADABLE,
            message=UNREADABLE,
            since=brought.since,
        )
        for record_id in dict.fromkeys(brought.unreadable)
        if record_id
    ]
    await failing.open_all(connection, failed, at)
    came = [row["entity"] for row in await connection.fetch(CAME, *flow, failing.HELD, brought.cursor)]
    await failing.settle(connection, flow, came, None, at)
    if brought.since is not None:
        await connection.execute(replays.NOT_BROUGHT, *flow, brought.since)
