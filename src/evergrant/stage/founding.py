"""Makes the tenant of a new stage, straight in the database: there is no API before the first API key."""

from pathlib import Path

import uvloop

from evergrant import settings
from evergrant.assembly import database, provisioning
from evergrant.assembly.house import Arguments, house
from evergrant.core.secret import Secret


def tenant(*, data: Path, sandbox: str, name: str, email: str, password: Secret) -> provisioning.NewTenant:
    """A tenant with its first owner and an API key, in the database of the hub whose data folder is `data`."""
    chosen = settings.read(data_dir=data, sandbox_urls=sandbox)

    async def make(arguments: Arguments) -> provisioning.NewTenant:
        async with house(chosen, arguments) as parts:
            return await provisioning.add_tenant(parts, name=name, email=email, person="", password=password)

    with database.ready(chosen) as arguments:
        return uvloop.run(make(arguments))
