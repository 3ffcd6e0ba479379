"""Writes tests/data/old-volumes.tar.gz: the volumes as the old image's programs leave them, made by those programs.

`python -m tests.image.record_old_volumes`, where Dovecot 2.3, redis 7.0 and rspamd 3.4 are (Debian 12). What is in it,
as test_old_volumes.py expects it: two users with mail in INBOX, Received and A.B, one message seen and flagged; what
rspamd has learned, 3 spam and 2 ham, in redis' dump; the small files of rspamd's database.
"""

from __future__ import annotations

import imaplib
import shutil
import tarfile
import tempfile
from pathlib import Path

from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.chain.dovecot import PASSWORD, USERS, Dovecot
from tests.faults.spam import Spam
from tests.image.old_volumes import ARCHIVE, FOLDERS, letter

_LARGE = 20_000


def main() -> None:
    """Record them."""
    bed = Bed(spam=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            mail(bed, folder)
            learned(bed, folder)
        finally:
            bed.close()
        with tarfile.open(ARCHIVE, "w:gz") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, path.name)
    print(f"{ARCHIVE}: {ARCHIVE.stat().st_size} bytes")


def mail(bed: Bed, folder: Path) -> None:
    """The mailboxes, with Dovecot's indexes."""
    dovecot = Dovecot(bed, "dovecot", Authority(folder).issue("good"), mail="vmail")
    for path in folder.iterdir():
        path.unlink()
    print(bed.run("dovecot", "--version").out.decode())
    for user in USERS:
        for box in FOLDERS:
            for number in range(3):
                done = bed.run("/usr/libexec/dovecot/deliver", "-d", user, "-m", box, stdin=letter(user, box, number))
                assert done.status == 0, done
    with imaplib.IMAP4("127.0.0.1", dovecot.imap) as client:
        client.login(USERS[0], PASSWORD)
        client.select("INBOX")
        client.store("2", "+FLAGS", r"(\Seen \Flagged)")
        client.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)")
    shutil.copytree(dovecot.mail, folder / "mail")


def learned(bed: Bed, folder: Path) -> None:
    """What rspamd has in redis, and beside it."""
    Spam(bed)
    for kind, count in (("spam", 3), ("ham", 2)):
        for number in range(count):
            text = " ".join(f"{kind}{number}word{index}" for index in range(60))
            message = f"From: a@example.org\nMessage-ID: <{kind}{number}@x>\nSubject: {kind}\n\n{text}\n"
            done = bed.run("rspamc", "-h", "/run/spam/controller", f"learn_{kind}", stdin=message.encode())
            assert done.status == 0, done
    print(bed.run("rspamc", "-h", "/run/spam/controller", "stat").out.decode())
    assert bed.run("redis-cli", "-s", "/run/spam/redis", "save").out.strip() == b"OK"
    (folder / "redis").mkdir()
    (folder / "redis/dump.rdb").write_bytes(bed.run("cat", "/tmp/dump.rdb").out)
    (folder / "rspamd").mkdir()
    for path in (bed.folder / "run/spam/db").iterdir():
        if path.is_file() and path.stat().st_size < _LARGE:
            shutil.copyfile(path, folder / "rspamd" / path.name)


if __name__ == "__main__":
    main()
