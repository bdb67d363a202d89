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
# 4.1: https, a domain name, no IP address and no port.
_ADDRESS: Schema = {
    "type": "string",
    "maxLength": 255,
    "pattern": "^https://[a-z0-9]+(\\.[a-z0-9]+)*\\.[a-z]+(/[!-~]*)?$",
}
# 4.5: the enum of the newest source has 17 strings.
_EVENT_TYPE = choice(
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
_WEBHOOK = fields({"event_type": _EVENT_TYPE, "address": TEXT, "create_time": SECONDS, "update_time": SECONDS})

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
            sends=body(fields({"event_type": _EVENT_TYPE, "address": _ADDRESS})),
            scope=_SCOPE,
        ),
        "delete": signed(
            "4.6",
            "A webhook is removed; the body is signed",
            data=closed({}),
            parameters=(CIPHER,),
            sends=body(fields({"event_type": _EVENT_TYPE})),
            scope=_SCOPE,
        ),
    }
}
