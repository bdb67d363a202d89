"""TikTok Shop's two signatures, written from its documents and held against its published vectors.

Requests: "Sign your API request" (partner.tiktokshop.com/docv2/page/sign-your-api-request; wire sheet 3.2).
Notices: "TikTok Shop webhooks overview" (tts-webhooks-overview; wire sheet 4.2).
"""

import hashlib
import hmac
from collections.abc import Iterable

from evergrant.core.secret import Secret

UNSIGNED = frozenset({"sign", "access_token"})


def sign_request(
    secret: Secret, path: str, query: Iterable[tuple[str, str]], body: bytes = b"", *, multipart: bool = False
) -> str:
    """The `sign` of an API request: 64 lower-case hex digits.

    Query values are signed decoded, in byte order of their names, without `sign` and `access_token`; headers never
    enter; the exact bytes of the body do, unless it is multipart.
    """
    signed = sorted((name, value) for name, value in query if name not in UNSIGNED)
    flat = "".join(f"{name}{value}" for name, value in signed)
    key = secret.reveal().encode()
    base = key + path.encode() + flat.encode() + (b"" if multipart else body) + key
    return hmac.new(key, base, hashlib.sha256).hexdigest()


def sign_notice(key: str, secret: Secret, body: bytes) -> str:
    """The `Authorization` header of a notice: lower-case hex over app key and raw body, without any time in it."""
    return hmac.new(secret.reveal().encode(), key.encode() + body, hashlib.sha256).hexdigest()


def is_notice_signed(key: str, secret: Secret, body: bytes, signature: bytes) -> bool:
    """Whether the header's bytes are the platform's signature of these bytes, in constant time.

    Upper-case hex is accepted; any other byte, at any length, is simply a wrong signature.
    """
    return hmac.compare_digest(sign_notice(key, secret, body).encode(), signature.lower())
