"""Calls of the vendor's own: which paths are the platform's API, what only the hub sets, and how an answer is understood."""

from datetime import datetime

import msgspec

from evergrant.core.app import App
from evergrant.core.secret import Secret
from evergrant.providers.tiktok_shop import envelope, requests
from evergrant.providers.wire import Access, Call, CallAnswer, Reply, Request, Unreadable

OURS = frozenset({"app_key", "sign", "timestamp", "access_token", "shop_cipher", "x-tts-access-token"})
"""What the hub sets on every call (3.1)."""

FEWEST_PARTS, MOST_PARTS = 3, 14
LONGEST_PART = 128
LONGEST_ID = 128
PLAIN = frozenset("-._~")
HIDDEN = b"..."

WITHOUT_CIPHER = frozenset(
    {
        ("authorization", "category_assets"),
        ("product", "global_products"),
        ("product", "images"),
        ("product", "files"),
        ("seller", ""),
    }
)
"""Where `shop_cipher` is itself an error: what follows the version begins so (3.1)."""
LIST_OF_SHOPS = "/authorization/202309/shops"
"""Takes none either; the newer path of the same name, which ends an authorization, does (3.5)."""


class _Told(msgspec.Struct):
    request_id: str = ""


def is_call(path: str) -> bool:
    """Whether a path is below the platform's API, and nothing else: `/{package}/{yyyymm}/…` (3.1).

    Ids and names need few characters, so a path reads the same to everybody on the way: nothing is quoted, no part is
    empty, none begins with a dot. The token host's paths have no version.
    """
    root, *parts = path.split("/")
    if root or not FEWEST_PARTS <= len(parts) <= MOST_PARTS or not path.isascii():
        return False
    package, version, *rest = parts
    is_word = package.replace("_", "a").isalpha() and package.islower() and not package.startswith("_")
    is_version = len(version) == 6 and version.isdigit() and version.startswith("20")
    return is_word and len(package) <= LONGEST_PART and is_version and all(_is_plain(part) for part in rest)


def _is_plain(part: str) -> bool:
    return part[:1].isalnum() and len(part) <= LONGEST_PART and all(c.isalnum() or c in PLAIN for c in part)


def takes_cipher(path: str) -> bool:
    """Whether a call is about one shop."""
    _, package, _, first, *_ = path.split("/")
    return path != LIST_OF_SHOPS and not {(package, first), (package, "")} & WITHOUT_CIPHER


def call_request(app: App, call: Call, access: Access, now: datetime) -> Request:
    """A call of the vendor's own, signed at `now`. JSON is declared even where there is no body (3.1)."""
    media_type = call.media_type or requests.JSON
    return requests.signed(
        app, call.method, call.path, access=access, now=now, query=call.query, body=call.body, media_type=media_type
    )


def read_call(reply: Reply, token: Secret) -> CallAnswer:
    """Why a call was refused, if it was. What is no envelope is a file, unless its status says otherwise.

    Whatever the platform says, it does not say the token.
    """
    opened = envelope.opened(reply)
    is_fine = reply.status < 400 if isinstance(opened, Unreadable) else opened.code == 0
    return CallAnswer(
        refused=None if is_fine else envelope.call_refused(reply, opened),
        request_id=_request_id(reply.body),
        body=reply.body.replace(token.reveal().encode(), HIDDEN),
    )


def _request_id(body: bytes) -> str:
    try:
        found = msgspec.json.decode(body, type=_Told).request_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return found if found.isascii() and found.isalnum() and len(found) <= LONGEST_ID else ""
