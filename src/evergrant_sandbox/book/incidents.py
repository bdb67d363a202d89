"""Incidents, read from the log: notices that were given up, and calls that were refused for their token."""

from evergrant_sandbox import errors
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.world.incidents import Incident, Reason

# Each follows one index of the log, which names its conditions word for word.
_MISSED = (
    "SELECT l.grant_id, max(l.at), count(*) FROM log l INDEXED BY log_of_missed_notices JOIN grants g ON g.id = l.grant_id"
    " WHERE g.seller_id = ? AND l.kind = 'notice' AND l.attempt > 4 AND l.answer NOT IN ('200', ?) GROUP BY l.grant_id"
)
_REFUSED = (
    "SELECT l.grant_id, l.code, max(l.at), count(*) FROM log l INDEXED BY log_of_refused_calls JOIN grants g ON g.id = l.grant_id"
    " WHERE g.seller_id = ? AND l.kind = 'api' AND l.code BETWEEN 105001 AND 105005 GROUP BY l.grant_id, l.code"
)


def missed_notices(book: Book, seller_id: str, *, also_accepted: str) -> list[Incident]:
    """What the apps of a seller were told five times and did not take."""
    rows = book.all(_MISSED, seller_id, also_accepted)
    return [Incident(reason=Reason.MISSED_NOTICE, grant_id=grant, at=at, count=count) for grant, at, count in rows]


def refused_calls(book: Book, seller_id: str) -> list[Incident]:
    """What the apps of a seller asked for with a token that was over, or too narrow."""
    return [
        Incident(
            reason=Reason.NOT_PERMITTED if code == errors.MISSING_SCOPE.number else Reason.CALLED_AFTER_END,
            grant_id=grant,
            at=at,
            count=count,
        )
        for grant, code, at, count in book.all(_REFUSED, seller_id)
    ]
