"""What one endpoint of the signed API is: its method and path, what a call must bring, and what it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from evergrant_sandbox import errors
from evergrant_sandbox.errors import RefusalError
from evergrant_sandbox.wire import Call
from evergrant_sandbox.world.app import App
from evergrant_sandbox.world.grant import Grant
from evergrant_sandbox.world.seller import Shop


class Cipher(StrEnum):
    """Whether an endpoint wants a shop_cipher."""

    REQUIRED = "required"
    # Nobody wrote down whether it belongs there, so it may be there or not.
    OPTIONAL = "optional"
    UNWANTED = "unwanted"


class Holder(StrEnum):
    """Whose access token an endpoint takes; the `user_type` of token answers."""

    SELLER = "seller"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A call that has passed: who calls, by which grant, for which shop, and the ids in its path."""

    app: App
    grant: Grant
    shop: Shop | None
    call: Call
    now: int
    ids: Mapping[str, str]

    @property
    def its_shop(self) -> Shop:
        """The shop, for endpoints that want a shop_cipher.

        Raises:
            RefusalError: the call named none.
        """
        if self.shop is None:
            raise RefusalError(errors.MISSING_CIPHER)
        return self.shop


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path. `{product_id}` in a path stands for an id."""

    method: str
    path: str
    # Empty: nobody wrote down which one it takes, so any living token will do.
    scope: str
    cipher: Cipher
    # The `data` of the answer, as JSON. Runs in the call's transaction; refusals are raised.
    answer: Callable[[Admitted], bytes]
    holder: Holder = Holder.SELLER
    # Whether it takes a form with files instead of JSON.
    takes_files: bool = False
    # Asked with each call, for endpoints whose existence is disputed.
    exists: Callable[[], bool] = _always
