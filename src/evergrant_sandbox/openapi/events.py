"""Section 4.6: webhooks of one shop."""

from evergrant_sandbox.openapi.shapes import (
    CIPHER,
    NUMBER,
    SECONDS,
    TEXT,
    Schema,
    body,
    choice,
    closed,
    fields,
    several,
    signed,
)

_SCOPE = "seller.authorization.info"
# 4.5: "OAS26's event-API enum has 17 strings - the upper-case names above."
_EVENT = choice(
    "ORDER_STATUS_CHANGE",
    "REVERSE_STATUS_UPDATE",
    "RECIPIENT_ADDRESS_UPDATE",
    "PACKAGE_UPDATE",
    "PRODUCT_STATUS_CHANGE",
    "SELLER_DEAUTHORIZATION",
    "UPCOMING_AUTHORIZATION_EXPIRATION",
    "CANCELLATION_STATUS_CHANGE",
    "RETURN_STATUS_CHANGE",
    "NEW_CONVERSATION",
    "NEW_MESSAGE",
    "PRODUCT_INFORMATION_CHANGE",
    "PRODUCT_CREATION",
    "PRODUCT_CATEGORY_CHANGE",
    "NEW_MESSAGE_LISTENER",
    "INVOICE_STATUS_CHANGE",
    "PRODUCT_AUDIT_STATUS_CHANGE",
)
# 4.1: https, a domain name, no IP, no port; 4.6: at most 255 characters.
_ADDRESS: Schema = {
    "type": "string",
    "maxLength": 255,
    "pattern": "^https://([a-z][a-z0-9]{0,19}\\.){1,3}[a-z]{2,8}(/[A-Za-z0-9_-]{0,20}){0,3}$",
}
_WEBHOOK = fields({"event_type": _EVENT, "address": TEXT, "create_time": SECONDS, "update_time": SECONDS})

PATHS: dict[str, dict[str, Schema]] = {
    "/event/202309/webhooks": {
        "get": signed(
            "4.6",
            "Webhooks of a shop",
            data=fields({"webhooks": several(_WEBHOOK), "total_count": NUMBER}),
            parameters=(CIPHER,),
            scope=_SCOPE,
        ),
        "put": signed(
            "4.6",
            "A webhook is set or replaced",
            data=closed({}),
            parameters=(CIPHER,),
            sends=body(fields({"event_type": _EVENT, "address": _ADDRESS})),
            scope=_SCOPE,
        ),
        "delete": signed(
            "4.6",
            "A webhook is removed; the body is signed",
            data=closed({}),
            parameters=(CIPHER,),
            sends=body(fields({"event_type": _EVENT})),
            scope=_SCOPE,
        ),
    }
}
