"""The volumes as the old image leaves them: other owners, Dovecot 2.3's maildirs, redis 7.0's dump, an old database."""

from __future__ import annotations

import pytest

from tests.image.house import CAREFUL, Container, until
from tests.image.old_volumes import FOLDERS, OWNERS, lay_out, letter

USERS = ("user@example.com", "alias@example.com")
PASSWORD = "password"


def begin(container: Container, *options: str) -> None:
    lay_out(container)
    for user in USERS:
        container.user(user, passwd="{PLAIN}" + PASSWORD)
    container.create(*options)
    until(lambda: all(container.has_user(user) for user in USERS), "both users")


@pytest.mark.parametrize("options", [(), CAREFUL], ids=["plain", "read-only"])
def test_everything_is_taken_over_and_read_over_imaps(container: Container, options: tuple[str, ...]) -> None:
    begin(container, *options)
    for user in USERS:
        for folder in FOLDERS:
            expected = [letter(user, folder, number) for number in range(3)]
            assert container.mailbox(user, PASSWORD, folder) == expected
    client = container.login(USERS[0], PASSWORD)
    client.select("INBOX", readonly=True)
    _, flags = client.fetch("1:*", "(FLAGS)")
    assert [rb"\Seen" in each and rb"\Flagged" in each for each in flags if isinstance(each, bytes)] == [
        False,
        True,
        False,
    ]
    client.logout()
    # New mail comes to the old.
    assert container.deliver(USERS[0], b"Subject: new\n\nnew\n", "-m", "A.B").status == 0
    assert container.mailbox(USERS[0], PASSWORD, "A.B")[3:] == [b"Subject: new\n\nnew\n"]
    for volume, user in (("mail", "vmail"), ("redis", "redis"), ("rspamd", "_rspamd")):
        uid, gid = (int(container.sh(f"id {letter} {user}")) for letter in ("-u", "-g"))
        top = container.folder / volume
        found = {(path.lstat().st_uid, path.lstat().st_gid) for path in (top, *top.rglob("*"))}
        assert found == {(uid, gid)}
        assert top.stat().st_mode & 0o077 == 0
    assert f"belonged to user {OWNERS['mail'][0]}" in container.saw("/home/vmail: took over")


def test_what_rspamd_had_learned_is_there_also_after_the_next_starts(container: Container) -> None:
    begin(container)
    learned(container)
    assert (container.folder / "redis/appendonlydir/appendonly.aof.manifest").exists()
    container.remove()
    # From now on the append-only file counts: the dump that an old image may write is not taken a second time.
    container.create()
    learned(container)
    container.kill()
    until(lambda: not container.is_ready(), "dead")
    container.start()
    container.wait()
    learned(container)


def learned(container: Container) -> None:
    """Bayes knows three spam and two ham."""
    assert container.sh("redis-cli hmget RS learns_spam learns_ham").split() == ["3", "2"]


def test_a_take_over_that_was_interrupted_is_continued(container: Container) -> None:
    lay_out(container)
    top = container.mail
    done = [top / USERS[0], *(top / USERS[0]).rglob("*")]
    for path in done:
        path.chmod(0o700) if path.is_dir() else None
    container.run(command=("python3", "-c", INTERRUPTED))
    container.saw("interrupted")
    container.remove()
    owners = {path.lstat().st_uid for path in (top, *top.rglob("*"))}
    assert {0, OWNERS["mail"][0], 5000} <= owners
    for user in USERS:
        container.user(user, passwd="{PLAIN}" + PASSWORD)
    container.create(*CAREFUL)
    until(lambda: all(container.has_user(user) for user in USERS), "both users")
    assert {path.lstat().st_uid for path in (top, *top.rglob("*"))} == {5000}
    for user in USERS:
        assert container.mailbox(user, PASSWORD, "A.B") == [letter(user, "A.B", number) for number in range(3)]


# Dies in the middle, after some forty files.
INTERRUPTED = """
import os, sys
sys.path.insert(0, "/opt/rulesmith/lib/python3.13/site-packages")
from pathlib import Path
from rulesmith.container import accounts, volumes
real, count = os.chown, 0
def chown(*words, **more):
    global count
    count += 1
    if count == 40:
        print("interrupted", flush=True)
        os._exit(0)
    real(*words, **more)
os.chown = chown
volumes.take_over(Path("/home/vmail"), accounts.account("vmail"), print)
"""


def test_a_link_is_not_followed(container: Container) -> None:
    lay_out(container)
    (container.folder / "outside").mkdir()
    (container.folder / "outside/file").write_text("x")
    (container.mail / "link").symlink_to("/config")
    (container.mail / USERS[0] / "passwd").symlink_to("/etc/passwd")
    (container.config / "mine").write_text("x")
    container.create()
    assert (container.config / "mine").stat().st_uid == 0
    assert (container.mail / "link").lstat().st_uid == 5000
    assert container.sh("stat -c %u /etc/passwd").strip() == "0"


def test_a_damaged_dump_is_said_and_nothing_else_waits_for_it(container: Container) -> None:
    lay_out(container)
    dump = container.folder / "redis/dump.rdb"
    dump.write_bytes(dump.read_bytes()[:100])
    container.run()
    container.saw("dump.rdb cannot be loaded")
    until(lambda: container.exec("s6-svwait", "-U", "-t", "1", "/run/s6/dovecot").status == 0, "Dovecot")
    # Nothing was thrown away.
    assert dump.exists()
