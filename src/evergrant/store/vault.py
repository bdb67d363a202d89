"""Seals secrets: AES-256-GCM under a data key per owner, itself wrapped by a key that lives outside the database.

A sealed value opens only where it was sealed: its tenant, owner, field and version are part of the seal. Destroying an
owner's data key makes everything sealed with it unreadable at once, in the database and in every backup whose wrapping
key is gone.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evergrant.core.errors import VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.store.values import WrappedKey

FORMAT = b"\x01"
NONCE_BYTES = 12
KEY_BYTES = 32
KEY_FILE = "vault-{number:04d}.key"


class VaultKeyError(Exception):
    """The vault's key file is missing, unreadable, or not the one this database was sealed with."""


class DataKey:
    """An open data key. It seals and opens the values of one owner, and does not print."""

    __slots__ = ("_cipher", "_place")

    def __init__(self, key: bytes, *, tenant_id: str, owner_id: str) -> None:
        self._cipher = AESGCM(key)
        self._place = f"v1|{tenant_id}|{owner_id}"

    def seal(self, field: str, version: int, value: Secret) -> bytes:
        """The value, sealed for that field and version."""
        nonce = os.urandom(NONCE_BYTES)
        return FORMAT + nonce + self._cipher.encrypt(nonce, value.reveal().encode(), self._where(field, version))

    def open(self, field: str, version: int, sealed: bytes) -> Secret:
        """The value sealed for that field and version.

        Raises:
            VaultIntegrityError: it was moved, changed, cut or sealed with another key.
        """
        try:
            nonce, text = _parts(sealed)
            return Secret(self._cipher.decrypt(nonce, text, self._where(field, version)).decode())
        except (InvalidTag, ValueError) as error:
            raise VaultIntegrityError(f"a sealed value does not open ({self._place}|{field}|{version})") from error

    def _where(self, field: str, version: int) -> bytes:
        return f"{self._place}|{field}|{version}".encode()


class Vault:
    """Makes and opens data keys. Only the assembly has one.

    It knows the generations of the wrapping key it was given, and looks for others, with `reread`, when it meets a data
    key of one it has not seen: a new generation needs no restart.
    """

    __slots__ = ("_keys", "_reread")

    def __init__(self, keys: Mapping[int, bytes], reread: Callable[[], Mapping[int, bytes]] | None = None) -> None:
        self._keys = {number: AESGCM(key) for number, key in keys.items()}
        self._reread = reread

    @property
    def generations(self) -> tuple[int, ...]:
        """The numbers of the wrapping keys at hand, newest first. Which of them may wrap, the database says."""
        return tuple(sorted(self._keys, reverse=True))

    def read_again(self) -> bool:
        """Look for generations made meanwhile; says whether there are any. None is forgotten."""
        fresh: Mapping[int, bytes] = {}
        with suppress(VaultKeyError, OSError):  # what is at hand stays at hand
            fresh = self._reread() if self._reread else {}
        unknown = {number: AESGCM(key) for number, key in fresh.items() if number not in self._keys}
        self._keys |= unknown
        return bool(unknown)

    def new_data_key(self, *, tenant_id: str, owner_id: str, number: int | None = None) -> tuple[DataKey, WrappedKey]:
        """A fresh data key, open and wrapped: by the generation named, or the newest."""
        key = os.urandom(KEY_BYTES)
        return (
            DataKey(key, tenant_id=tenant_id, owner_id=owner_id),
            self._wrapped(key, self.generations[0] if number is None else number, tenant_id, owner_id),
        )

    def wrap_again(self, key: WrappedKey, number: int, *, tenant_id: str, owner_id: str) -> WrappedKey:
        """The same data key, wrapped by another generation.

        Raises:
            VaultIntegrityError: as `open_data_key`.
        """
        return self._wrapped(self._opened(key, tenant_id, owner_id), number, tenant_id, owner_id)

    def open_data_key(self, key: WrappedKey, *, tenant_id: str, owner_id: str) -> DataKey:
        """The data key of an owner.

        Raises:
            VaultIntegrityError: it does not belong to that owner, or its wrapping key is not here.
        """
        return DataKey(self._opened(key, tenant_id, owner_id), tenant_id=tenant_id, owner_id=owner_id)

    def _wrapped(self, key: bytes, number: int, tenant_id: str, owner_id: str) -> WrappedKey:
        nonce = os.urandom(NONCE_BYTES)
        return WrappedKey(number, FORMAT + nonce + self._keys[number].encrypt(nonce, key, _owner(tenant_id, owner_id)))

    def _opened(self, key: WrappedKey, tenant_id: str, owner_id: str) -> bytes:
        if key.number not in self._keys:
            self.read_again()
        try:
            nonce, text = _parts(key.wrapped)
            return self._keys[key.number].decrypt(nonce, text, _owner(tenant_id, owner_id))
        except (InvalidTag, KeyError, ValueError) as error:
            raise VaultIntegrityError(f"a data key does not open ({tenant_id}|{owner_id})") from error


def _parts(sealed: bytes) -> tuple[bytes, bytes]:
    if sealed[:1] != FORMAT or len(sealed) <= 1 + NONCE_BYTES:
        raise ValueError("not a sealed value")
    return sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]


def _owner(tenant_id: str, owner_id: str) -> bytes:
    return f"v1|{tenant_id}|{owner_id}|data-key".encode()


def proof_of(key: bytes) -> bytes:
    """What the database keeps to know a wrapping key again; says nothing of the key."""
    return hmac.new(key, b"evergrant vault key", hashlib.sha256).digest()


def read_keys(folder: Path) -> dict[int, bytes]:
    """The wrapping keys found in a folder: number -> 32 bytes.

    Raises:
        VaultKeyError: a key file cannot be read or does not hold 32 bytes in hex.
    """
    found = {}
    for path in sorted(folder.glob("vault-*.key")) if folder.is_dir() else ():
        try:
            number, key = int(path.stem.removeprefix("vault-")), bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise VaultKeyError(f"The vault key {path} cannot be read: restore it from your backup of keys.") from error
        if len(key) != KEY_BYTES:
            raise VaultKeyError(f"The vault key {path} is not 32 bytes in hex: restore it from your backup of keys.")
        found[number] = key
    return found


def make_key(folder: Path, number: int) -> bytes:
    """A new wrapping key, written so that only its owner can read it and a crash leaves none or a whole one."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = os.urandom(KEY_BYTES)
    path = folder / KEY_FILE.format(number=number)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.link(fresh, path)
    fresh.unlink()
    _settle(folder)
    return key


def destroy_key(folder: Path, number: int) -> bool:
    """Overwrite and remove a wrapping key's file, and what a crash may have left of its making; says whether it was there."""
    found = sorted(folder.glob(KEY_FILE.format(number=number).removesuffix("key") + "*"))
    for path in found:
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.write(b"0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    if found:
        _settle(folder)
    return bool(found)


def _settle(folder: Path) -> None:
    """Bring the folder's own list of files to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
