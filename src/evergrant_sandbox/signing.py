"""The platform's two signatures, written from its documents and shared with nobody else's code.

If hub and sandbox shared this module, a misreading of the documents would cancel out and every test would be green.
Both are held against the same golden vectors (`tests/vectors`).
"""

import hmac
from collections.abc import Mapping

# "Extract all query parameters excluding sign and access_token." Sign your API request, captured 2025-12-03.
UNSIGNED = frozenset({"sign", "access_token"})


def sign_request(*, secret: str, path: str, query: Mapping[str, str], body: bytes = b"") -> str:
    """The `sign` of an API call: secret + path + sorted keys and values + exact body bytes + secret, HMAC-SHA256.

    Values are signed decoded. The body of a multipart call is not signed: leave it out.
    """
    flat = "".join([name + query[name] for name in sorted(query) if name not in UNSIGNED])
    key = secret.encode()
    return hmac.digest(key, key + path.encode() + flat.encode() + body + key, "sha256").hex()


def sign_notice(*, app_key: str, secret: str, body: bytes) -> str:
    """The `Authorization` header of a notice: HMAC-SHA256 over app key + raw body, without a scheme word."""
    return hmac.digest(secret.encode(), app_key.encode() + body, "sha256").hex()


def same(one: str, other: str) -> bool:
    """Whether two signatures are equal, compared in constant time; upper-case hex is not equal to lower-case."""
    return hmac.compare_digest(one.encode(), other.encode())
