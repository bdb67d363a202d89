"""The token host: codes become pairs, pairs are refreshed. GET only, the secret in the query, HTTP 200 for errors too."""

import msgspec
from msgspec import UNSET, UnsetType

from evergrant_sandbox import errors, signing, switches
from evergrant_sandbox.acts.tokens import Issuer, Pair
from evergrant_sandbox.book import apps, codes, sellers
from evergrant_sandbox.book.log import Entry
from evergrant_sandbox.endpoints import envelope
from evergrant_sandbox.endpoints.admission import may_call_from
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.faults import Subject
from evergrant_sandbox.wire import Answer, Call
from evergrant_sandbox.world.app import App, Stage
from evergrant_sandbox.world.ids import Dice
from evergrant_sandbox.world.seller import Kind
from evergrant_sandbox.world.tokens import sha256

GET_PATH = "/api/v2/token/get"
REFRESH_PATH = "/api/v2/token/refresh"

# What the query must hold: the parameter with the token, and the exact grant type.
_ASKS = {GET_PATH: ("auth_code", "authorized_code"), REFRESH_PATH: ("refresh_token", "refresh_token")}

# POST with JSON answers exactly this; live observation of the real host (juli_backend 896, 1187).
NOT_FOUND = Answer(404, b"404 page not found", b"text/plain; charset=utf-8")

_SELLER = 0


class TokenData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of both answers. Both `expire_in` are absolute Unix seconds, in spite of their name."""

    access_token: str
    access_token_expire_in: int
    refresh_token: str
    refresh_token_expire_in: int
    open_id: str
    seller_name: str
    seller_base_region: str
    user_type: int
    granted_scopes: tuple[str, ...] | UnsetType


class TokenHost:
    """auth.tiktok-shops.com."""

    kind = "token"

    def __init__(self, *, issuer: Issuer, dice: Dice) -> None:
        self._issuer = issuer
        self._book = issuer.book
        self._switches = issuer.switches
        self._dice = dice

    def subject(self, call: Call) -> Subject:
        """What the call is about: the app it names and the grant behind its code or token."""
        return Subject(
            kind=self.kind, path=call.path, app=call.query.get("app_key", ""), grant=self._grant_behind(call)
        )

    def answer(self, call: Call, entry: Entry, *, now: int) -> Answer:
        """A pair, or a refusal with HTTP 200."""
        asked = _ASKS.get(call.path)
        if call.method != "GET" or asked is None:
            return NOT_FOUND
        parameter, grant_type = asked
        number = envelope.request_id(self._dice, now)
        entry.app_key = call.query.get("app_key", "")
        try:
            token = self._token(call, parameter)
            entry.token_sha256 = sha256(token)
            app = self._app(call, grant_type)
            give = self._issuer.exchange if parameter == "auth_code" else self._issuer.refresh
            pair = give(app, token, now=now)
        except RefusalError as refusal:
            entry.grant_id = self._grant_behind(call)
            entry.code, entry.message = refusal.code.number, refusal.message
            with_null = self._switches.of(switches.TOKEN_ERROR_DATA) == "null"
            write = envelope.refusal if with_null else envelope.refusal_without_data
            return Answer(200, write(refusal.code.number, refusal.message, number))
        entry.code, entry.grant_id = 0, pair.grant.id
        entry.gave_access_sha256 = sha256(pair.access_token)
        entry.gave_refresh_sha256 = sha256(pair.refresh_token)
        return Answer(200, envelope.success(b"success", self._data(pair), number))

    def broken(self, now: int) -> Answer:
        """The envelope of an internal error."""
        code = errors.INTERNAL_ERROR
        number = envelope.request_id(self._dice, now)
        return Answer(500, envelope.refusal_without_data(code.number, code.message, number))

    def _token(self, call: Call, parameter: str) -> str:
        for name in ("app_key", "app_secret", parameter, "grant_type"):
            if not call.query.get(name):
                raise RefusalError(errors.TOKEN_MISSING, name=name)
        return call.query[parameter]

    def _app(self, call: Call, grant_type: str) -> App:
        app = apps.find(self._book, call.query["app_key"])
        if app is None or app.stage is Stage.DEACTIVATED:
            raise RefusalError(errors.TOKEN_APP_KEY)
        if not may_call_from(app, call.client[0]):
            raise RefusalError(errors.TOKEN_ADDRESS)
        if not signing.same(app.secret, call.query["app_secret"]):
            raise RefusalError(errors.TOKEN_APP_SECRET)
        if call.query["grant_type"] != grant_type:
            raise RefusalError(errors.TOKEN_GRANT_TYPE, wanted=grant_type)
        return app

    def _grant_behind(self, call: Call) -> int | None:
        if call.path == GET_PATH:
            return codes.grant_of(self._book, sha256(call.query.get("auth_code", "")))
        token = self._issuer.find(call.query.get("refresh_token", ""))
        return token.grant.id if token else None

    def _data(self, pair: Pair) -> bytes:
        seller = sellers.find(self._book, pair.grant.seller_id)
        cross_border = seller is not None and seller.kind is Kind.CROSS_BORDER
        listed = self._switches.of(switches.GRANTED_SCOPES) == "listed"
        return msgspec.json.encode(
            TokenData(
                access_token=pair.access_token,
                access_token_expire_in=pair.access_ends_at,
                refresh_token=pair.refresh_token,
                refresh_token_expire_in=pair.refresh_ends_at,
                open_id=pair.grant.open_id,
                seller_name=seller.name if seller else "",
                seller_base_region=seller.region if seller else "",
                user_type=int(self._switches.of(switches.CROSS_BORDER_USER_TYPE)) if cross_border else _SELLER,
                granted_scopes=pair.grant.scopes if listed else UNSET,
            )
        )
