"""Tenants and API keys that are made by command: there is no API before the first key."""

from collections.abc import Sequence
from dataclasses import dataclass

from evergrant.actions.reading import KEY_PREFIX, KEY_SCOPES, Person
from evergrant.assembly.house import House
from evergrant.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """A tenant as it was made; the secrets are shown once."""

    tenant_id: str
    person_id: str
    api_key: Secret


async def add_tenant(parts: House, *, name: str, email: str, person: str, password: Secret) -> NewTenant:
    """Make a tenant with its first owner and an API key that may do everything.

    Raises:
        ConflictError: somebody has this e-mail address.
    """
    dice = parts.ports.dice
    tenant_id, person_id = dice.identifier("ten"), dice.identifier("per")
    owner = Person(tenant_id=tenant_id, tenant_name=name, id=person_id, email=email, name=person, role="owner")
    await parts.people.found(owner, password)
    key = await add_key(parts, tenant_id, name="first key", scopes=KEY_SCOPES)
    return NewTenant(tenant_id=tenant_id, person_id=person_id, api_key=key)


async def add_key(parts: House, tenant_id: str, *, name: str, scopes: Sequence[str]) -> Secret:
    """Make an API key and give it, once.

    Raises:
        NotFoundError: there is no such tenant.
    """
    key = Secret(f"{KEY_PREFIX}{parts.ports.dice.secret().reveal()}")
    await parts.keys.add(tenant_id, parts.ports.dice.identifier("key"), key, name=name, scopes=scopes)
    return key
