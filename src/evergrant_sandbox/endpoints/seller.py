"""`/seller/…`: what the platform knows of a seller, beyond what was authorized (wire sheet 3.6)."""

import msgspec

from evergrant_sandbox.book import sellers, standings
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.seller import Kind, Standing

SCOPE = "seller.shop.info"


class ActiveShop(msgspec.Struct, frozen=True):
    """One shop, in short."""

    id: str
    region: str


class ActiveShopsData(msgspec.Struct, frozen=True):
    """All active shops of the seller, authorized or not."""

    shops: list[ActiveShop]


class PermissionsData(msgspec.Struct, frozen=True):
    """What a cross-border seller may do across borders; empty for others."""

    permissions: list[str]


class ShopStatus(msgspec.Struct, frozen=True):
    """How one shop stands."""

    shop_id: str
    shop_status: str


class SellerStatus(msgspec.Struct, frozen=True):
    """How the seller stands. What the last two may say is not in any source; they are made up."""

    seller_status: str
    shop_statuses: list[ShopStatus]
    tax_form_status: str = "2"
    partner_channel: str = ""


class SellerStatusData(msgspec.Struct, frozen=True):
    """The status, one level down."""

    seller_status_data: SellerStatus


class SellerInformation:
    """The seller behind a token."""

    def __init__(self, platform: Platform) -> None:
        self._book = platform.book

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return (
            Endpoint(
                method="GET",
                path="/seller/202309/shops",
                scope=SCOPE,
                cipher=Cipher.UNWANTED,
                answer=self._shops,
            ),
            Endpoint(
                method="GET",
                path="/seller/202309/permissions",
                scope=SCOPE,
                cipher=Cipher.UNWANTED,
                answer=self._permissions,
            ),
            Endpoint(
                method="GET",
                path="/seller/202508/status",
                scope="",
                cipher=Cipher.OPTIONAL,
                answer=self._status,
            ),
        )

    def _shops(self, admitted: Admitted) -> bytes:
        number = admitted.grant.seller_id
        active = standings.of(self._book, number) is Standing.ACTIVE
        shops = sellers.shops_of(self._book, number) if active else []
        return msgspec.json.encode(
            ActiveShopsData(shops=[ActiveShop(id=shop.id, region=shop.region) for shop in shops])
        )

    def _permissions(self, admitted: Admitted) -> bytes:
        seller = sellers.find(self._book, admitted.grant.seller_id)
        cross_border = seller is not None and seller.kind is Kind.CROSS_BORDER
        return msgspec.json.encode(PermissionsData(permissions=["MANAGE_GLOBAL_PRODUCT"] if cross_border else []))

    def _status(self, admitted: Admitted) -> bytes:
        number = admitted.grant.seller_id
        standing = standings.of(self._book, number).number
        shops = [ShopStatus(shop_id=shop.id, shop_status=standing) for shop in sellers.shops_of(self._book, number)]
        status = SellerStatus(seller_status=standing, shop_statuses=shops)
        return msgspec.json.encode(SellerStatusData(seller_status_data=status))
