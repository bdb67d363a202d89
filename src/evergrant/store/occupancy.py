"""Who uses a database, and which server it is: asked before a dump or a restore."""

from collections.abc import Mapping
from typing import Any

import asyncpg

USERS = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = 'evergrant' and pid <> pg_backend_pid()
"""


async def server_major(arguments: Mapping[str, Any]) -> int:
    """The major version of the server."""
    connection = await asyncpg.connect(**arguments)
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()


async def users(arguments: Mapping[str, Any]) -> int:
    """How many connections the hub's programs keep to it."""
    connection = await asyncpg.connect(**arguments)
    try:
        return int(await connection.fetchval(USERS))
    finally:
        await connection.close()
