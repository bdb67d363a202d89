"""Puts connections into the hub's database whose pairs are real: a consent by steering, its code exchanged by the dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from evergrant.actions.reading import Merchant
from evergrant.assembly import provisioning
from evergrant.assembly.house import House
from evergrant.core.app import App, Hosts
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation
from evergrant.providers import dialects
from evergrant.providers.wire import Granted
from evergrant.store import keyring, pairs
from evergrant.store.values import digest
from faults.steering import Platform

SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]
DAY = 86_400
GRACE_SECONDS = 30 * DAY
"""How long an app in `retry_safe` gives the same pair again; the reference says "for a limited time"."""
MODES = (Rotation.STABLE, Rotation.RETRY_SAFE, Rotation.STRICT, Rotation.FAMILY)


Shop = Mapping[str, Any]
"""A shop as the sandbox tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The tenant of the trials and its one merchant."""

    tenant_id: str
    api_key: str
    merchant_id: str


async def settled(parts: House) -> Home:
    """A tenant with a merchant."""
    password = Secret("correct horse battery staple")
    made = await provisioning.add_tenant(
        parts, name="Faults", email="faults@evergrant.example", person="", password=password
    )
    merchant_id = parts.ports.dice.identifier("mer")
    await parts.merchants.add(
        Merchant(tenant_id=made.tenant_id, id=merchant_id, external_id="faults", name="Faults", email="", locale="en")
    )
    return Home(tenant_id=made.tenant_id, api_key=made.api_key.reveal(), merchant_id=merchant_id)


async def app(parts: House, home: Home, platform: Platform, mode: Rotation, access_seconds: int) -> App:
    """An app known to both sides, whose refresh tokens rotate in this way."""
    made = App(
        tenant_id=home.tenant_id,
        id=parts.ports.dice.identifier("app"),
        provider="tiktok-shop",
        region="ROW",
        name=mode.value,
        key=f"6faults{mode.value.replace('_', '')}",
        secret=Secret("faults_secret_4f2a9c77"),
        service_id=f"70000000000000000{50 + MODES.index(mode)}",
        hosts=Hosts(authorize=platform.url, auth=platform.url, api=platform.url),
        required_scopes=frozenset(SCOPES),
        rotation=mode,
        clock=platform.url,
    )
    await parts.apps.add(made, actor="faults")
    given = {
        "key": made.key,
        "secret": made.secret.reveal(),
        "service_id": made.service_id,
        "name": f"App {mode.value}",
        "redirect_urls": ["http://localhost:8080/callback"],
        "webhook_url": "",
        "scopes": SCOPES,
        "visibility": "public",
        "status": "published",
        "access_token_seconds": access_seconds,
    }
    await platform.post("/apps", given)
    grace = {"grace_seconds": GRACE_SECONDS} if mode is Rotation.RETRY_SAFE else {}
    await platform.post(f"/apps/{made.key}/rotation", {"mode": mode.value} | grace)
    return made


async def consented(parts: House, platform: Platform, of: App, number: int) -> tuple[Shop, str, Granted]:
    """A new seller's yes; gives shop, grant and the first pair."""
    email = f"seller{number}@faults.example"
    shops = [{"name": f"Shop {number}", "region": "GB", "orders": 0, "products": 0}]
    seller = {"name": f"Seller {number}", "email": email, "password": "sandbox", "region": "GB", "shops": shops}
    shop = (await platform.post("/sellers", seller))["shops"][0]
    made = await platform.post("/authorize", {"app": of.key, "seller": email, "period": "365d"})
    dialect = dialects.named(of.provider)
    reply = await parts.ports.platform.send(dialect.exchange_request(of, Secret(made["code"])), once=True)
    answer = dialect.read_tokens(reply, await parts.ports.clock.now(of.clock))
    if not isinstance(answer, Granted):
        raise TypeError(f"The sandbox did not exchange a code: {answer}")
    return shop, str(made["grant_id"]), answer


async def adopt(parts: House, home: Home, of: App, found: Sequence[tuple[str, Shop, Granted]], now: datetime) -> None:
    """Active connections with these ids, shops and pairs, each sealed under a key of its own; due in a year."""
    vault = await keyring.open_vault(parts.database, parts.settings.data_dir / "keys")
    async with parts.database.transaction() as connection:
        for connection_id, shop, granted in found:
            key, wrapped = vault.new_data_key(tenant_id=home.tenant_id, owner_id=connection_id)
            pair = pairs.sealed(key, granted.pair, 1)
            whose = {"tenant_id": home.tenant_id}
            mine = whose | {"connection_id": connection_id}
            await _insert(connection, "connections", whose | {"id": connection_id} | _row(home, of, granted, now))
            await _insert(connection, "shops", mine | _shop(shop))
            held = {"hash": digest(f"{of.id}|{shop['id']}"), "connection_id": connection_id}
            await _insert(connection, "shop_holders", whose | held)
            sealed = {"owner_id": connection_id, "key_number": wrapped.number, "wrapped": wrapped.wrapped}
            await _insert(connection, "data_keys", whose | sealed)
            await _insert(connection, "tokens", mine | _tokens(of, pair, now))


async def _insert(connection: Any, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", *row.values())  # noqa: S608


def _row(home: Home, of: App, granted: Granted, now: datetime) -> dict[str, Any]:
    return {
        "merchant_id": home.merchant_id,
        "app_id": of.id,
        "provider": of.provider,
        "region": of.region,
        "open_id": granted.open_id,
        "seller_name": granted.seller_name,
        "clock": of.clock,
        "state": "active",
        "authorized_at": now,
        "authorization_ends": granted.pair.refresh_ends,
        "scopes": sorted(granted.scopes),
    }


def _shop(shop: Shop) -> dict[str, Any]:
    return {
        "shop_id": shop["id"],
        "name": shop["name"],
        "region": "GB",
        "cipher": shop["cipher"],
        "seller_type": "",
        "code": "",
        "authorized": True,
    }


def _tokens(of: App, pair: pairs.SealedPair, now: datetime) -> dict[str, Any]:
    return {
        "app_id": of.id,
        "clock": of.clock,
        "version": pair.version,
        "access_sealed": pair.access,
        "access_ends": pair.access_ends,
        "refresh_sealed": pair.refresh,
        "refresh_hash": pair.refresh_hash,
        "refresh_ends": pair.refresh_ends,
        "issued_at": now,
        "due_at": now + timedelta(days=300),
    }
