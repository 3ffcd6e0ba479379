"""Certificates for servers under test: good ones, and one for each thing that can be wrong with one."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KINDS = ("good", "self-signed", "expired", "other-name")


@dataclass(frozen=True)
class Pair:
    """Two PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority of our own; `path` is its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Authority of a test")
        self._certificate = (
            _begin(self._name, self._name, self._key, days=(-1, 30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, kind: str, host: str = "localhost") -> Pair:
        """A pair of one of the KINDS for `host` and 127.0.0.1 (`other-name`: for neither)."""
        key = ec.generate_private_key(ec.SECP256R1())
        host = "elsewhere.example" if kind == "other-name" else host
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if kind != "other-name":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        own = kind == "self-signed"
        days = (-30, -1) if kind == "expired" else (-1, 30)
        certificate = (
            _begin(_name(host), _name(host) if own else self._name, key, days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key if own else self._key, hashes.SHA256())
        )
        pair = Pair(self._folder / f"{kind}.pem", self._folder / f"{kind}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: tuple[int, int]
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
    )
