"""`/product/…/products/search`: the products of a shop (wire sheet 6.2)."""

from enum import StrEnum

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.book import goods, standings
from evergrant_sandbox.book.goods import ProductSearch
from evergrant_sandbox.endpoints import reading
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.endpoints.paging import Pager
from evergrant_sandbox.errors import Code, RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world.seller import Standing

SCOPE = "seller.product.basic"

# "At most 10,000 results", products search (202502).
MOST_PRODUCTS = 10_000
MOST_FILTERS = 10
LATEST = 2**53


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


class AuditFilter(StrEnum):
    """The states of a review a search may ask for."""

    AUDITING = "AUDITING"
    FAILED = "FAILED"
    APPROVED = "APPROVED"


class ListingPlatform(StrEnum):
    """Where sellers that came from Tokopedia list."""

    TIKTOK_SHOP = "TIKTOK_SHOP"
    TOKOPEDIA = "TOKOPEDIA"


class CategoryVersion(StrEnum):
    """The category tree: seven levels in the US, three elsewhere."""

    V1 = "v1"
    V2 = "v2"


class QualityTier(StrEnum):
    """How well a product is listed; the US only."""

    POOR = "POOR"
    FAIR = "FAIR"
    GOOD = "GOOD"


class Subscription(StrEnum):
    """Subscribe and Save."""

    CONFIGURED = "CONFIGURED"
    ELIGIBLE = "ELIGIBLE"


class ProductFilters(msgspec.Struct, frozen=True):
    """The body of a product search. Note `_le` here where orders have `_lt`."""

    status: ProductFilter = ProductFilter.ALL
    seller_skus: tuple[str, ...] | None = None
    sku_ids: tuple[str, ...] | None = None
    create_time_ge: int | None = None
    create_time_le: int | None = None
    update_time_ge: int | None = None
    update_time_le: int | None = None
    audit_status: tuple[AuditFilter, ...] | None = None
    return_draft_version: bool = False
    category_version: CategoryVersion | None = None
    listing_platforms: tuple[ListingPlatform, ...] | None = None
    listing_quality_tiers: tuple[QualityTier, ...] | None = None
    sns_filter: Subscription | None = None


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
        if standings.of(self._book, shop.seller_id) is not Standing.ACTIVE:
            raise RefusalError(errors.SELLER_INACTIVE)
        filters = reading.read(_filters, admitted.call.body, wrong=errors.PRODUCT_PARAMETERS)
        _check_times(filters)
        size = query.get("page_size")
        if size is not None and not reading.is_page_size(size):
            raise RefusalError(errors.PRODUCT_PAGE_SIZE)
        skus = reading.json_list(filters.seller_skus, most=MOST_FILTERS, else_=errors.TOO_MANY_SELLER_SKUS)
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
                seller_skus=skus,
                sku_ids=reading.json_list(filters.sku_ids, most=MOST_FILTERS, else_=errors.TOO_MANY_SKU_IDS),
                audits=reading.json_list(filters.audit_status, most=MOST_FILTERS, else_=errors.PRODUCT_PARAMETERS),
                with_draft=True if filters.return_draft_version else None,
                nothing=True if _asks_for_nothing(filters, region=shop.region) else None,
                after=self._pager.place(query.get("page_token"), search),
                limit=reading.page_size(size),
            ),
        )
        if page.total > MOST_PRODUCTS:
            raise RefusalError(errors.TOO_MANY_PRODUCTS)
        return self._pager.data(page, b"products", search)


def _check_times(filters: ProductFilters) -> None:
    _check_range(filters.create_time_ge, filters.create_time_le, errors.CREATE_TIME)
    _check_range(filters.update_time_ge, filters.update_time_le, errors.UPDATE_TIME)


def _check_range(first: int | None, last: int | None, wrong: Code) -> None:
    if any(each is not None and not 0 <= each <= LATEST for each in (first, last)):
        raise RefusalError(wrong)
    if first is not None and last is not None and first > last:
        raise RefusalError(wrong)


def _asks_for_nothing(filters: ProductFilters, *, region: str) -> bool:
    """Whether the filters ask for what no product here has: another category tree, Tokopedia, a tier, a subscription."""
    if filters.listing_platforms and filters.status is ProductFilter.ALL:
        # "You must also specify a status value other than ALL when filtering by listing platforms."
        raise RefusalError(errors.PRODUCT_PARAMETERS, name="body.listing_platforms")
    tree = CategoryVersion.V2 if region == "US" else CategoryVersion.V1
    return (
        filters.category_version not in {None, tree}
        or ListingPlatform.TOKOPEDIA in (filters.listing_platforms or ())
        or bool(filters.listing_quality_tiers)
        or filters.sns_filter is not None
    )
