"""`evergrant tenants erase`: a vendor leaves, and nothing of it stays but ids and the record that says so."""

from base64 import b64encode

from evergrant.actions import erase as action
from evergrant.actions.custody import Erasure, Subject
from evergrant.assembly.house import House
from evergrant.cli import running, tenants


def erase(tenant_id: str, *, yes: bool) -> None:
    """Erase a workspace, and print the record."""
    if not yes:
        running.fail(
            "invalid_request", f"This cannot be undone. If you mean it: evergrant tenants erase {tenant_id} --yes"
        )

    async def all_of_it(parts: House) -> Erasure:
        begun = await action.ask(tenant_id, Subject.TENANT, tenant_id, actor="command line", ports=parts.ports)
        return await action.finish(begun, parts.ports)

    done = tenants.in_house(all_of_it)
    print(done.statement)
    print(f"signature   {b64encode(done.signature or b'').decode()}")
    print(f"public key  {b64encode(done.public_key or b'').decode()}")
