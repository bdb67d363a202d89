"""Section 4.6: webhooks of one shop."""

from evergrant_sandbox.openapi.shapes import (
    CIPHER,
    NUMBER,
    SECONDS,
    TEXT,
    Schema,
    body,
    closed,
    fields,
    several,
    signed,
)

_SCOPE = "seller.authorization.info"
_ADDRESS: Schema = {"type": "string", "maxLength": 255}
_WEBHOOK = fields({"event_type": TEXT, "address": TEXT, "create_time": SECONDS, "update_time": SECONDS})

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
            sends=body(fields({"event_type": TEXT, "address": _ADDRESS})),
            scope=_SCOPE,
        ),
        "delete": signed(
            "4.6",
            "A webhook is removed; the body is signed",
            data=closed({}),
            parameters=(CIPHER,),
            sends=body(fields({"event_type": TEXT})),
            scope=_SCOPE,
        ),
    }
}
