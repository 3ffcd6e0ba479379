"""Messages made to hurt: each ends within 15 seconds and the memory of the promise, and is delivered whole."""

from __future__ import annotations

import json
import os
import pwd
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

DOOR = Path(sysconfig.get_path("scripts"), "fdm")
MEASURED = Path(__file__).with_name("measured.py")
MEGA = 1 << 20
SECONDS = 15
HEAD = b"From: a@example.org\nTo: b@example.com\nSubject: hello\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n"
# One of each kind of condition that looks at the whole message, and actions that change it.
RULES = """\
set maximum-size {maximum}
set journal "{folder}/journal"
account "stdin" disabled stdin
match "^X-Never: [a-z]+$" in headers action drop
match "no such words in any body" in body action drop
match case "^From:.*(nobody|none)@" action drop
match attachment count > 1000000 action drop
match attachment any-name "*.nosuch" action drop
match attachment total-size > 1G action drop
match size > 1G action drop
match age > 1000 years action drop
match string "%[subject]" to "^never$" action drop
match all action tag "seen" value "%[message_id]" continue
match all action {{ add-header "X-Seen" value "%[size]" remove-header "X-Never-*" maildir "{folder}/box" }}
"""


def _mime(depth: int) -> bytes:
    """Parts within parts."""
    head = HEAD + b"MIME-Version: 1.0\n"
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (number, number) for number in range(depth)
    )
    return (
        head + opened + b"Content-Type: text/plain\n\nx\n" + b"".join(b"--b%d--\n" % n for n in reversed(range(depth)))
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "NUL everywhere": lambda: HEAD + b"X: \0a\0\n\n" + b"a\0b\0\n" * 1000 + b"\0",
    "only NUL": lambda: b"\0" * 5000,
    "no blank line": lambda: HEAD,
    "no header": lambda: b"only a text\nof two lines\n",
    "only a line feed": lambda: b"\n",
    "CRLF": lambda: HEAD.replace(b"\n", b"\r\n") + b"\r\nbody\r\n",
    "bare CR": lambda: HEAD + b"\na\rb\r\rc\n",
    "8 bit": lambda: HEAD + b"X: " + bytes(range(128, 256)) + b"\n\n" + bytes(range(256)) * 100,
    "no last line feed": lambda: HEAD + b"\nbody",
    "separators in the body": lambda: HEAD + b"\nFrom me\n>From you\n\nFrom a@b Mon Mar  2 10:00:00 2026\n",
    "2 million header lines": lambda: HEAD + b"X-Line: 1\n" * 2_000_000 + b"\nbody\n",
    "a header folded 2 million times": lambda: HEAD + b"X-Fold: a\n" + b" b\n" * 2_000_000 + b"\nbody\n",
    "a header of 20 MB": lambda: HEAD + b"References: " + b"<a@b> " * (20 * MEGA // 6) + b"\n\nbody\n",
    "a line of 50 MB": lambda: HEAD + b"\n" + b"a" * (50 * MEGA) + b"\n",
    "25 million lines": lambda: HEAD + b"\n" + b"a\n" * 25_000_000,
    "10,000 nested parts": lambda: _mime(10_000),
    "a million boundaries": lambda: (
        HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\n" * 1_000_000 + b"--b--\n"
    ),
    "an encoded word without end": lambda: HEAD + b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\n\nbody\n",
    "400 recipients": lambda: HEAD + b"Cc: " + b",\n ".join(b"r%d@example.com" % n for n in range(400)) + b"\n\nbody\n",
    "quotes and brackets without end": lambda: HEAD + b"Cc: " + b'"(<' * 100_000 + b"\n\nbody\n",
    "100 MB": lambda: HEAD + b"\n" + (b"0123456789" * 7 + b"\n") * (100 * MEGA // 71),
}
HEADLESS = ("only NUL", "no header")


def run(folder: Path, message: bytes, maximum: str = "200M", settings: str = "") -> dict[str, Any]:
    """Hand a message to the door; status, seconds, memory. Checks the two limits."""
    (folder / "message").write_bytes(message)
    # As long as there is any record, each message is looked up.
    (folder / "journal").mkdir(mode=0o700, exist_ok=True)
    (folder / "journal" / "another").touch(0o600)
    conf = folder / "fdm.conf"
    text = settings + RULES.format(folder=folder, maximum=maximum)
    if not conf.exists() or conf.read_text() != text:
        conf.write_text(text)
        conf.chmod(0o600)
    user = pwd.getpwuid(os.geteuid()).pw_name
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            MEASURED,
            folder / "message",
            DOOR,
            "-f",
            conf,
            "-u",
            user,
            "-a",
            "stdin",
            "-m",
            "fetch",
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "TZ": "UTC"},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    kept = len(message) if maximum == "200M" else 0
    # Others may have the processors, and 100 MB take their time to the disk.
    assert found["processor"] < SECONDS, (found, done.stderr)
    assert found["seconds"] < SECONDS * 4, (found, done.stderr)
    assert found["memory"] <= 64 * MEGA + 3 * kept, (found, len(message), done.stderr)
    return found | {"said": done.stderr}


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "box" / "new").glob("*")]


@pytest.fixture(scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The limits are about messages, not about compiling: HOME keeps what the first run has compiled."""
    home = tmp_path_factory.mktemp("home")
    assert run(home, HEAD + b"\nfirst\n")["status"] == 0
    return home


@pytest.fixture
def folder(_home: Path) -> Iterator[Path]:
    for path in (_home / "box" / "new").iterdir():
        path.unlink()
    yield _home
    (_home / "message").unlink()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_delivered_whole(folder: Path, name: str) -> None:
    message = HOSTILE[name]()
    found = run(folder, message)
    assert found["status"] == 0, found
    [text] = stored(folder)
    # fdm gives a message a last line feed.
    expected = message if message.endswith(b"\n") else message + b"\n"
    # Received on top, the field of the rules below the header; and a text that had no header has one now.
    assert text.startswith(b"Received: by ")
    text = re.sub(rb"X-Seen: [^\n]*\n", b"", text.split(b"\n", 3)[3], count=1)
    assert text == expected or (name in HEADLESS and text == b"\n" + expected)


def test_nothing_at_all_is_asked_for_again_and_never_delivered(folder: Path) -> None:
    assert run(folder, b"")["status"] == 75
    assert stored(folder) == []


def test_what_is_larger_than_the_maximum_is_read_to_its_end_and_not_kept_in_memory(folder: Path) -> None:
    assert run(folder, HOSTILE["100 MB"](), maximum="10M")["status"] == 75
    assert stored(folder) == []
