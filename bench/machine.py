"""The machine the figures come from, and how durable its database is while they are taken."""

import os
import platform
import sys
from pathlib import Path

import asyncpg

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers")


async def facts(dsn: str) -> dict[str, str]:
    """What somebody who compares figures has to know. The durability is what the server itself says."""
    connection = await asyncpg.connect(dsn)
    try:
        database = {name: await connection.fetchval(f"show {name}") for name in ("server_version", *DURABILITY)}
    finally:
        await connection.close()
    version = database.pop("server_version")
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": f"{version} (embedded)",
        "durability": ", ".join(f"{name} {value}" for name, value in database.items()),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
