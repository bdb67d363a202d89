"""Many connections in little time: made by the database itself, real in everything but their seals, which nobody opens."""

import asyncpg

from bench.filling import SCOPES, Home
from bench.ground import Told

AT_ONCE = 100_000

# $1 tenant, $2 merchant, $3 app, $4 and $5 the first and the last number, $6 scopes
CONNECTIONS = """
insert into connections (tenant_id, id, merchant_id, app_id, provider, region, open_id, seller_name, clock, state,
    authorized_at, authorization_ends, scopes)
select $1, 'con_' || lpad(to_hex(n), 32, '0'), $2, $3, 'tiktok-shop', 'ROW', 'open' || n, 'Seller ' || n, 'wall', 'active',
    now(), now() + interval '1 day' * (1 + n % 364), $6
from generate_series($4::bigint, $5::bigint) n
"""
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
select conrelid::regclass::text as of, conname as name, pg_get_constraintdef(oid) as definition
from pg_constraint where contype = 'f' and connamespace = 'evergrant'::regnamespace
"""


async def gather(dsn: str, home: Home, count: int, told: Told) -> None:
    """Connections 0 to `count`, each with a pair that falls due later and a refresh behind it.

    References are checked once for all at the end, which takes a fraction of the time of checking row by row.
    """
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "evergrant"})
    try:
        references = await connection.fetch(REFERENCES)
        for each in references:
            await connection.execute(f"alter table {each['of']} drop constraint {each['name']}")
        for begin in range(0, count, AT_ONCE):
            some = (begin, min(begin + AT_ONCE, count) - 1)
            async with connection.transaction():
                whose = (home.tenant_id, home.merchant_id, home.app.id)
                await connection.execute(CONNECTIONS, *whose, *some, SCOPES)
                await connection.execute(TOKENS, home.tenant_id, home.app.id, *some)
                await connection.execute(DATA_KEYS, home.tenant_id, *some)
                await connection.execute(PRESENTATIONS, home.tenant_id, *some)
            told(f"crowd: {some[1] + 1:,} of {count:,}")
        for each in references:
            await connection.execute(f"alter table {each['of']} add constraint {each['name']} {each['definition']}")
        told("crowd: references checked")
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
