"""Who may come in: the checks every signed call passes before its endpoint sees it, in the platform's order."""

from collections.abc import Mapping
from dataclasses import dataclass

from evergrant_sandbox import errors, signing, switches
from evergrant_sandbox.book import apps, development_shops, pairs, sellers
from evergrant_sandbox.book.database import Book
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.book.pairs import AccessToken
from evergrant_sandbox.clock import MINUTE
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.switches import Switches
from evergrant_sandbox.wire import Call
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import Grant, State
from evergrant_sandbox.world.seller import Shop
from evergrant_sandbox.world.tokens import Half, Mint, sha256

# "Valid from 5 minutes before to 30 seconds after the current time." Common parameters, captured 2025-12-03.
OLDEST = 5 * MINUTE
NEWEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Checks calls against the book."""

    book: Book
    mint: Mint
    switches: Switches

    def admit(self, call: Call, entry: Entry, endpoint: Endpoint, ids: Mapping[str, str], *, now: int) -> Admitted:
        """Let a call in, noting in the log's line what becomes known on the way.

        Raises:
            RefusalError: whichever check fails first.
        """
        app = self._app(call, entry)
        check_timestamp(call.query.get("timestamp"), now=now)
        _check_signature(app, call, now=now)
        token = self._token(app, call, entry)
        self._check_life(token, now=now)
        self._check_test_account(token, now=now)
        scope = endpoint.scope
        if scope not in token.scopes or scope not in app.scopes:
            raise RefusalError(errors.MISSING_SCOPE)
        shop = self._shop(token.grant, call, endpoint.cipher)
        entry.shop_id = shop.id if shop else ""
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
        return app

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
        if cipher is Cipher.UNWANTED:
            if given is not None:
                raise RefusalError(errors.UNEXPECTED_CIPHER)
            return None
        if not given:
            return self._only_shop(grant)
        shop = sellers.shop_by_cipher(self.book, given)
        if shop is None or not _covers(grant, shop):
            raise RefusalError(errors.MISMATCH)
        return shop

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


def _check_signature(app: App, call: Call, *, now: int) -> None:
    given = call.query.get("sign")
    if not given:
        raise RefusalError(errors.MISSING_SIGN)
    multipart = (call.header(b"content-type") or "").startswith("multipart/form-data")
    body = b"" if multipart else call.body
    for secret in app.secrets(now):
        wanted = signing.sign_request(secret=secret, path=call.path, query=call.query, body=body)
        if signing.same(wanted, given):
            return
    raise RefusalError(errors.INVALID_SIGN)


def _covers(grant: Grant, shop: Shop) -> bool:
    return shop.seller_id == grant.seller_id and grant.shop_id in {None, shop.id}
