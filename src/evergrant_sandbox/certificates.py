"""A small certificate authority in the sandbox's folder: it can vouch for the platform's names and for nothing else."""

import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = "hosts"

_AUTHORITY_LIFE = timedelta(days=365)
# An authority this near its end is replaced by a new one, which has to be trusted anew.
_AUTHORITY_NEAR_ITS_END = timedelta(days=60)
_CERTIFICATE_LIFE = timedelta(days=30)
# The clocks of two processes on one machine, or of a container, may differ a little.
_SKEW = timedelta(hours=1)

_EVERY_ADDRESS = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))

Dice = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Papers:
    """Where the certificates lie: the authority's, for clients to trust, and the server's own with its key."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(folder: Path, names: Sequence[str], *, now: float, dice: Dice) -> Papers:
    """A fresh certificate for these names from the folder's authority, which is made if there is none that will do.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    papers = Papers(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    at = datetime.fromtimestamp(now, UTC)
    authority = _kept(folder, names, at) or _founded(folder, names, at, dice)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server_certificate(authority, key, names, at, dice)
    _write(papers.certificate, _pem(certificate) + _pem(authority.certificate), mode=0o644)
    _write(papers.key, _key_pem(key), mode=0o600)
    return papers


def _kept(folder: Path, names: Sequence[str], at: datetime) -> _Authority | None:
    """The authority of an earlier start, unless it is missing, spoilt, about to end, or for other names."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), password=None)
        limits = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        return None
    if not certificate.not_valid_before_utc <= at < certificate.not_valid_after_utc - _AUTHORITY_NEAR_ITS_END:
        return None
    if {each.value for each in limits.permitted_subtrees or ()} != set(names):
        return None
    return _Authority(certificate, key)


def _founded(folder: Path, names: Sequence[str], at: datetime, dice: Dice) -> _Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Evergrant sandbox on this machine")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    limits = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(each) for each in names],
        excluded_subtrees=[x509.IPAddress(each) for each in _EVERY_ADDRESS],
    )
    certificate = (
        _begun(name, name, key.public_key(), at, _AUTHORITY_LIFE, dice)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(limits, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "authority.key", _key_pem(key), mode=0o600)
    _write(folder / "authority.pem", _pem(certificate), mode=0o644)
    return _Authority(certificate, key)


def _server_certificate(
    authority: _Authority, key: ec.EllipticCurvePrivateKey, names: Sequence[str], at: datetime, dice: Dice
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    mine = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    begun = _begun(authority.certificate.subject, subject, key.public_key(), at, _CERTIFICATE_LIFE, dice)
    return (
        begun.add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(mine, critical=False)
        .add_extension(parent, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _begun(
    issuer: x509.Name,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    at: datetime,
    life: timedelta,
    dice: Dice,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=int.from_bytes(dice(16), "big") | 1,
        not_valid_before=at - _SKEW,
        not_valid_after=at + life,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Put a file in place at once, never readable by others for a moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.replace(path)
