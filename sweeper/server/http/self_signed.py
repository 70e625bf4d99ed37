"""A TLS certificate of our own making, for servers that only their own user's commands and workers call."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sweeper import private_files
from sweeper.server.store.users import CERTIFICATE, CERTIFICATE_KEY

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DAYS, RENEWED_AT = 3650, 90
"""For which it holds, and how many before its end a server that starts makes another one."""
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 compared, not bound


def make(data: Path, host: str, names: Iterable[str] = ()) -> tuple[Path, Path]:
    """Make a certificate and its key in a data directory, where none is that serves; give both files.

    One that has all these names stays: clients that trust it go on after a restart.

    Args:
        data: The data directory.
        host: The address that the server listens on.
        names: Further names that clients call it by.

    Raises:
        OSError: They cannot be written.
        ValueError: The key that is there is none.
    """
    from cryptography.hazmat.primitives import serialization

    certificate, key_file = data / CERTIFICATE, data / CERTIFICATE_KEY
    key = _key(key_file)
    wanted = [_general(name) for name in _names(host, names)]
    if _serves(certificate, key, wanted):
        return certificate, key_file
    made = _signed(key, wanted)
    private_files.replace(certificate, made.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return certificate, key_file


def _key(file: Path) -> EllipticCurvePrivateKey:
    """Read the key, or make it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    if file.exists():
        try:
            found = serialization.load_pem_private_key(file.read_bytes(), password=None)
        except (ValueError, TypeError) as error:  # no PEM, or one with a password
            raise ValueError(f"{file} holds no key that can be read: {error}") from error
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{file} holds no key of ours")
        return found
    fresh = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    text = fresh.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    private_files.replace(file, text.decode("ascii"))
    return fresh


def _serves(certificate: Path, key: EllipticCurvePrivateKey, wanted: list[x509.GeneralName]) -> bool:
    from cryptography import x509

    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    until = found.not_valid_after_utc - datetime.timedelta(days=RENEWED_AT)
    return (
        found.public_key() == key.public_key() and {*wanted} <= {*names} and datetime.datetime.now(datetime.UTC) < until
    )


def _names(host: str, more: Iterable[str]) -> list[str]:
    """List what clients may call the server: where it listens everywhere, all names and addresses of this machine."""
    own = [socket.gethostname()]
    if host in EVERYWHERE:
        addresses = [one for found in psutil.net_if_addrs().values() for one in found]
        own += [one.address.partition("%")[0] for one in addresses if one.family in {socket.AF_INET, socket.AF_INET6}]
    else:
        own.append(host)
    return list(dict.fromkeys([*own, "localhost", "127.0.0.1", *(name for name in more if name != "*")]))


def _signed(key: EllipticCurvePrivateKey, names: list[x509.GeneralName]) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sweeper server")])
    now, public = datetime.datetime.now(datetime.UTC), key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        **dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False),
        **dict.fromkeys(("crl_sign", "encipher_only", "decipher_only"), False),
    )
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))  # the clocks of a cluster's nodes differ
    builder = builder.not_valid_after(now + datetime.timedelta(days=DAYS))
    own = x509.SubjectKeyIdentifier.from_public_key(public)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (own, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    from cryptography import x509

    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name.encode("idna").decode("ascii"))
