"""`/authorization/…`: the shops a token is good for, and the developer's way to give an authorization back (3.4 to 3.6)."""

import msgspec

from evergrant_sandbox import errors, switches
from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.book import sellers
from evergrant_sandbox.clock import MINUTE
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint, Holder
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import ids
from evergrant_sandbox.world.tokens import MARK

SCOPE = "seller.authorization.info"
# "Expires in about 5 minutes" (wire sheet 3.6).
WIDGET_TOKEN_LIFE = 5 * MINUTE


class ShopData(msgspec.Struct, frozen=True):
    """One authorized shop."""

    id: str
    name: str
    region: str
    seller_type: str
    cipher: str
    code: str


class ShopsData(msgspec.Struct, frozen=True):
    """All shops a token is good for."""

    shops: list[ShopData]


class WidgetToken(msgspec.Struct, frozen=True):
    """A token for the platform's widgets; nothing here takes it."""

    token: str
    expire_at: int


class WidgetTokenData(msgspec.Struct, frozen=True):
    """The token, one level down."""

    widget_token: WidgetToken


class Authorization:
    """The authorization itself."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return (
            Endpoint(
                method="GET",
                path="/authorization/202309/shops",
                scope=SCOPE,
                cipher=Cipher.UNWANTED,
                answer=self._shops,
            ),
            Endpoint(
                method="DELETE",
                path="/authorization/202403/shops",
                scope=SCOPE,
                cipher=Cipher.REQUIRED,
                answer=self._give_back,
                exists=self._may_give_back,
            ),
            Endpoint(
                method="GET",
                path="/authorization/202405/category_assets",
                scope="partner.authorization.info",
                cipher=Cipher.UNWANTED,
                answer=_no_assets,
                holder=Holder.PARTNER,
            ),
            *(
                Endpoint(
                    method="GET",
                    path=f"/authorization/{version}/widget_token",
                    scope="",
                    cipher=Cipher.OPTIONAL,
                    answer=self._widget_token,
                )
                for version in ("202312", "202401")
            ),
        )

    def _may_give_back(self) -> bool:
        return self._platform.switches.of(switches.DEVELOPER_REVOKE) == "exists"

    def _widget_token(self, admitted: Admitted) -> bytes:
        token = f"{admitted.grant.prefix}_{MARK}{ids.base64url(self._platform.dice, 48)}"
        expire_at = admitted.now + WIDGET_TOKEN_LIFE
        return msgspec.json.encode(WidgetTokenData(widget_token=WidgetToken(token=token, expire_at=expire_at)))

    def _shops(self, admitted: Admitted) -> bytes:
        grant, book = admitted.grant, self._platform.book
        seller = sellers.find(book, grant.seller_id)
        covered = sellers.shops_covered(book, seller_id=grant.seller_id, shop_id=grant.shop_id)
        kind = seller.kind.value if seller else ""
        shops = [
            ShopData(
                id=shop.id, name=shop.name, region=shop.region, seller_type=kind, cipher=shop.cipher, code=shop.code
            )
            for shop in covered
        ]
        return msgspec.json.encode(ShopsData(shops=shops))

    def _give_back(self, admitted: Admitted) -> bytes:
        try:
            self._platform.undertaker.give_back(admitted.grant, now=admitted.now)
        except NotAliveError as error:
            raise RefusalError(errors.DEAUTHORIZED) from error
        self._platform.agenda.wake()
        return b"{}"


def _no_assets(_: Admitted) -> bytes:
    return b'{"category_assets":[]}'
