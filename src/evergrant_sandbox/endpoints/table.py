"""The table of the signed API: every family of endpoints is named here once."""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from evergrant_sandbox import errors, switches
from evergrant_sandbox.endpoints.authorization import Authorization
from evergrant_sandbox.endpoints.endpoint import Endpoint
from evergrant_sandbox.endpoints.events import Events
from evergrant_sandbox.endpoints.images import Images
from evergrant_sandbox.endpoints.logistics import Logistics
from evergrant_sandbox.endpoints.orders import Orders
from evergrant_sandbox.endpoints.products import Products
from evergrant_sandbox.endpoints.seller import SellerInformation
from evergrant_sandbox.endpoints.stock import Inventory
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.platform import Platform


class Family(Protocol):
    """Endpoints that belong together."""

    def __init__(self, platform: Platform) -> None: ...

    def endpoints(self) -> Sequence[Endpoint]:
        """What there is."""
        ...


FAMILIES: tuple[type[Family], ...] = (
    Authorization,
    SellerInformation,
    Orders,
    Products,
    Inventory,
    Images,
    Logistics,
    Events,
)

_VERSION = re.compile(r"/20\d{4}(?=/|$)")
_BY_SWITCH = {
    "36009014": errors.INVALID_VERSION,
    "36009004": errors.INVALID_VERSION_OLDER,
    "36009009": errors.INVALID_PATH,
}
_NO_IDS: Mapping[str, str] = {}


class Table:
    """Finds the endpoint a call is for."""

    def __init__(self, platform: Platform) -> None:
        self._switches = platform.switches
        self._plain: dict[str, dict[str, Endpoint]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Endpoint]]] = []
        with_ids: dict[str, dict[str, Endpoint]] = {}
        for family in FAMILIES:
            for endpoint in family(platform).endpoints():
                kept = with_ids if "{" in endpoint.path else self._plain
                kept.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        for path, methods in with_ids.items():
            self._patterns.append((re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), methods))

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint, and the ids that stand in its path.

        Raises:
            RefusalError: there is no such path, or not with this method.
        """
        methods, found = self._plain.get(path), _NO_IDS
        if methods is None:
            methods, found = self._by_pattern(path)
        endpoint = methods.get(method)
        if endpoint is None:
            raise RefusalError(errors.INVALID_METHOD)
        if not endpoint.exists():
            raise RefusalError(errors.INVALID_PATH)
        return endpoint, found

    def _by_pattern(self, path: str) -> tuple[dict[str, Endpoint], Mapping[str, str]]:
        for pattern, methods in self._patterns:
            if match := pattern.fullmatch(path):
                return methods, match.groupdict()
        raise self._lost(path)

    def _lost(self, path: str) -> RefusalError:
        """Whether it is the version that does not exist, or the path in any version."""
        bare = _VERSION.sub("", path, count=1)
        known = [*self._plain, *(pattern.pattern for pattern, _ in self._patterns)]
        if any(re.fullmatch(_VERSION.sub("", each, count=1), bare) for each in known):
            return RefusalError(_BY_SWITCH[self._switches.of(switches.INVALID_API_VERSION)])
        return RefusalError(errors.INVALID_PATH)
