"""Many token pairs in little time: made by the database itself, real in everything but their seals, which nobody opens.

The taking of due rows reads pairs, keys and attempts, and nothing else of a connection: so the crowd has no more than that.
"""

import asyncpg

from bench.filling import Home
from bench.ground import Told

AT_ONCE = 250_000

TOKENS = """
insert into tokens (tenant_id, connection_id, app_id, clock, version, access_sealed, access_ends, refresh_sealed,
    refresh_hash, refresh_ends, issued_at, due_at)
select $1, 'con_' || lpad(to_hex(n), 32, '0'), $2, 'wall', 1, decode(repeat(md5(n::text), 6), 'hex'),
    now() + interval '7 days', decode(repeat(md5(n::text), 5), 'hex'), sha256(n::text::bytea),
    now() + interval '365 days', now(), now() + interval '1 hour' + interval '80 hours' * random()
from generate_series($3::bigint, $4::bigint) n
"""
DATA_KEYS = """
insert into data_keys (tenant_id, owner_id, key_number, wrapped)
select $1, 'con_' || lpad(to_hex(n), 32, '0'), 1, decode(repeat(md5(n::text), 4), 'hex')
from generate_series($2::bigint, $3::bigint) n
"""
PRESENTATIONS = """
insert into presentations (tenant_id, connection_id, fence, refresh_hash, probe, outcome, ended_at)
select $1, 'con_' || lpad(to_hex(n), 32, '0'), 1, sha256(n::text::bytea), false, 'ok', now()
from generate_series($2::bigint, $3::bigint) n
"""

REFERENCES = """
select conrelid::regclass::text as of, conname as name
from pg_constraint where contype = 'f' and connamespace = 'evergrant'::regnamespace
  and conrelid::regclass::text in ('tokens', 'data_keys', 'presentations')
"""
DUE_INDEX = "select indexdef from pg_indexes where indexname = 'tokens_due_of_app' and schemaname = 'evergrant'"


async def gather(dsn: str, home: Home, count: int, told: Told) -> None:
    """Pairs 0 to `count`, each falling due later and with a refresh behind it.

    The index of what falls due is made when they are there, which takes a fraction of the time of making it row by row;
    references are dropped, since there is nothing they could refer to.
    """
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "evergrant"})
    try:
        references = await connection.fetch(REFERENCES)
        for each in references:
            await connection.execute(f"alter table {each['of']} drop constraint {each['name']}")
        index = await connection.fetchval(DUE_INDEX)
        await connection.execute("drop index tokens_due_of_app")
        for begin in range(0, count, AT_ONCE):
            some = (begin, min(begin + AT_ONCE, count) - 1)
            async with connection.transaction():
                await connection.execute(TOKENS, home.tenant_id, home.app.id, *some)
                await connection.execute(DATA_KEYS, home.tenant_id, *some)
                await connection.execute(PRESENTATIONS, home.tenant_id, *some)
            told(f"crowd: {some[1] + 1:,} of {count:,}")
        await connection.execute(index)
        told("crowd: index made")
    finally:
        await connection.close()


async def settle_down(dsn: str, told: Told) -> None:
    """Do now what the database would do by itself at some moment: count, and tidy up."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()
    told("crowd: vacuumed and analyzed")
