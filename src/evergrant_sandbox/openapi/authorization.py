"""Sections 2 and 3.4 to 3.6: tokens, authorized shops, and what else is known of who authorized."""

from evergrant_sandbox.openapi import shapes
from evergrant_sandbox.openapi.shapes import (
    CIPHER,
    CIPHER_OR_NOT,
    ID,
    NUMBER,
    REGION,
    SECONDS,
    TEXT,
    Schema,
    choice,
    closed,
    fields,
    parameter,
    several,
    signed,
)

_PAIR = fields(
    {
        "access_token": TEXT,
        "access_token_expire_in": SECONDS,
        "refresh_token": TEXT,
        "refresh_token_expire_in": SECONDS,
        "open_id": TEXT,
        "seller_name": {"type": ["string", "null"]},
        "seller_base_region": REGION,
        "user_type": {"type": "integer", "enum": [0, 1, 3, 4, 5]},
    },
    {"granted_scopes": several(TEXT)},
)


def _asks(name: str, grant_type: str) -> tuple[Schema, ...]:
    asked = {"app_key": TEXT, "app_secret": TEXT, name: TEXT, "grant_type": {"const": grant_type, "type": "string"}}
    return tuple(parameter("query", each, schema, needed=True) for each, schema in asked.items())


_SHOP = fields(
    {
        "id": ID,
        "name": TEXT,
        "region": REGION,
        "seller_type": choice("LOCAL", "CROSS_BORDER"),
        "cipher": TEXT,
        "code": TEXT,
    }
)
_ASSET = fields({"cipher": TEXT, "target_market": TEXT, "category": fields({"id": NUMBER, "name": TEXT})})
_WIDGET = fields({"widget_token": fields({"token": TEXT, "expire_at": SECONDS})})
_STANDING = choice("1", "2", "3", "4")
_SELLER = fields(
    {
        "seller_status": _STANDING,
        "shop_statuses": several(fields({"shop_id": ID, "shop_status": _STANDING})),
    },
    {"tax_form_status": TEXT, "partner_channel": TEXT},
)

PATHS: dict[str, dict[str, Schema]] = {
    "/api/v2/token/get": {
        "get": shapes.token(
            "2.1", "A pair for an auth code", data=_PAIR, parameters=_asks("auth_code", "authorized_code")
        )
    },
    "/api/v2/token/refresh": {
        "get": shapes.token(
            "2.2", "A pair for a refresh token", data=_PAIR, parameters=_asks("refresh_token", "refresh_token")
        )
    },
    "/authorization/202309/shops": {
        "get": signed(
            "3.4",
            "Authorized shops",
            data=fields({"shops": several(_SHOP)}),
            scope="seller.authorization.info",
        )
    },
    "/authorization/202403/shops": {
        "delete": signed("3.5", "The developer gives an authorization back", data=closed({}), parameters=(CIPHER,))
    },
    "/authorization/202405/category_assets": {
        "get": signed(
            "3.6",
            "Category assets of a partner",
            data=fields({"category_assets": several(_ASSET)}),
        )
    },
    **{
        f"/authorization/{version}/widget_token": {
            "get": signed("3.6", "A token for widgets", data=_WIDGET, parameters=(CIPHER_OR_NOT,))
        }
        for version in ("202312", "202401")
    },
    "/seller/202309/shops": {
        "get": signed(
            "3.6",
            "Active shops of the seller, authorized or not",
            data=fields({"shops": several(fields({"id": ID, "region": REGION}))}),
            scope="seller.shop.info",
        )
    },
    "/seller/202309/permissions": {
        "get": signed(
            "3.6",
            "What a cross-border seller may do",
            data=fields({"permissions": several(choice("MANAGE_GLOBAL_PRODUCT"))}),
            scope="seller.shop.info",
        )
    },
    "/seller/202508/status": {
        "get": signed(
            "3.6",
            "How the seller stands",
            data=fields({"seller_status_data": _SELLER}),
            parameters=(CIPHER_OR_NOT,),
        )
    },
}
