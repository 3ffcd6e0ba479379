"""Peak memory: 64 MiB and three times the message, whatever the rules do with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promise.mailboxes import serving
from tests.promise.room import Room

ROOT = Path(__file__).parent.parent.parent
MIB = 1 << 20
SIZE = 40 * MIB
HEAD = b"From: x@example.org\nSubject: large\nX-Folded: a\n b\n\n"
LINE = b"The quick brown fox jumps over the lazy dog, and so on, and so on.\n"
VIEWS = 'match "no such[0-9]" in all action drop\nmatch "quick (brown|red) foy" in body action drop\n'
RULES = {
    "maildir": 'match all action maildir "a"\n',
    "mbox": 'match all action { mbox "a" mbox "b" }\n',
    "conditions": VIEWS + 'match all action { maildir "a" pipe "cat >/dev/null" mbox "b" }\n',
    "changes": 'match all action rewrite "cat" continue\n'
    + VIEWS
    + 'match all action { add-header "X" value "1" remove-header "From" maildir "a" }\n',
    "failure": VIEWS + 'match all action { maildir "a" pipe "false" }\n',
}


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
@pytest.mark.parametrize("rules", RULES)
def test_memory_has_a_bound(rules: str, queue: bool, tmp_path: Path) -> None:
    room = Room(tmp_path, queue, RULES[rules], f"set maximum-size {2 * SIZE}\n")
    status = 75 if rules == "failure" and not queue else 0
    assert _peak(room, LINE, SIZE, status) <= 64 * MIB + 3 * SIZE


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
@pytest.mark.parametrize("full", ["", "user@x"], ids=["stored", "refused"])
def test_several_mailboxes_at_once_have_the_same_bound(full: str, queue: bool, tmp_path: Path) -> None:
    deliver = "/usr/libexec/dovecot/deliver -d user@x"
    rules = VIEWS + f'match all action {{ pipe "{deliver}" pipe "{deliver} -m Received" }}\n'
    settings = f'set maximum-size {2 * SIZE}\nset dovecot "{tmp_path}/lmtp"\nset dovecot-folders\n'
    room = Room(tmp_path, queue, rules, settings)
    with serving(tmp_path / "lmtp") as mailboxes:
        mailboxes.full.add(full)
        assert _peak(room, LINE, SIZE, 75 if full and not queue else 0) <= 64 * MIB + 3 * SIZE
    assert [len(each) for each in mailboxes.transactions] == ([2, 1] if full else [2])


def test_lines_that_are_quoted_have_the_same_bound(tmp_path: Path) -> None:
    size = 16 * MIB
    assert _peak(Room(tmp_path, rules=RULES["mbox"]), b"From x\n", size, 0) <= 64 * MIB + 3 * size
    assert (tmp_path / "a").read_bytes().endswith(b"\n" + b">From x\n" * (size // 7000 * 1000) + b"\n\n")


def _peak(room: Room, line: bytes, size: int, status: int) -> int:
    """The most octets that a run has at once with a message of nearly that size, which must end with that status."""
    mail = room.folder / "mail"
    with mail.open("wb") as file:
        file.write(HEAD)
        file.writelines([line * 1000] * (size // len(line) // 1000))
    call = room.call(b"")
    words = [str(word) for word in call.args if word != "fetch"]
    found = subprocess.run(
        [sys.executable, "-m", "tests.faults.measured", mail, sys.executable, "-m", "rulesmith", "fetch", *words],
        capture_output=True,
        check=True,
        cwd=room.folder,
        env={**call.env, "PYTHONPATH": str(ROOT)},
    )
    measured: dict[str, int] = json.loads(found.stdout)
    assert measured["status"] == status, found.stderr
    return measured["memory"]
