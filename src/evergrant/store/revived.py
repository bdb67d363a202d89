"""What a restore brings back though somebody had ended it since the dump: logins end at once, the rest is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

END_LOGINS = (
    "with ended as (update logins set ended_at = now() where ended_at is null returning 1) select count(*) from ended"
)

KEYS = """
select tenant_id, id, name from api_keys
where revoked_at is null and coalesce(expires_at > now(), true) order by tenant_id, created_at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revived:
    """How many logins were ended; the API keys that work, each with workspace, id and name; apps and their older secrets."""

    logins: int
    keys: Sequence[tuple[str, str, str]]
    apps: int
    older_secrets: int


async def settle(arguments: Mapping[str, Any]) -> Revived:
    """End every login of a database that was just restored, and say what else lives in it."""
    connection = await asyncpg.connect(**arguments, server_settings={"search_path": "evergrant"})
    try:
        async with connection.transaction():
            return Revived(
                logins=await connection.fetchval(END_LOGINS),
                keys=[(row["tenant_id"], row["id"], row["name"]) for row in await connection.fetch(KEYS)],
                apps=await connection.fetchval("select count(*) from apps where secret_sealed <> ''"),
                older_secrets=await connection.fetchval("select count(*) from app_secrets"),
            )
    finally:
        await connection.close()
