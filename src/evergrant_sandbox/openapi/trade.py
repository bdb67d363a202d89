"""Section 6: orders, products, stock and warehouses."""

from evergrant_sandbox.openapi.shapes import (
    CIPHER,
    ID,
    MONEY,
    NUMBER,
    PAGES,
    REGION,
    SECONDS,
    TEXT,
    TRUTH,
    Schema,
    body,
    choice,
    fields,
    parameter,
    several,
    signed,
)

_ORDER_STATUS = choice(
    "UNPAID",
    "ON_HOLD",
    "AWAITING_SHIPMENT",
    "PARTIALLY_SHIPPING",
    "AWAITING_COLLECTION",
    "IN_TRANSIT",
    "DELIVERED",
    "COMPLETED",
    "CANCELLED",
)
_SHIPPING = choice("TIKTOK", "SELLER")
_LINE = fields(
    {
        "id": ID,
        "product_id": ID,
        "sku_id": ID,
        "seller_sku": TEXT,
        "product_name": TEXT,
        "sku_name": TEXT,
        "sale_price": MONEY,
        "original_price": MONEY,
        "currency": TEXT,
        "display_status": TEXT,
        "package_id": TEXT,
    }
)
_PAYMENT = fields(
    {
        "currency": TEXT,
        "sub_total": MONEY,
        "shipping_fee": MONEY,
        "seller_discount": MONEY,
        "platform_discount": MONEY,
        "total_amount": MONEY,
    }
)
_ORDER = fields(
    {
        "id": ID,
        "status": _ORDER_STATUS,
        "create_time": SECONDS,
        "update_time": SECONDS,
        "user_id": ID,
        "fulfillment_type": TEXT,
        "shipping_type": _SHIPPING,
        "warehouse_id": ID,
        "payment": _PAYMENT,
        "line_items": several(_LINE),
        "packages": several(fields({"id": ID})),
    },
    {
        "recipient_address": fields(
            {"name": TEXT, "postal_code": TEXT, "region_code": REGION, "phone_number": TEXT},
        )
    },
)
_ORDERS = fields({"total_count": NUMBER, "orders": several(_ORDER)}, {"next_page_token": TEXT})
_ORDER_FILTERS = fields(
    {},
    {
        "order_status": _ORDER_STATUS,
        "create_time_ge": SECONDS,
        "create_time_lt": SECONDS,
        "update_time_ge": SECONDS,
        "update_time_lt": SECONDS,
        "shipping_type": _SHIPPING,
        "buyer_user_id": TEXT,
        "is_buyer_request_cancel": TRUTH,
        "warehouse_ids": several(TEXT, most=100),
    },
)

_PRODUCT_STATUS = (
    "DRAFT",
    "PENDING",
    "FAILED",
    "ACTIVATE",
    "SELLER_DEACTIVATED",
    "PLATFORM_DEACTIVATED",
    "FREEZE",
    "DELETED",
)
_PRICE = fields({"currency": TEXT, "tax_exclusive_price": MONEY, "sale_price": MONEY})
_STOCK = fields({"warehouse_id": ID, "quantity": NUMBER}, {"backorder_quantity": NUMBER, "handling_time": NUMBER})
_SKU = fields(
    {
        "id": ID,
        "seller_sku": TEXT,
        "price": _PRICE,
        "inventory": several(_STOCK),
        "status_info": fields({"status": TEXT}),
    }
)
_PRODUCT = fields(
    {
        "id": ID,
        "title": TEXT,
        "status": choice(*_PRODUCT_STATUS),
        "create_time": SECONDS,
        "update_time": SECONDS,
        "sales_regions": several(REGION),
        "has_draft": TRUTH,
        "audit": fields({"status": choice("NONE", "AUDITING", "FAILED", "PRE_APPROVED", "APPROVED")}),
        "skus": several(_SKU),
    }
)
_PRODUCTS = fields({"total_count": NUMBER, "products": several(_PRODUCT)}, {"next_page_token": TEXT})
_PRODUCT_FILTERS = fields(
    {},
    {
        "status": choice("ALL", *_PRODUCT_STATUS),
        "seller_skus": several(TEXT, most=10),
        "sku_ids": several(TEXT, most=10),
        "create_time_ge": SECONDS,
        "create_time_le": SECONDS,
        "update_time_ge": SECONDS,
        "update_time_le": SECONDS,
        "audit_status": several(choice("AUDITING", "FAILED", "APPROVED")),
        "return_draft_version": TRUTH,
        "category_version": choice("v1", "v2"),
        "listing_platforms": several(choice("TOKOPEDIA", "TIKTOK_SHOP")),
    },
)

