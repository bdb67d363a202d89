"""Signs what must be provable later: the head of an audit chain, a life history. The keys are outside the database.

Each generation of the vault's wrapping key gives an Ed25519 key of its own: whoever holds the database alone can sign
nothing, and whoever holds a public key can check everything.
"""

from collections.abc import Callable, Collection, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evergrant.actions.history import Signature
from evergrant.core.errors import VaultIntegrityError
from evergrant.store.database import Connection, Database

PURPOSE = b"evergrant signing key"

ANNOUNCED = "select number from vault_keys where retired_at is null"


class Signer:
    """Signs with the newest key that was announced, and knows again what any of them signed. Does not print.

    A key that only lies in the folder is not on the other machines yet: what it signed they would take for forged.
    """

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Mapping[int, bytes]]) -> None:
        self._read = read

    def at_once(self) -> "Signer":
        """The same with the keys as they are now, for much that is signed in one go."""
        keys = self._read()
        return Signer(lambda: keys)

    def sign(self, text: bytes, announced: Collection[int]) -> Signature:
        """A signature, and the number and public half of the key that made it: the newest of those announced.

        Raises:
            VaultIntegrityError: none of them is on this machine.
        """
        keys = self._read()
        number = max(set(announced) & set(keys), default=None)
        if number is None:
            raise VaultIntegrityError("no generation of the vault's key that may sign is on this machine")
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


class Pen:
    """Signs what a reader asks for, with a generation that is announced at that moment."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer

    async def sign(self, text: bytes) -> Signature:
        """A signature over this text. Raises VaultIntegrityError as `Signer.sign`."""
        async with self._database.connection() as connection:
            announced = await connection.fetch(ANNOUNCED)
        return self._signer.sign(text, [row["number"] for row in announced])


async def held(connection: Connection) -> list[int]:
    """The generations that are announced and not retired; none is retired until the caller's transaction ends."""
    rows = await connection.fetch(f"{ANNOUNCED} order by number desc for key share")
    return [row["number"] for row in rows]


def _derived(key: bytes) -> Ed25519PrivateKey:
    seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=PURPOSE).derive(key)
    return Ed25519PrivateKey.from_private_bytes(seed)
