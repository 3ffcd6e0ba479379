"""Once the record of a message is gone the process ends: nothing of Python's own comes in between."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.promise.room import PLAN, Room, a_mail

ROOT = Path(__file__).parents[2]
# What Python does at its end, it does for this too.
LATE = 'import atexit, os\natexit.register(os.mkdir, os.environ["HOME"] + "/late")\n'


def _run(room: Room, *command: str) -> int:
    call = room.call(a_mail())
    (room.folder / "sitecustomize.py").write_text(LATE)
    environment = {**call.env, "PYTHONPATH": f"{room.folder}:{ROOT}"}
    return subprocess.run(
        [sys.executable, *command], input=call.stdin, cwd=room.folder, env=environment, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize("works", [True, False], ids=["done", "failed"])
@pytest.mark.parametrize("door", [[str(ROOT / "bin" / "fdm")], ["-m", "rulesmith"]], ids=["fdm", "rulesmith"])
def test_nothing_comes_between_the_removal_of_the_record_and_the_end(
    door: list[str], works: bool, tmp_path: Path
) -> None:
    room = Room(tmp_path, rules=PLAN if works else PLAN.replace("cat >>b", "exit 1"))
    words = [str(word) for word in room.call(b"").args]
    if door[0] == "-m":
        words = ["fetch", *(word for word in words if word != "fetch")]
    assert _run(room, *door, *words) == (0 if works else 75)
    assert not (tmp_path / "late").exists()
    assert bool(room.records()) != works


def test_python_would_do_more_at_its_end(tmp_path: Path) -> None:
    assert _run(Room(tmp_path), "-c", "pass") == 0
    assert (tmp_path / "late").is_dir()
