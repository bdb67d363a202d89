"""`/event/…/webhooks`: the addresses of a single shop's notices, topic by topic (wire sheet 4.6)."""

import msgspec

from evergrant_sandbox import errors
from evergrant_sandbox.book import subscriptions
from evergrant_sandbox.endpoints import reading
from evergrant_sandbox.endpoints.endpoint import Admitted, Cipher, Endpoint
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform
from evergrant_sandbox.world import app as rules
from evergrant_sandbox.world.topics import EVENT_TYPES, TOPICS

SCOPE = "seller.authorization.info"
PATH = "/event/202309/webhooks"

# "Max length: 255 characters", update shop webhook (202309).
LONGEST_ADDRESS = 255


class WebhookData(msgspec.Struct, frozen=True):
    """One address; times are Unix seconds."""

    event_type: str
    address: str
    create_time: int
    update_time: int


class WebhooksData(msgspec.Struct, frozen=True):
    """All addresses of a shop."""

    webhooks: list[WebhookData]
    total_count: int


class WebhookWanted(msgspec.Struct, frozen=True):
    """The body of PUT and DELETE; what is missing is named one by one."""

    event_type: str = ""
    address: str = ""


_wanted = msgspec.json.Decoder(WebhookWanted)


class Events:
    """The Event API."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What there is."""
        return tuple(
            Endpoint(method=method, path=PATH, scope=SCOPE, cipher=Cipher.REQUIRED, answer=answer)
            for method, answer in (("GET", self._list), ("PUT", self._set), ("DELETE", self._remove))
        )

    def _list(self, admitted: Admitted) -> bytes:
        found = [
            WebhookData(
                event_type=TOPICS[each.type].event_type,
                address=each.address,
                create_time=each.create_time,
                update_time=each.update_time,
            )
            for each in subscriptions.listed(
                self._platform.book, app_key=admitted.app.key, shop_id=admitted.its_shop.id
            )
        ]
        return msgspec.json.encode(WebhooksData(webhooks=found, total_count=len(found)))

    def _set(self, admitted: Admitted) -> bytes:
        wanted = reading.read(_wanted, admitted.call.body)
        kind = _kind(wanted)
        if not wanted.address:
            raise RefusalError(errors.MISSING_PARAMETER, name="body.address")
        if len(wanted.address) > LONGEST_ADDRESS or rules.fault_of_webhook_url(wanted.address):
            raise RefusalError(errors.INVALID_PARAMETER, name="body.address")
        self._platform.subscriber.subscribe(
            admitted.app, admitted.its_shop, kind=kind, address=wanted.address, now=admitted.now
        )
        self._platform.agenda.wake()
        return b"{}"

    def _remove(self, admitted: Admitted) -> bytes:
        kind = _kind(reading.read(_wanted, admitted.call.body))
        self._platform.subscriber.unsubscribe(admitted.app, admitted.its_shop, kind=kind, now=admitted.now)
        return b"{}"


def _kind(wanted: WebhookWanted) -> int:
    if not wanted.event_type:
        raise RefusalError(errors.MISSING_PARAMETER, name="body.event_type")
    kind = EVENT_TYPES.get(wanted.event_type)
    if kind is None:
        raise RefusalError(errors.INVALID_PARAMETER, name="body.event_type")
    return kind
