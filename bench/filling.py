"""Fills a database with what the figures need: a tenant, its app, and many connections with pairs that really open."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.asks import connection_id
from bench.ground import Told
from evergrant.actions.reading import Merchant
from evergrant.assembly import provisioning
from evergrant.assembly.house import House
from evergrant.core.app import WALL, App, Hosts
from evergrant.core.secret import Secret
from evergrant.core.tokens import Rotation, TokenPair
from evergrant.store import keyring, pairs

KEY, SECRET = "6bench0key01", "bench_secret_4f2a9c77"
SCOPES = ["seller.authorization.info", "seller.order.info", "seller.product.basic", "seller.product.write"]
AT_ONCE = 10_000
SOME_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The tenant of the bench."""

    tenant_id: str
    api_key: str
    app: App
    merchant_id: str


async def settle(parts: House, platform: str) -> Home:
    """A tenant with an app whose hosts are `platform`, and a merchant."""
    made = await provisioning.add_tenant(
        parts, name="Bench", email="bench@evergrant.example", person="", password=Secret("correct horse battery staple")
    )
    dice = parts.ports.dice
    app = App(
        tenant_id=made.tenant_id,
        id=dice.identifier("app"),
        provider="tiktok-shop",
        region="ROW",
        name="Bench",
        key=KEY,
        secret=Secret(SECRET),
        service_id="7000000000000000042",
        hosts=Hosts(authorize=platform, auth=platform, api=platform),
        required_scopes=frozenset(SCOPES),
        rotation=Rotation.STRICT,
        clock=WALL,
    )
    await parts.apps.add(app, actor="bench")
    merchant = Merchant(
        tenant_id=made.tenant_id,
        id=dice.identifier("mer"),
        external_id="bench",
        name="Bench",
        email="",
        locale="en",
    )
    await parts.merchants.add(merchant)
    return Home(tenant_id=made.tenant_id, api_key=made.api_key.reveal(), app=app, merchant_id=merchant.id)


async def connections(
    parts: House, home: Home, numbers: range, *, due_at: datetime | None, now: datetime, told: Told
) -> None:
    """Active connections, each with a shop, a data key of its own and a sealed pair that is due at `due_at`, or later."""
    now = now.replace(microsecond=0)  # the platform counts in whole seconds
    vault = await keyring.open_vault(parts.database, parts.settings.data_dir / "keys")
    later = due_at or now + timedelta(days=3)
    for begin in range(numbers.start, numbers.stop, AT_ONCE):
        some = range(begin, min(begin + AT_ONCE, numbers.stop))
        tokens, keys = [], []
        for number in some:
            key, wrapped = vault.new_data_key(tenant_id=home.tenant_id, owner_id=connection_id(number))
            pair = pairs.sealed(key, _pair(number, now), 1)
            keys.append((home.tenant_id, connection_id(number), wrapped.number, wrapped.wrapped))
            tokens.append(_token_row(home, number, pair, later, now))
        await _copy(parts, "connections", CONNECTION_COLUMNS, (_row(home, number, now) for number in some))
        await _copy(parts, "shops", SHOP_COLUMNS, (_shop_row(home, number) for number in some))
        await _copy(parts, "data_keys", ("tenant_id", "owner_id", "key_number", "wrapped"), iter(keys))
        await _copy(parts, "tokens", TOKEN_COLUMNS, iter(tokens))
        told(f"connections: {some.stop - numbers.start:,} of {len(numbers):,}")
    async with parts.database.connection() as connection:
        await connection.execute("analyze", timeout=SOME_SECONDS)


CONNECTION_COLUMNS = (
    "tenant_id",
    "id",
    "merchant_id",
    "app_id",
    "provider",
    "region",
    "open_id",
    "seller_name",
    "clock",
    "state",
    "authorized_at",
    "authorization_ends",
    "scopes",
)
SHOP_COLUMNS = (
    "tenant_id",
    "connection_id",
    "shop_id",
    "name",
    "region",
    "cipher",
    "seller_type",
    "code",
    "authorized",
)
TOKEN_COLUMNS = (
    "tenant_id",
    "connection_id",
    "app_id",
    "clock",
    "version",
    "access_sealed",
    "access_ends",
    "refresh_sealed",
    "refresh_hash",
    "refresh_ends",
    "issued_at",
    "due_at",
)


async def _copy(parts: House, table: str, columns: tuple[str, ...], records: Iterator[tuple[Any, ...]]) -> None:
    async with parts.database.connection() as connection:
        await connection.copy_records_to_table(table, records=records, columns=columns, timeout=SOME_SECONDS)


def refresh_token(number: int, ends: datetime) -> Secret:
    """A refresh token as long as the platform's. It names identity and end to the bench's platform, which keeps nothing."""
    return Secret(f"TTP_open{number}.{int(ends.timestamp())}.{number:040d}")


def _pair(number: int, now: datetime) -> TokenPair:
    ends = now + timedelta(days=365)
    return TokenPair(
        access=Secret(f"TTP_access.{number:060d}"),
        access_ends=now + timedelta(days=7),
        refresh=refresh_token(number, ends),
        refresh_ends=ends,
    )


def _row(home: Home, number: int, now: datetime) -> tuple[Any, ...]:
    ends = now + timedelta(days=365)
    who = (home.tenant_id, connection_id(number), home.merchant_id, home.app.id, home.app.provider, home.app.region)
    return (*who, f"open{number}", f"Seller {number}", home.app.clock, "active", now, ends, SCOPES)


def _shop_row(home: Home, number: int) -> tuple[Any, ...]:
    cipher = f"GCP_{number:060x}"
    return (home.tenant_id, connection_id(number), f"749{number:016d}", f"Shop {number}", "GB", cipher, "", "", True)


def _token_row(home: Home, number: int, pair: pairs.SealedPair, due_at: datetime, now: datetime) -> tuple[Any, ...]:
    return (
        home.tenant_id,
        connection_id(number),
        home.app.id,
        home.app.clock,
        pair.version,
        pair.access,
        pair.access_ends,
        pair.refresh,
        pair.refresh_hash,
        pair.refresh_ends,
        now,
        due_at,
    )
