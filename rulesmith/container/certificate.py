"""The certificate of IMAP: an own one from /config/etc/ssl/dovecot, or one that is made once and then kept.

Dovecot notices neither a key that is none nor one of another certificate, and then serves nobody; so a pair is checked
before it gets one, and a wrong one leaves the last good one in place.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.container.accounts import acting_as, as_owner

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.container.accounts import Account

PEM, KEY = "server.pem", "server.key"
_DAYS = 3650
_BLOCK = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n.*?-----END \1-----\n", re.DOTALL)


class Pair(NamedTuple):
    """A certificate, with what else its file holds, and its key: the octets of the files."""

    pem: bytes
    key: bytes


class Refused(Exception):
    """A pair that Dovecot could not use; the text says why."""


class Certificate:
    """What Dovecot shows its clients.

    `own` is the folder of the user's pair, `store` the folder in the volume (its owner `keeper`), `target` the folder
    that Dovecot reads.
    """

    def __init__(self, own: Path, store: Path, target: Path, keeper: Account, say: Callable[[str], None]) -> None:
        self._own, self._store, self._target = own, store, target
        self._keeper, self._say = keeper, say
        self._looked: tuple[object, ...] | None = None
        self._settled: tuple[object, ...] | None = None

    def settle(self) -> bool:
        """Put the pair that holds at the start into its place; whether it is another than the one there."""
        self._looked = self._settled = self._look()
        return self._install()

    def changed(self) -> bool:
        """Look for a change, every second or so; whether Dovecot has to be told.

        Two files are written one after the other, so a change counts when the next look finds nothing new.
        """
        looked, self._looked = self._looked, self._look()
        if looked != self._looked or self._looked == self._settled:
            return False
        self._settled = self._looked
        return self._install()

    def _look(self) -> tuple[object, ...]:
        return tuple(_signature(self._own / name) for name in (PEM, KEY))

    def _install(self) -> bool:
        pair = self._chosen()
        self._target.mkdir(mode=0o755, parents=True, exist_ok=True)
        if _read(self._target) == pair:
            return False
        _write(self._target, pair)
        return True

    def _chosen(self) -> Pair:
        if not any(as_owner(self._own, (self._own / name).exists) for name in (PEM, KEY)):
            return self._kept("server") or self._made()
        try:
            pair = self._given()
        except Refused as error:
            last = self._kept("own")
            what = "the last good one is used" if last else "the self-signed one is used"
            self._say(f"{self._own}: {error}; {what}")
            return last or self._kept("server") or self._made()
        self._keep("own", pair)
        late = expiry(pair)
        if late:
            self._say(f"{self._own / PEM}: {late}")
        return pair

    def _given(self) -> Pair:
        try:
            pair = Pair(*(as_owner(path, path.read_bytes) for path in (self._own / PEM, self._own / KEY)))
        except OSError as error:
            raise Refused(f"{Path(error.filename).name} cannot be read: {error.strerror}") from None
        check(pair)
        return pair

    def _kept(self, name: str) -> Pair | None:
        """A pair of the volume; None where there is none that is whole."""
        with acting_as(self._keeper):
            pair = _read(self._store, name)
        try:
            if pair:
                check(pair)
        except Refused:
            return None
        return pair

    def _keep(self, name: str, pair: Pair) -> None:
        try:
            with acting_as(self._keeper):
                self._store.mkdir(mode=0o700, exist_ok=True)
                if _read(self._store, name) != pair:
                    _write(self._store, pair, name)
        except OSError as error:
            # It can be used all the same, only a later start does not find it.
            self._say(f"{self._store}: the certificate cannot be kept: {error.strerror}")

    def _made(self) -> Pair:
        pair = make()
        self._keep("server", pair)
        self._say(f"a self-signed certificate was made, for {_DAYS // 365} years; it is kept in {self._store}")
        return pair


def check(pair: Pair) -> None:
    """Raises Refused where a server could not use it."""
    handles = []
    try:
        for octets in pair:
            # Neither a name nor a file on a disk: keys do not lie about.
            handle = os.memfd_create("pair")
            handles.append(handle)
            os.write(handle, octets)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        paths = [f"/proc/self/fd/{handle}" for handle in handles]
        try:
            context.load_cert_chain(paths[0], paths[1], password=_no_password)
        except ssl.SSLError as error:
            raise Refused(_why(error, pair)) from None
    finally:
        for handle in handles:
            os.close(handle)


def expiry(pair: Pair) -> str:
    """What there is to say about its end within two weeks; nothing if that is far away."""
    for seconds, text in ((0, "has expired"), (14 * 86400, "expires within two weeks")):
        asked = subprocess.run(
            ["openssl", "x509", "-noout", "-checkend", str(seconds), "-enddate"],
            input=pair.pem,
            capture_output=True,
            check=False,
        )
        if asked.returncode == 1:
            when = asked.stdout.decode().partition("notAfter=")[2].split("\n", 1)[0]
            return f"the certificate {text} ({when})"
    return ""


def make() -> Pair:
    """A key of its own and a certificate that it has signed itself."""
    done = subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", str(_DAYS), "-subj", "/CN=rulesmith"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=DNS:localhost", "-addext", "extendedKeyUsage=serverAuth"),
            *("-keyout", "/dev/stdout", "-out", "/dev/stdout"),
        ],
        capture_output=True,
        check=True,
    )
    blocks = {found[1]: found[0] for found in _BLOCK.finditer(done.stdout)}
    pair = Pair(blocks[b"CERTIFICATE"], blocks[b"PRIVATE KEY"])
    check(pair)
    return pair


def _why(error: ssl.SSLError, pair: Pair) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{KEY} is not the key of {PEM}"
    if b"ENCRYPTED" in pair.key:
        return f"{KEY} is locked with a password, and nobody is there to type it"
    broken = (
        PEM if b"-----BEGIN CERTIFICATE-----" not in pair.pem else KEY if b"PRIVATE KEY-----" not in pair.key else ""
    )
    if broken:
        return f"{broken} is no PEM file of its kind"
    return f"{PEM} and {KEY} cannot be used: {error.reason or error}"


def _no_password() -> str:
    return ""


def _signature(path: Path) -> tuple[int, int, int] | str | None:
    try:
        found = as_owner(path, path.stat)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error.strerror
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(folder: Path, name: str = "server") -> Pair | None:
    try:
        return Pair((folder / f"{name}.pem").read_bytes(), (folder / f"{name}.key").read_bytes())
    except FileNotFoundError:
        return None


def _write(folder: Path, pair: Pair, name: str = "server") -> None:
    for suffix, octets, mode in ((".key", pair.key, 0o600), (".pem", pair.pem, 0o644)):
        fresh = folder / f".{name}{suffix}.new"
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            os.fchmod(handle, mode)
            os.write(handle, octets)
            os.fsync(handle)
        finally:
            os.close(handle)
        fresh.rename(folder / f"{name}{suffix}")
