"""Standard streams that are closed when we start: their numbers are given to no file of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promise.room import Room, a_mail

MAIL = a_mail()
SHIPPED = Path(__file__).parents[2] / "bin" / "fdm"


def run(room: Room, words: str, mail: bytes = b"") -> int:
    """A shell's command line, which can close streams."""
    call = room.call(mail)
    shell = f'exec "{sys.executable}" {words}'
    environment = {"PYTHONPATH": str(SHIPPED.parents[1]), **call.env}
    return subprocess.run(
        ["sh", "-c", shell], input=mail, cwd=call.cwd, env=environment, timeout=60, check=False
    ).returncode


@pytest.mark.parametrize("streams", [">&-", "2>&-", ">&- 2>&-"])
@pytest.mark.parametrize("words", ["", "-v"])
def test_no_line_of_the_log_is_written_over_a_message(streams: str, words: str, tmp_path: Path) -> None:
    room = Room(tmp_path, queue=True, rules='match all action pipe "test -e healed && cat >>b"\n')
    assert run(room, f"{SHIPPED} -f conf {words} -m -a stdin fetch {streams}", MAIL) == 0
    [entry] = [each for each in room.entries() if each.endswith(".mail")]
    assert (tmp_path / "queue" / entry).read_bytes().endswith(b"\n" + MAIL)
    room.configure('match all action { maildir "a" mbox "c" }\n')
    assert run(room, f"-m rulesmith queue run --once --queue queue <&- {streams}") == 0
    assert room.copies(MAIL) == {"a": 1, "c": 1}


def test_who_has_no_standard_output_cannot_deliver_to_it(tmp_path: Path) -> None:
    room = Room(tmp_path, rules="match all action stdout\n")
    assert run(room, f"{SHIPPED} -f conf -m -a stdin fetch >&-", MAIL) == os.EX_TEMPFAIL
