"""Who may come in: the checks every signed call passes before its endpoint sees it, in the platform's order."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from evergrant_sandbox import errors, signing, switches
from evergrant_sandbox.book import apps, development_shops, pairs, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.book.pairs import AccessToken
from evergrant_sandbox.clock import MINUTE
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint, Holder
from evergrant_sandbox.endpoints.pace import Pace
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.wire import Call
from evergrant_sandbox.world.app import App, fault_of_address
from evergrant_sandbox.world.grant import Grant, State
from evergrant_sandbox.world.seller import Origin, Shop
from evergrant_sandbox.world.tokens import Half, Mint, sha256

# "Valid from 5 minutes before to 30 seconds after the current time." Common parameters, captured 2025-12-03.
OLDEST = 5 * MINUTE
NEWEST = 30
# "50 requests per second per API per app and shop." Rate limits, captured 2025-12-03.
MOST_PER_SECOND = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Checks calls against the book."""

    book: Book
    mint: Mint
    switches: Switches
    pace: Pace = field(default_factory=Pace)

    def admit(self, call: Call, entry: Entry, endpoint: Endpoint, ids: Mapping[str, str], *, now: int) -> Admitted:
        """Let a call in, noting in the log's line what becomes known on the way.

        Raises:
            RefusalError: whichever check fails first.
        """
        app = self._app(call, entry)
        check_timestamp(call.query.get("timestamp"), now=now)
        _check_signature(app, call, now=now)
        self._check_content_type(call, endpoint)
        token = self._token(app, call, entry)
        self._check_life(token, now=now)
        self._check_test_account(token, now=now)
        if endpoint.holder is not Holder.SELLER:
            # Only sellers authorize here, so there is no other token.
            raise RefusalError(errors.WRONG_USER_TYPE)
        scope = endpoint.scope
        if scope and (scope not in token.scopes or scope not in app.scopes):
            raise RefusalError(errors.MISSING_SCOPE)
        shop = self._shop(token.grant, call, endpoint.cipher)
        entry.shop_id = shop.id if shop else ""
        self._check_pace(app, token.grant, shop, endpoint, now=now)
        return Admitted(app=app, grant=token.grant, shop=shop, call=call, now=now, ids=ids)

    def find(self, access_token: str) -> AccessToken | None:
        """The access token behind a value, whatever became of it."""
        seal = self.mint.read(Half.ACCESS, access_token)
        return pairs.access_token(self.book, seal) if seal else None

    def _app(self, call: Call, entry: Entry) -> App:
        entry.app_key = call.query.get("app_key", "")
        app = apps.find(self.book, entry.app_key)
        if app is None or app.is_deactivated:
            raise RefusalError(errors.INVALID_APP_KEY)
        if not may_call_from(app, call.client[0]):
            raise RefusalError(errors.ADDRESS_NOT_ALLOWED)
        return app

    def _check_content_type(self, call: Call, endpoint: Endpoint) -> None:
        if endpoint.takes_files:
            if not call.is_multipart:
                raise RefusalError(errors.NOT_MULTIPART)
        elif call.is_multipart and call.body:
            # Such a body is not signed, so nothing in it may count.
            raise RefusalError(errors.WRONG_CONTENT_TYPE)
        elif self.switches.of(switches.CONTENT_TYPE_HEADER) == "required":
            given = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
            if given != "application/json":
                raise RefusalError(errors.WRONG_CONTENT_TYPE)

    def _check_pace(self, app: App, grant: Grant, shop: Shop | None, endpoint: Endpoint, *, now: int) -> None:
        # The secret stands for the world: after a reset the same app, shop and hour begin anew.
        key = (self.mint.secret, app.key, shop.id if shop else f"grant {grant.id}", endpoint.path)
        if self.switches.of(switches.RATE_LIMIT) != "unlimited":
            self.pace.seconds.count(key, most=MOST_PER_SECOND, now=now)
        hourly = self.switches.of(switches.DEVELOPMENT_SHOP_LIMIT)
        if hourly != "unlimited":
            seller = sellers.find(self.book, grant.seller_id)
            if seller is not None and seller.origin is Origin.TEST:
                most = int(hourly.partition("_")[0])
                self.pace.hours.count((*key[:3], ""), most=most, now=now)

    def _token(self, app: App, call: Call, entry: Entry) -> AccessToken:
        header, query = call.header(b"x-tts-access-token"), call.query.get("access_token")
        value = header or query
        if not value:
            raise RefusalError(errors.MISSING_TOKEN)
        entry.token_sha256 = sha256(value)
        token = self.find(value)
        if token is not None:
            entry.grant_id = token.grant.id
        if token is None or token.grant.app_key != app.key:
            raise RefusalError(errors.INVALID_TOKEN if header else errors.INVALID_QUERY_TOKEN)
        return token

    def _check_life(self, token: AccessToken, *, now: int) -> None:
        if token.grant.state is not State.ACTIVE:
            raise self._deauthorized()
        if token.revoked_at is not None or token.ends_at <= now or token.grant.ends_at <= now:
            raise RefusalError(errors.EXPIRED_TOKEN)

    def _check_test_account(self, token: AccessToken, *, now: int) -> None:
        if not development_shops.has_expired(self.book, token.grant.seller_id, now=now):
            return
        match self.switches.of(switches.EXPIRED_TEST_ACCOUNT):
            case "deauthorized":
                raise self._deauthorized()
            case "expired":
                raise RefusalError(errors.EXPIRED_TOKEN)

    def _deauthorized(self) -> RefusalError:
        by_code = {
            "105001": errors.DEAUTHORIZED,
            "105002": errors.EXPIRED_TOKEN,
            "36009004": errors.INVALID_TOKEN,
            "101000": errors.MISMATCH,
        }
        return RefusalError(by_code[self.switches.of(switches.DEAUTHORIZED_CODE)])

    def _shop(self, grant: Grant, call: Call, cipher: Cipher) -> Shop | None:
        given = call.query.get("shop_cipher")
        if "category_asset_cipher" in call.query:
            raise RefusalError(errors.UNEXPECTED_ASSET_CIPHER)
        if "shop_id" in call.query:
            self._check_legacy_id(grant, call.query["shop_id"])
        if cipher is Cipher.UNWANTED:
            if given is not None:
                raise RefusalError(errors.UNEXPECTED_CIPHER)
            return None
        if not given:
            return None if cipher is Cipher.OPTIONAL else self._only_shop(grant)
        shop = sellers.shop_by_cipher(self.book, given)
        if shop is None or not _covers(grant, shop):
            raise RefusalError(errors.MISMATCH)
        return shop

    def _check_legacy_id(self, grant: Grant, given: str) -> None:
        shop = sellers.shop(self.book, given)
        if shop is None or not _covers(grant, shop):
            raise RefusalError(errors.INVALID_SHOP_ID)

    def _only_shop(self, grant: Grant) -> Shop | None:
        tolerated = self.switches.of(switches.MISSING_SHOP_CIPHER) == "tolerated"
        shop = sellers.shop(self.book, grant.shop_id) if tolerated and grant.shop_id else None
        if shop is None:
            raise RefusalError(errors.MISSING_CIPHER)
        return shop