_FOUND = fields(
    {
        "inventory": several(
            fields(
                {
                    "product_id": ID,
                    "skus": several(
                        fields(
                            {
                                "id": ID,
                                "seller_sku": TEXT,
                                "total_available_quantity": NUMBER,
                                "total_committed_quantity": NUMBER,
                                "warehouse_inventory": several(
                                    fields(
                                        {
                                            "warehouse_id": ID,
                                            "available_quantity": NUMBER,
                                            "committed_quantity": NUMBER,
                                        }
                                    )
                                ),
                            }
                        )
                    ),
                }
            )
        )
    }
)
_GIVEN_STOCK = fields(
    {"quantity": {"type": "integer", "minimum": 0, "maximum": 99_999}},
    {"warehouse_id": TEXT, "backorder_quantity": NUMBER, "handling_time": NUMBER},
)
_GIVEN = fields({"skus": several(fields({"id": TEXT, "inventory": several(_GIVEN_STOCK)}))})
_EXTRA = fields({"code": NUMBER, "message": TEXT}, {"warehouse_id": TEXT})
_FAILED = fields(
    {
        "code": NUMBER,
        "message": TEXT,
        "detail": fields({"sku_id": TEXT, "extra_errors": several(_EXTRA)}),
    }
)
_WAREHOUSE = fields(
    {
        "id": ID,
        "name": TEXT,
        "type": choice("SALES_WAREHOUSE", "RETURN_WAREHOUSE"),
        "sub_type": TEXT,
        "effect_status": choice("ENABLED", "DISABLED", "RESTRICTED"),
        "is_default": TRUTH,
        "address": {"type": "object"},
    }
)

PATHS: dict[str, dict[str, Schema]] = {
    "/order/202309/orders/search": {
        "post": signed(
            "6.1",
            "Orders, page by page",
            data=_ORDERS,
            parameters=(
                *PAGES,
                CIPHER,
                parameter("query", "sort_field", choice("create_time", "update_time")),
                parameter("query", "sort_order", choice("DESC", "ASC")),
            ),
            sends=body(_ORDER_FILTERS),
            scope="seller.order.info",
        )
    },
    **{
        f"/order/{version}/orders": {
            "get": signed(
                "6.1",
                "Orders by their ids, fifty at most, with commas between",
                data=fields({"orders": several(_ORDER)}),
                parameters=(
                    parameter("query", "ids", {"type": "string", "pattern": "^[0-9]+(,[0-9]+)*$"}, needed=True),
                    CIPHER,
                ),
                scope="seller.order.info",
            )
        }
        for version in ("202309", "202507")
    },
    **{
        f"/product/{version}/products/search": {
            "post": signed(
                "6.2",
                "Products, page by page",
                data=_PRODUCTS,
                parameters=(*PAGES, CIPHER),
                sends=body(_PRODUCT_FILTERS),
                scope="seller.product.basic",
            )
        }
        for version in ("202309", "202312", "202502")
    },
    "/product/202309/inventory/search": {
        "post": signed(
            "6.3",
            "Stock of products or variants",
            data=_FOUND,
            parameters=(CIPHER,),
            sends=body(fields({}, {"product_ids": several(TEXT, most=100), "sku_ids": several(TEXT, most=600)})),
            scope="seller.product.basic",
        )
    },
    "/product/202309/products/{product_id}/inventory/update": {
        "post": signed(
            "6.4",
            "Stock as it shall be; what failed is listed in an answer with code 0",
            data=fields({}, {"errors": several(_FAILED)}),
            parameters=(parameter("path", "product_id", ID), CIPHER),
            sends=body(_GIVEN),
            scope="seller.product.write",
        )
    },
    "/product/202309/images/upload": {
        "post": signed(
            "3.2",
            "An image; the form is not signed",
            data=fields({"uri": TEXT, "url": TEXT, "height": NUMBER, "width": NUMBER}, {"use_case": TEXT}),
            sends=body(
                fields({"data": {"type": "string", "format": "binary"}}, {"use_case": TEXT}), "multipart/form-data"
            ),
            scope="seller.product.basic",
        )
    },
    "/logistics/202309/warehouses": {
        "get": signed(
            "6.4",
            "Warehouses of a shop",
            data=fields({"warehouses": several(_WAREHOUSE)}),
            parameters=(CIPHER,),
            scope="seller.logistics",
        )
    },
}
