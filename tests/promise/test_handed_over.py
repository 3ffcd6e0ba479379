"""A fetchmail that dies while it hands a message over has not handed it over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.promise.room import Room, a_mail

DOOR = "import sys; from rulesmith.fdm import main; sys.exit(main())"
# More than a pipe holds: once it is written, its reader is at work.
LONG = a_mail(1, b"X-Long: " + b"x" * 70 + b"\n") + b"a line of the message\n" * 100_000
_CALLER = """
import os, signal, subprocess, sys
with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[2])
memory = []
def load():
    # To give it back takes a dying process so long that others see it do so.
    memory.append(os.memfd_create("load"))
    for _ in range(64):
        os.write(memory[-1], bytes(1 << 20))
if sys.argv[1] == "dies slowly":
    load()
if sys.argv[1] == "dies early":
    os.environ["RULESMITH_CALLER"] = str(os.getpid())
    # The door starts when its caller is dead.
    wait = 'while read -r _ _ state _ <"/proc/$RULESMITH_CALLER/stat" && [ "$state" != Z ]; do :; done'
    sys.argv[3:3] = ["sh", "-c", wait + '; exec "$@"', "sh"]
door = subprocess.Popen(sys.argv[3:], stdin=subprocess.PIPE)
if sys.argv[1] == "dies slowly":
    load()
half = sys.stdin.buffer.read()
if sys.argv[1] == "dies early":
    half = half[:1000]
door.stdin.write(half)
door.stdin.flush()
if sys.argv[1].startswith("dies"):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "leaves":
    os._exit(0)
door.stdin.close()
sys.exit(door.wait())
"""


def _hand(room: Room, message: bytes, how: str, caller: str = "fetchmail") -> tuple[int, str]:
    """The caller's status and all that he and the door have said; both have ended."""
    call = room.call(b"")
    # Standard error is at its end when the last of them has ended.
    done = subprocess.run(
        [sys.executable, "-c", _CALLER, how, caller, sys.executable, "-c", DOOR, *call.args],
        input=message,
        cwd=room.folder,
        env={**call.env, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
@pytest.mark.parametrize("how", ["dies", "dies slowly", "dies early"])
def test_half_a_message_of_a_caller_who_was_killed_is_not_taken_for_a_whole_one(
    tmp_path: Path, how: str, queue: bool
) -> None:
    room = Room(tmp_path, queue)
    status, said = _hand(room, LONG[: len(LONG) // 2], how)
    assert status == -9
    came = 1000 if how == "dies early" else len(LONG) // 2
    assert f"fetchmail has died: the {came} bytes that came may be a part of the message" in said
    assert room.work() == []
    assert not room.copies(LONG)
    assert not any((tmp_path / name).exists() for name in ("a", "b", "c", "d"))

    status, said = _hand(room, LONG, "lives")
    assert (status, room.work()) == (0, []), said
    assert set(room.copies(LONG).values()) == {1}


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_another_caller_may_leave_without_waiting(tmp_path: Path, queue: bool) -> None:
    room = Room(tmp_path, queue)
    assert _hand(room, LONG, "leaves", "cron")[0] == 0
    assert room.work() == []
    assert set(room.copies(LONG).values()) == {1}