def check_timestamp(given: str | None, *, now: int) -> None:
    """Ten digits of Unix seconds, at most five minutes old and thirty seconds ahead; milliseconds are far ahead.

    Raises:
        RefusalError: it is missing, no number, or out of the window.
    """
    if not given:
        raise RefusalError(errors.MISSING_TIMESTAMP)
    # The length is looked at first: a number of a thousand digits is not read at all.
    if not given.isascii() or not given.isdigit():
        raise RefusalError(errors.NEGATIVE_TIMESTAMP)
    if len(given) > 12 or int(given) > now + NEWEST:
        raise RefusalError(errors.AHEAD_TIMESTAMP)
    if int(given) < now - OLDEST:
        raise RefusalError(errors.OLD_TIMESTAMP)


def may_call_from(app: App, address: str) -> bool:
    """Whether an app's IP allow list lets an address in; an empty list lets in all."""
    return not app.allowed_addresses or _is_listed(address, app.allowed_addresses)


@lru_cache(maxsize=1024)
def _is_listed(address: str, allowed: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Who listens at both families sees the older one in the newer one's clothes.
    caller = getattr(found, "ipv4_mapped", None) or found
    return any(caller in ipaddress.ip_network(each, strict=False) for each in allowed if not fault_of_address(each))


def _check_signature(app: App, call: Call, *, now: int) -> None:
    given = call.query.get("sign")
    if not given:
        raise RefusalError(errors.MISSING_SIGN)
    body = b"" if call.is_multipart else call.body
    for secret in app.secrets(now):
        wanted = signing.sign_request(secret=secret, path=call.path, query=call.query, body=body)
        if signing.same(wanted, given):
            return
    raise RefusalError(errors.INVALID_SIGN)


def _covers(grant: Grant, shop: Shop) -> bool:
    return shop.seller_id == grant.seller_id and grant.shop_id in {None, shop.id}
