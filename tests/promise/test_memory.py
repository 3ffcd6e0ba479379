"""Peak memory: 64 MiB and three times the message, whatever the rules do with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    mail = tmp_path / "mail"
    with mail.open("wb") as file:
        file.write(HEAD)
        file.writelines([LINE * 1000] * (SIZE // len(LINE) // 1000))
    call = room.call(b"")
    run = [
        sys.executable,
        "-m",
        "tests.faults.measured",
        str(mail),
        sys.executable,
        "-m",
        "rulesmith",
        *map(str, call.args),
    ]
    run.insert(run.index("rulesmith") + 1, "fetch")
    found = subprocess.run(
        [*run[:-1]],
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={**call.env, "PYTHONPATH": str(ROOT)},
    )
    measured = json.loads(found.stdout)
    assert measured["status"] == (75 if rules == "failure" and not queue else 0), found.stderr
    assert measured["memory"] <= 64 * MIB + 3 * mail.stat().st_size
