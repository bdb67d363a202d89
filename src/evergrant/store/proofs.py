"""Signs what must be believed later: a key of the hub's own, beside the vault's, whose public half stands in each record."""

import os
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = "records.key"
SEED_BYTES = 32


class Proofs:
    """An Ed25519 key in the keys folder, made when first needed. It opens nothing; losing it costs no old record."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def sign(self, statement: str) -> tuple[bytes, bytes]:
        """The signature over the statement's UTF-8, and the public key it is checked with."""
        key = Ed25519PrivateKey.from_private_bytes(self._seed())
        return key.sign(statement.encode()), key.public_key().public_bytes_raw()

    def _seed(self) -> bytes:
        """The key of this folder; two makers at once agree on one, and a crash leaves none or a whole one."""
        with suppress(FileNotFoundError):
            return bytes.fromhex(self._path.read_text(encoding="ascii").strip())
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_suffix(f".{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="ascii") as file:
            file.write(os.urandom(SEED_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(fresh, self._path)
        fresh.unlink()
        return bytes.fromhex(self._path.read_text(encoding="ascii").strip())
