"""A backup of the running server, and what a restore into an empty one gives back."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.house import CAREFUL, Container, quoted, until

USERS = {"anna@example.com": "one", "ü b+c@example.com": "two"}
# As deliver takes them.
FOLDERS = ("INBOX", "Junk", "Lists.py", "ärger")
# Delivers and moves until it is told to stop: each message has its number, and is always in one folder.
_LOAD = """
import imaplib, ssl, subprocess, sys, time, pathlib
user, password = sys.argv[1:]
context = ssl._create_unverified_context()
client = imaplib.IMAP4_SSL('127.0.0.1', 993, ssl_context=context)
client.authenticate('PLAIN', lambda _: f'\\0{user}\\0{password}'.encode())
boxes = ['INBOX', 'Junk', 'Lists.py']
turn = 0
while not pathlib.Path('/tmp/stop').exists():
    subprocess.run(['/usr/libexec/dovecot/deliver', '-d', user], check=True,
                   input=b'Subject: late %d\\nX-Late: %d\\n\\nbody\\n' % (turn, turn))
    client.select('"' + boxes[turn % 3] + '"')
    assert client.uid('STORE', '1:*', '+FLAGS', r'(\\Seen)')[0] == 'OK'
    assert client.uid('MOVE', '1:*', '"' + boxes[(turn + 1) % 3] + '"')[0] == 'OK'
    turn += 1
    pathlib.Path('/tmp/turns').write_text(str(turn))
"""

Mailbox = dict[str, tuple[bytes, list[tuple[str, str, str, bytes]]]]


def _letter(number: int) -> bytes:
    words = " ".join(uuid.uuid4().hex for _ in range(40))
    return f"From: a@example.com\nSubject: letter {number}\nMessage-ID: <{uuid.uuid4()}@x>\n\n{words}\n".encode()


def _contents(house: Container, user: str) -> Mailbox:
    """Each folder with its UIDVALIDITY, and of each message UID, flags, date and octets."""
    client = house.login(user, USERS[user])
    found = {}
    _, listed = client.list()
    for line in listed:
        assert isinstance(line, bytes)
        if re.search(rb"\\(NonExistent|Noselect)", line, re.IGNORECASE):
            continue
        name = line.decode().rpartition(' "." ')[2].strip('"')
        client.select(quoted(name), readonly=True)
        validity = client.response("UIDVALIDITY")[1][0]
        _, messages = client.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])")
        rows = []
        for each in messages:
            if isinstance(each, tuple):
                head = each[0].decode()
                uid, flags, date = (
                    re.search(pattern, head) for pattern in (r"UID (\d+)", r"FLAGS \(([^)]*)", r'DATE "([^"]*)"')
                )
                assert uid
                assert flags
                assert date
                marks = " ".join(sorted({*flags[1].split()} - {"\\Recent"}))
                rows.append((uid[1], marks, date[1], each[1]))
        # Dovecot writes the number of an empty folder down when there is a message in it.
        found[name] = (validity if rows else b"", rows)
    client.logout()
    return found


def _furnish(house: Container) -> None:
    """Some of everything: mail with flags, a message in the queue, something learned, a user's files."""
    for user, password in USERS.items():
        house.user(user, passwd="{PLAIN}" + password)


def _fill(house: Container) -> None:
    for user, password in USERS.items():
        until(lambda user=user: house.has_user(user), user)  # type: ignore[misc]
        for name in FOLDERS:
            for number in range(4):
                assert house.deliver(user, _letter(number), "-m", name).status == 0
        client = house.login(user, password)
        client.select("INBOX")
        client.store("1:2", "+FLAGS", r"(\Seen \Flagged $Later)")
        client.expunge()
        client.append('"Lists.py"', r"(\Answered)", '"01-Feb-2003 04:05:06 +0700"', b"Subject: old\r\n\r\nbody\r\n")
        client.logout()
    assert house.exec("rulesmith", "learn", "--mailbox", "anna@example.com", "ärger").status == 0
    house.sh(
        """cat >/tmp/c <<'END'
account "stdin" disabled stdin
action "a" pipe "exit 1"
match all action "a"
END
printf 'Subject: waits\\n\\nbody\\n' | HOME=/tmp fdm -a stdin -f /tmp/c -m fetch""",
        user="vmail",
    )
    assert "exit" in house.sh("rulesmith queue list", user="vmail")


@pytest.fixture(scope="module")
def backed_up(containers: Callable[[], Container], tmp_path_factory: pytest.TempPathFactory) -> tuple[Container, Path]:
    """A server and the folder of its backups; one was made while mail came and was moved."""
    backups = tmp_path_factory.mktemp("backups")
    house = containers()
    _furnish(house)
    house.create(*CAREFUL, f"--volume={backups}:/backup")
    _fill(house)
    return house, backups


def _restored(there: Container, backups: Path, name: str) -> None:
    """Into volumes that no server has seen, by a container for this alone."""
    there.run(*CAREFUL, f"--volume={backups}:/backup", command=("rulesmith", "restore", f"/backup/{name}"))
    until(lambda: "exited" in there.state(), "restored")
    assert "exited 0" in there.state(), there.logs()
    there.remove()


