"""`rulesmith dry-run --imap` against the real Dovecot: it sees the mail, and leaves no trace of having done so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith
from tests.chain.dovecot import PASSWORD, Dovecot
from tests.chain.messages import PLAIN
from tests.chain.test_imap import MAILBOX, append

LONG = b"Subject: long\n\n" + b"0123456789\n" * 100_000


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "fdm.conf"
    path.write_text('set no-received account "stdin" stdin\nmatch size > 1M action drop\nmatch all action keep\n')
    path.chmod(0o600)
    (tmp_path / "password").write_text(PASSWORD)
    return path


def dry_run(conf: Path, url: str) -> Result:
    password = str(conf.parent / "password")
    words = ["dry-run", "-f", str(conf), "--format", "json", "--imap", url, "--password-file", password]
    return CliRunner().invoke(rulesmith, words)


@pytest.mark.parametrize("kind", ["imap", "imaps"])
def test_every_message_is_seen_and_none_is_touched(
    provider: Dovecot, conf: Path, ca: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    for message in (PLAIN, LONG):
        append(provider, message=message)
    before = files(provider)
    port = provider.imaps if kind == "imaps" else provider.imap
    result = dry_run(conf, f"{kind}://{MAILBOX.replace('@', '%40')}@localhost:{port}/INBOX")
    *shown, _ = map(json.loads, result.stdout.splitlines())
    assert [each["outcome"] for each in shown] == ["kept", "dropped"], result.output
    assert len(before) == 2
    assert files(provider) == before


def files(server: Dovecot) -> list[Path]:
    """The messages, whose names say whether somebody has seen them."""
    return sorted(server.mail.glob(f"{MAILBOX}/Maildir/[nc][eu][wr]/*"))


def test_a_certificate_that_nobody_vouches_for_is_75(provider: Dovecot, conf: Path) -> None:
    result = dry_run(conf, f"imaps://{MAILBOX.replace('@', '%40')}@localhost:{provider.imaps}/INBOX")
    assert result.exit_code == 75
    assert "certificate verify failed" in result.output


def test_a_folder_that_is_not_there_is_75(provider: Dovecot, conf: Path) -> None:
    result = dry_run(conf, f"imap://{MAILBOX.replace('@', '%40')}@localhost:{provider.imap}/No%20such")
    assert result.exit_code == 75
    assert "the folder No such was refused" in result.output
