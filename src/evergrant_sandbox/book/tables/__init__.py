"""The tables, version by version: a new book runs all of it, an older one what it lacks.

Instants are Unix seconds of platform time unless named wall. What a version has added is never changed, only added to.
"""

from evergrant_sandbox.book.tables import apps, first, log, notices, partner_center, seller_center, wire

# One entry per version, each a list of statements by theme.
VERSIONS: tuple[tuple[str, ...], ...] = (
    (first.STATEMENTS,),
    (
        apps.STATEMENTS,
        partner_center.STATEMENTS,
        seller_center.STATEMENTS,
        notices.STATEMENTS,
        wire.STATEMENTS,
        log.STATEMENTS,
    ),
)
