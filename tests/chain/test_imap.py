"""The `imap` and `imaps` actions against the real Dovecot, with every kind of certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulesmith.delivery import imap
from rulesmith.effects import Failure
from tests.certificates import KINDS, Authority
from tests.chain.bed import Bed
from tests.chain.dovecot import PASSWORD, Dovecot
from tests.chain.messages import EVERY, PLAIN
from tests.chain.reader import mailbox, texts
from tests.chain.test_seed import configure
from tests.worlds import USER, a_world

MAILBOX = "user@example.com"
# What is said of each certificate that is not good; OpenSSL has written "self signed" in two ways.
WRONG = {
    "self-signed": r"certificate verification failed: self.signed certificate",
    "expired": r"certificate verification failed: certificate has expired",
    "other-name": r"certificate verification failed: no matching CN \(.*\)",
}


def append(
    server: Dovecot,
    kind: str = "imaps",
    *flags: str,
    host: bytes = b"localhost",
    folder: bytes = b"INBOX",
    password: str = PASSWORD,
    verify: bool = False,
    message: bytes = PLAIN,
) -> None:
    port = server.imaps if kind == "imaps" else server.imap
    args = (host, b"%d" % port, MAILBOX.encode(), password.encode(), folder, flags, kind)
    assert imap.deliver(args, message, USER, a_world(verify_certificates=verify)) == {}


@pytest.fixture(scope="module", params=KINDS)
def presenting(request: pytest.FixtureRequest, bed: Bed, authority: Authority) -> tuple[str, Dovecot]:
    """A server for each kind of certificate, with the kind."""
    return request.param, Dovecot(bed, f"presents-{request.param}", authority.issue(request.param), mail="provider")


@pytest.mark.parametrize("flags", [("imaps",), ("imap", "starttls")], ids=" ".join)
class TestCertificate:
    @pytest.fixture(autouse=True)
    def _trust(self, ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca))

    def stored(self, server: Dovecot) -> int:
        return len(list(server.mail.glob(f"{MAILBOX}/Maildir/new/*")))

    def test_is_not_looked_at_by_default(self, presenting: tuple[str, Dovecot], flags: tuple[str, ...]) -> None:
        server = presenting[1]
        server.clear()
        append(server, *flags)
        assert self.stored(server) == 1

    def test_is_not_looked_at_with_no_verify(self, presenting: tuple[str, Dovecot], flags: tuple[str, ...]) -> None:
        server = presenting[1]
        server.clear()
        append(server, *flags, "no-verify", verify=True)
        assert self.stored(server) == 1

    @pytest.mark.parametrize("host", [b"localhost", b"127.0.0.1"])
    def test_must_be_good_with_verify_certificates(
        self, presenting: tuple[str, Dovecot], flags: tuple[str, ...], host: bytes
    ) -> None:
        kind, server = presenting
        server.clear()
        if kind == "good":
            append(server, *flags, host=host, verify=True)
            assert self.stored(server) == 1
        else:
            with pytest.raises(Failure, match=f"^{WRONG[kind]}$"):
                append(server, *flags, host=host, verify=True)
            assert self.stored(server) == 0


def test_messages_arrive_octet_for_octet_but_for_the_last_line_feed_as_with_fdm(dovecot: Dovecot, ca: Path) -> None:
    for message in EVERY.values():
        append(dovecot, message=message)
    assert texts(dovecot.imaps, ca, MAILBOX) == [each.removesuffix(b"\n") for each in EVERY.values()]


def test_a_message_is_new_in_its_folder(dovecot: Dovecot, ca: Path) -> None:
    append(dovecot)
    [(about, _)] = mailbox(dovecot.imaps, ca, MAILBOX)
    assert b"\\Seen" not in about


@pytest.mark.parametrize("folder", ["Lists", "With blanks", "Entw&APw-rfe"])
def test_a_folder_that_is_missing_is_made(dovecot: Dovecot, ca: Path, folder: str) -> None:
    append(dovecot, folder=folder.encode())
    append(dovecot, folder=folder.encode())
    assert len(texts(dovecot.imaps, ca, MAILBOX, f'"{folder}"')) == 2


@pytest.mark.parametrize(
    "flags",
    [(), ("no-cram-md5",), ("no-cram-md5", "no-plain")],
    ids=["CRAM-MD5", "PLAIN", "LOGIN"],
)
def test_the_server_accepts_every_way_to_log_in(dovecot: Dovecot, ca: Path, flags: tuple[str, ...]) -> None:
    append(dovecot, "imaps", *flags)
    assert len(texts(dovecot.imaps, ca, MAILBOX)) == 1


def test_a_wrong_password_is_a_failure_in_the_words_of_the_server(bed: Bed, authority: Authority) -> None:
    # A server of its own: after a failed login Dovecot lets the next one from the same address wait.
    strict = Dovecot(bed, "strict", authority.issue("good"), mail="provider")
    with pytest.raises(Failure, match=r"^unexpected data: 2 NO \[AUTHENTICATIONFAILED\]"):
        append(strict, password="wrong")


def test_tls_is_not_spoken_to_a_port_without_it(dovecot: Dovecot) -> None:
    args = (b"localhost", b"%d" % dovecot.imap, MAILBOX.encode(), PASSWORD.encode(), b"INBOX", (), "imaps")
    with pytest.raises(Failure, match=r"^SSL_connect: "):
        imap.deliver(args, PLAIN, USER, a_world())


def test_the_door_delivers_by_imaps(bed: Bed, dovecot: Dovecot, ca: Path) -> None:
    configure(
        bed,
        'account "stdin" stdin\nset no-received\n'
        f'match all action imaps server "localhost" port {dovecot.imaps} user "{MAILBOX}" pass "{PASSWORD}"'
        ' folder "Copies"\n',
    )
    done = bed.run("sh", "-c", "fdm -f ~/fdm.conf -m fetch", stdin=PLAIN)
    assert done.status == 0, done
    assert texts(dovecot.imaps, ca, MAILBOX, "Copies") == [PLAIN.removesuffix(b"\n")]
