"""The vault: a sealed value opens where it was sealed and nowhere else, and failure is loud."""

import os
import stat
from pathlib import Path

import pytest

from evergrant.core.errors import VaultIntegrityError
from evergrant.core.secret import Secret
from evergrant.store import vault
from evergrant.store.values import WrappedKey
from evergrant.store.vault import DataKey, Vault

TOKEN = Secret("ROW_sbxCNRY0123456789")


@pytest.fixture
def keys() -> Vault:
    """A vault with two generations of keys."""
    return Vault({1: os.urandom(32), 2: os.urandom(32)})


@pytest.fixture
def key(keys: Vault) -> DataKey:
    """A connection's data key."""
    return keys.new_data_key(tenant_id="ten_a", owner_id="con_a")[0]


def test_what_was_sealed_opens_in_its_place(key: DataKey) -> None:
    """The round trip; two seals of the same text differ."""
    first, second = (key.seal("access_token", 1, TOKEN) for _ in range(2))

    assert TOKEN.reveal() == key.open("access_token", 1, first).reveal()
    assert first != second
    assert b"CNRY" not in first


def test_it_opens_at_no_other_field_or_version(key: DataKey) -> None:
    """An access token does not open as a refresh token, nor an old version as the new one."""
    sealed = key.seal("access_token", 2, TOKEN)

    for field, version in (("refresh_token", 2), ("access_token", 1), ("access_token", 3)):
        with pytest.raises(VaultIntegrityError):
            key.open(field, version, sealed)


def test_it_opens_for_no_other_tenant_or_owner(keys: Vault) -> None:
    """A row moved to another connection or tenant, together with its wrapped key, does not open there."""
    mine, wrapped = keys.new_data_key(tenant_id="ten_a", owner_id="con_a")
    sealed = mine.seal("access_token", 1, TOKEN)
    other, _ = keys.new_data_key(tenant_id="ten_a", owner_id="con_b")

    with pytest.raises(VaultIntegrityError):
        other.open("access_token", 1, sealed)
    for tenant_id, owner_id in (("ten_b", "con_a"), ("ten_a", "con_b")):
        with pytest.raises(VaultIntegrityError):
            keys.open_data_key(wrapped, tenant_id=tenant_id, owner_id=owner_id)


def test_one_flipped_bit_anywhere_is_refused(key: DataKey) -> None:
    """Every byte position; cut short; empty; another format."""
    sealed = key.seal("access_token", 1, TOKEN)
    damaged = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]

    for broken in (*damaged, sealed[:-1], sealed[:12], b"", b"\x02" + sealed[1:]):
        with pytest.raises(VaultIntegrityError) as caught:
            key.open("access_token", 1, broken)
        assert "CNRY" not in str(caught.value)


def test_a_data_key_needs_its_own_wrapping_key(keys: Vault) -> None:
    """Another generation, or one that is gone, does not open it."""
    _, wrapped = keys.new_data_key(tenant_id="ten_a", owner_id="con_a")

    assert 2 == wrapped.number
    for number in (1, 3):
        with pytest.raises(VaultIntegrityError):
            keys.open_data_key(WrappedKey(number, wrapped.wrapped), tenant_id="ten_a", owner_id="con_a")


def test_a_key_file_is_for_its_owner_alone_and_reads_back(tmp_path: Path) -> None:
    """Mode 0400 in a folder 0700; 32 random bytes in hex."""
    made = vault.make_key(tmp_path / "keys", 1)

    assert {1: made} == vault.read_keys(tmp_path / "keys")
    assert 0o400 == stat.S_IMODE((tmp_path / "keys" / "vault-0001.key").stat().st_mode)
    assert 0o700 == stat.S_IMODE((tmp_path / "keys").stat().st_mode)
    assert [] == list((tmp_path / "keys").glob("*[!y]"))


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33])
def test_a_damaged_key_file_is_named(tmp_path: Path, content: str) -> None:
    """The sentence says which file and what to do."""
    (tmp_path / "vault-0001.key").write_text(content, encoding="ascii")

    with pytest.raises(vault.VaultKeyError, match=r"vault-0001\.key.*restore"):
        vault.read_keys(tmp_path)
