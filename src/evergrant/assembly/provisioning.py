"""Tenants and API keys that are made by command: there is no API before the first key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from evergrant.actions.reading import KEY_PREFIX, KEY_SCOPES, Person
from evergrant.assembly.house import House
from evergrant.core.app import WALL
from evergrant.core.secret import Secret
from evergrant.store.keys import Rotated


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


async def add_key(parts: House, tenant_id: str, *, name: str, scopes: Sequence[str], days: int | None = None) -> Secret:
    """Make an API key and give it, once. With `days` it ends after so many.

    Raises:
        NotFoundError: there is no such tenant.
    """
    key, key_id = _new_key(parts)
    ends = await parts.ports.clock.now(WALL) + timedelta(days=days) if days else None
    await parts.keys.add(tenant_id, key_id, key, name=name, scopes=scopes, expires_at=ends)
    return key


async def rotate_key(
    parts: House, tenant_id: str, key_id: str, *, overlap: timedelta, days: int | None = None
) -> tuple[Secret, Rotated]:
    """Make an API key in the place of another; gives it, once, and when both end. Without `days` it lives as long as that.

    Raises:
        NotFoundError: there is no such key.
        ConflictError: it works no more.
    """
    key, new_id = _new_key(parts)
    life = timedelta(days=days) if days else None
    return key, await parts.keys.rotate(tenant_id, key_id, new_id, key, overlap=overlap, life=life)


def _new_key(parts: House) -> tuple[Secret, str]:
    dice = parts.ports.dice
    return Secret(f"{KEY_PREFIX}{dice.secret().reveal()}"), dice.identifier("key")
