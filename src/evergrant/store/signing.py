"""Signs what must be provable later: the head of an audit chain, a life history. The keys are outside the database.

Each generation of the vault's wrapping key gives an Ed25519 key of its own: whoever holds the database alone can sign
nothing, and whoever holds a public key can check everything.
"""

from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evergrant.actions.history import Signature

PURPOSE = b"evergrant signing key"


class Signer:
    """Signs with the newest key there is, and knows again what any of them signed. Does not print."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Mapping[int, bytes]]) -> None:
        self._read = read

    def sign(self, text: bytes) -> Signature:
        """A signature, and the number and public half of the key that made it."""
        keys = self._read()
        number = max(keys)
        key = _derived(keys[number])
        return Signature(key=number, public=key.public_key().public_bytes_raw(), value=key.sign(text))

    def public(self, number: int) -> bytes:
        """The public half of the key of that number."""
        return _derived(self._read()[number]).public_key().public_bytes_raw()

    def is_ours(self, number: int | None, text: bytes, value: bytes | None) -> bool:
        """Whether the key of that number signed this text. False if the key is not here."""
        keys = self._read()
        if number is None or number not in keys or value is None:
            return False
        try:
            _derived(keys[number]).public_key().verify(value, text)
        except InvalidSignature:
            return False
        return True


def _derived(key: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=PURPOSE).derive(key)
    return Ed25519PrivateKey.from_private_bytes(seed)
