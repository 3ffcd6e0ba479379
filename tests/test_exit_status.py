"""The README's table of exit statuses, row by row: without an option, and with --fdm-exit-status."""

from __future__ import annotations

import fcntl
import os
import pwd
import re
from pathlib import Path

import pytest

from tests.door import Call, Outcome, warm, warm_door

README = Path(__file__).parent.parent / "README.md"
MESSAGE = b"From: a@example.com\nSubject: hello\n\nHello\n"
FETCH = ["-f", "conf", "-a", "stdin", "-m", "fetch"]
STDIN = 'account "stdin" disabled stdin\n'
TAKES = 'action "take" append "taken"\n'
# For each row of the table: configurations, or whole calls where there is more to say.
ROWS: dict[str, list[str]] = {
    "a `pipe`, `maildir`, `mbox`, `write`, `append`, `stdout`, `smtp`, `lmtp` or `imap` took it, and nothing failed": [
        STDIN + 'match all action pipe "cat >taken"',
        STDIN + 'match all action maildir "Mail"',
        STDIN + 'match all action mbox "mbox"',
        STDIN + 'match all action write "taken"',
        STDIN + 'match all action append "taken"',
        STDIN + "match all action stdout",
    ],
    'the same, and `keep`, `-k`, the account\'s `keep` or the end of the rules says "keep" afterwards': [
        STDIN + TAKES + 'match all action "take" continue\nmatch all action keep',
        'account "stdin" disabled stdin keep\n' + TAKES + 'match all action "take"',
        STDIN + TAKES + 'match all action "take" continue',
    ],
    "a rule's `drop` disposed of it": [STDIN + "match all action drop"],
    "`unmatched-mail drop` disposed of it": [STDIN + "set unmatched-mail drop\n" + 'match "no such" action keep'],
    "it is oversized, and `delete-oversized` disposed of it": [
        STDIN + "set maximum-size 9\nset delete-oversized\nmatch all action stdout"
    ],
    "it could not be delivered, and the queue (`set queue`) holds it": [
        STDIN + 'set queue "FOLDER/queue"\nmatch all action pipe "exit 3"'
    ],
    "`keep`, and nothing had taken it": [STDIN + "match all action keep"],
    "the end of the rules, and nothing had taken it": [
        STDIN + 'match "no such" action drop',
        STDIN + "set unmatched-mail keep\n" + 'match "no such" action drop',
    ],
    "its actions store nothing (`tag`, `add-header`, `rewrite`, caches, `exec` alone)": [
        STDIN + 'match all action tag "x"',
        STDIN + 'match all action add-header "X" value "y"',
        STDIN + 'match all action rewrite "cat"',
        STDIN + 'match all action exec "true"',
        'cache "seen"\n' + STDIN + 'match all action add-to-cache "seen" key "k"',
    ],
    "an action or a condition failed": [
        STDIN + 'match all action pipe "exit 3"',
        STDIN + 'match exec "kill -9 $$" returns (0, ) action stdout\nmatch all action stdout',
        STDIN + 'match all action { stdout pipe "exit 3" }',
    ],
    "an action failed under `ignore-errors`": [STDIN + 'set ignore-errors\nmatch all action pipe "exit 3"'],
    "it is oversized, without `delete-oversized`": [STDIN + "set maximum-size 9\nmatch all action stdout"],
    "it is empty": [STDIN + "match all action stdout"],
    "the configuration is faulty, missing, or names no account or rule": [
        STDIN + "match all actoin stdout",
        "match all action stdout",
        STDIN,
    ],
    "the command line is faulty": [STDIN + "match all action stdout"],
    "another fdm holds the lock": [STDIN + 'set lock-file "lock"\nmatch all action stdout'],
    "the account is one that this version does not fetch from": [
        'account "stdin" disabled imap server "localhost" user "u" pass "p"\nmatch all action stdout'
    ],
}
CASES = [(row, number) for row in ROWS for number in range(len(ROWS[row]))]


def table() -> dict[str, tuple[int, int]]:
    rows = re.findall(r"^\| (.*?) \| (\d+) \| (\d+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    return {what: (int(ours), int(fdms)) for what, ours, fdms in rows}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def run(folder: Path, row: str, number: int, *flags: str) -> Outcome:
    args, message = FETCH, MESSAGE
    if row == "it is empty":
        message = b""
    if row == "the command line is faulty":
        args = ["-z", *FETCH]
    if row == "another fdm holds the lock":
        args = [each for each in FETCH if each != "-m"]
    (folder / "conf").write_text(ROWS[row][number].replace("FOLDER", str(folder)) + "\n")
    (folder / "conf").chmod(0o600)
    user = pwd.getpwuid(os.geteuid()).pw_name
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
    return warm_door(Call(["-u", user, *flags, *args], message, str(folder), env))


@pytest.mark.parametrize(("row", "number"), CASES)
def test_a_row_of_the_table(row: str, number: int, tmp_path: Path) -> None:
    ours, fdms = table()[row]
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        plain = run(tmp_path, row, number)
        assert (plain.status, run(tmp_path, row, number, "--fdm-exit-status").status) == (ours, fdms), plain.stderr
    if ours == 75:
        assert plain.stderr, "75 without a word"
        assert b"Traceback" not in plain.stderr


def test_every_row_is_tested() -> None:
    assert set(table()) == set(ROWS)


def test_a_folder_that_fails_does_not_make_the_caller_send_its_message_again(tmp_path: Path) -> None:
    """Both accounts in one run: the status is about the message on standard input; the folder keeps its own."""
    conf = STDIN.replace(" disabled", "") + 'account "box" maildir "nosuch"\nmatch all action append "taken"\n'
    (tmp_path / "conf").write_text(conf)
    (tmp_path / "conf").chmod(0o600)
    user = pwd.getpwuid(os.geteuid()).pw_name
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    outcome = warm_door(Call(["-u", user, "-f", "conf", "-m", "fetch"], MESSAGE, str(tmp_path), env))
    assert b"box: fetching error. aborted" in outcome.stderr
    assert (outcome.status, (tmp_path / "taken").read_bytes().endswith(MESSAGE)) == (0, True)