def test_a_restore_into_an_empty_server_gives_back_every_mailbox(
    backed_up: tuple[Container, Path], containers: Callable[[], Container]
) -> None:
    house, backups = backed_up
    done = house.exec("rulesmith", "backup", "/backup/quiet")
    assert done.status == 0, done
    assert re.search(r"/backup/quiet: 2 mailboxes with 34 messages, 1 in the queue, \d+ files, ", done.text)
    assert [path.name for path in backups.iterdir()] == ["quiet"]
    before = {user: _contents(house, user) for user in USERS}
    there = containers()
    _restored(there, backups, "quiet")
    there.create(*CAREFUL)
    for user in USERS:
        until(lambda user=user: there.has_user(user), user)  # type: ignore[misc]
        assert _contents(there, user) == before[user]
    queued = [path.name for path in house.mail.glob(".rulesmith/queue/*.mail")]
    assert [path.name for path in there.mail.glob(".rulesmith/queue/*.mail")] == queued
    assert len(queued) == 1
    counts = "redis-cli hget RS learns_ham"
    assert there.sh(counts) == house.sh(counts) == "4\n"
    assert there.certificate() == house.certificate()
    # The numbers of messages go on where they were: no client takes a new one for one it has.
    highest = max(int(uid) for uid, *_ in before["anna@example.com"]["INBOX"][1])
    assert there.deliver("anna@example.com", _letter(99)).status == 0
    assert int(_contents(there, "anna@example.com")["INBOX"][1][-1][0]) > highest


def test_a_backup_under_load_misses_no_message(
    backed_up: tuple[Container, Path], containers: Callable[[], Container]
) -> None:
    house, backups = backed_up
    user = "anna@example.com"
    still = {row[3] for _, rows in _contents(house, user).values() for row in rows}
    house.sh(
        "rm -f /tmp/stop /tmp/turns; printf '%s' \"$0\" >/tmp/load.py".replace('"$0"', f"'{_quoted(_LOAD)}'"),
        user="vmail",
    )
    house.exec("sh", "-c", f"python3 -I /tmp/load.py {user} {USERS[user]} >/tmp/load.out 2>&1 &", user="vmail")
    turns = 0
    for number in range(3):
        until(lambda low=turns: int(house.exec("cat", "/tmp/turns").out or b"0") > low + 5, "a load")  # type: ignore[misc]
        turns = int(house.sh("cat /tmp/turns"))
        done = house.exec("rulesmith", "backup", f"/backup/load{number}")
        assert done.status == 0, done
        found = Counter(path.read_bytes() for path in (backups / f"load{number}" / "vmail" / user).rglob("*:2,*"))
        found += Counter(path.read_bytes() for path in (backups / f"load{number}" / "vmail" / user).glob("**/new/*"))
        late = {int(each[1]) for octets in found if (each := re.search(rb"X-Late: (\d+)", octets))}
        assert late >= set(range(turns)), "what was delivered before the backup began"
        assert {octets.replace(b"\r\n", b"\n") for octets in still} <= {
            octets.replace(b"\r\n", b"\n") for octets in found
        }
        # A move is a copy first, so what is on its way may be in both of its folders, and in no third one.
        assert set(found.values()) <= {1, 2}
    house.sh("touch /tmp/stop", user="vmail")
    until(lambda: "load.py" not in house.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "the end of the load")
    assert "Traceback" not in house.sh("cat /tmp/load.out")
    # Moves teach, and that does not get into its own way.
    assert "failed to execute to program" not in house.logs()
    there = containers()
    _restored(there, backups, "load2")
    there.create()
    until(lambda: there.has_user(user), user)
    seen = Counter(row[3] for _, rows in _contents(there, user).values() for row in rows)
    assert sum(seen.values()) >= len(still) + turns


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def test_a_running_server_restores_itself_and_ends(
    backed_up: tuple[Container, Path], containers: Callable[[], Container]
) -> None:
    house, backups = backed_up
    assert house.exec("rulesmith", "backup", "/backup/self").status == 0
    before = {user: _contents(house, user) for user in USERS}
    there = containers()
    there.create(*CAREFUL, f"--volume={backups}:/backup")
    done = there.exec("rulesmith", "restore", "/backup/self")
    assert "the container ends now" in done.text, done
    until(lambda: "exited 0" in there.state(), "the end")
    there.start()
    there.wait()
    for user in USERS:
        until(lambda user=user: there.has_user(user), user)  # type: ignore[misc]
        assert _contents(there, user) == before[user]


def test_what_is_there_is_not_replaced_without_being_told(backed_up: tuple[Container, Path]) -> None:
    house, _ = backed_up
    assert house.exec("rulesmith", "backup", "/backup/first").status == 0
    again = house.exec("rulesmith", "backup", "/backup/first")
    assert (again.status, "/backup/first exists already" in again.text) == (1, True)
    done = house.exec("rulesmith", "restore", "/backup/first")
    assert done.status == 1
    assert "there is something already" in done.text
    assert "/home/vmail/anna@example.com" in done.text
    assert house.deliver("anna@example.com", _letter(7)).status == 0


def test_another_container_does_not_restore_under_a_running_one(backed_up: tuple[Container, Path]) -> None:
    house, backups = backed_up
    assert house.exec("rulesmith", "backup", "/backup/under").status == 0
    other = Container()
    other.close()
    other.folder = house.folder
    try:
        other.run(f"--volume={backups}:/backup", command=("rulesmith", "restore", "--force", "/backup/under"))
        until(lambda: "exited" in other.state(), "an end")
        assert "exited 1" in other.state()
        assert "a server runs on these volumes" in other.logs()
    finally:
        other.remove()
