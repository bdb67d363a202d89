"""`/product/…/products/search`: the products of a shop (wire sheet 6.2)."""

from enum import StrEnum

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.book import goods
from evergrant_sandbox.book.goods import ProductSearch
from evergrant_sandbox.endpoints import reading
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.endpoints.paging import Pager
from evergrant_sandbox.endpoints.reading import Seconds
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform

SCOPE = "seller.product.basic"

# "At most 10,000 results", products search (202502).
MOST_PRODUCTS = 10_000
MOST_FILTERS = 10


class ProductFilter(StrEnum):
    """The statuses a product search may ask for."""

    ALL = "ALL"
    DRAFT = "DRAFT"
    PENDING = "PENDING"
    FAILED = "FAILED"
    ACTIVATE = "ACTIVATE"
    SELLER_DEACTIVATED = "SELLER_DEACTIVATED"
    PLATFORM_DEACTIVATED = "PLATFORM_DEACTIVATED"
    FREEZE = "FREEZE"
    DELETED = "DELETED"


class ProductFilters(msgspec.Struct, frozen=True):
    """The body of a product search. Note `_le` here where orders have `_lt`."""

    status: ProductFilter = ProductFilter.ALL
    seller_skus: tuple[str, ...] | None = None
    sku_ids: tuple[str, ...] | None = None
    create_time_ge: Seconds | None = None
    create_time_le: Seconds | None = None
    update_time_ge: Seconds | None = None
    update_time_le: Seconds | None = None


_filters = msgspec.json.Decoder(ProductFilters)


class Products:
    """Products of one shop."""

    def __init__(self, platform: Platform) -> None:
        self._book = platform.book
        self._pager = Pager(platform.mint)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return tuple(
            Endpoint(
                method="POST",
                path=f"/product/{version}/products/search",
                scope=SCOPE,
                cipher=Cipher.REQUIRED,
                answer=self._search,
            )
            for version in ("202309", "202312", "202502")
        )

    def _search(self, admitted: Admitted) -> bytes:
        query, shop = admitted.call.query, admitted.its_shop
        filters = reading.read(_filters, admitted.call.body)
        size = query.get("page_size")
        if size is not None and not reading.is_page_size(size):
            raise RefusalError(errors.PRODUCT_PAGE_SIZE)
        search = f"products:{shop.id}"
        page = goods.search_products(
            self._book,
            ProductSearch(
                shop_id=shop.id,
                status=None if filters.status == "ALL" else filters.status,
                create_time_ge=filters.create_time_ge,
                create_time_le=filters.create_time_le,
                update_time_ge=filters.update_time_ge,
                update_time_le=filters.update_time_le,
                seller_skus=reading.json_list("seller_skus", filters.seller_skus, most=MOST_FILTERS),
                sku_ids=reading.json_list("sku_ids", filters.sku_ids, most=MOST_FILTERS),
                after=self._pager.place(query.get("page_token"), search),
                limit=reading.page_size(size),
            ),
        )
        if page.total > MOST_PRODUCTS:
            raise RefusalError(errors.TOO_MANY_PRODUCTS)
        return self._pager.data(page, b"products", search)
