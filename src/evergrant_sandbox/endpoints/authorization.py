"""`/authorization/…`: the shops a token is good for, and the developer's way to give an authorization back (3.4 to 3.6)."""

import msgspec

from evergrant_sandbox import errors, switches
from evergrant_sandbox.acts.ending import NotAliveError
from evergrant_sandbox.book import sellers
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform

SCOPE = "seller.authorization.info"


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
        )

    def _may_give_back(self) -> bool:
        return self._platform.switches.of(switches.DEVELOPER_REVOKE) == "exists"

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
