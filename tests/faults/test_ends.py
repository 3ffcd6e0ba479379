"""kill -9 and SIGTERM before every step of a plan of several deliveries, then the retry."""

from __future__ import annotations

import os
import pwd
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith import fdm
from tests.door import warm
from tests.dying import end_at
from tests.faults.ledger import original

MESSAGE = b"From: a@example.org\nTo: b@example.com\nSubject: hello\nMessage-ID: <1@example.org>\n\nHello\n"
RULES = """\
account "stdin" disabled stdin
set journal "{folder}/journal"
action "pipe" pipe "f=$(mktemp {folder}/piped/XXXXXX) && cat >$f && mv $f $f.mail"
action "maildir" maildir "{folder}/box"
action "mbox" mbox "{folder}/mbox"
match all action {{ "pipe" "maildir" "mbox" }}
"""
QUEUE = 'set queue "{folder}/queue"\n'
# More steps than any of these plans has; a plan that comes to its end before is done.
MANY = 1000


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    warm()


class Caller:
    """Hands the message to the door, in a process of its own, and looks at what came of it."""

    def __init__(self, folder: Path, rules: str) -> None:
        self.folder = folder
        (folder / "piped").mkdir(parents=True)
        (folder / "message").write_bytes(MESSAGE)
        conf = folder / "conf"
        conf.write_text(rules.format(folder=folder))
        conf.chmod(0o600)

    def hand(self) -> int:
        """In this process: the exit status."""
        with (self.folder / "message").open("rb") as message, (self.folder / "log").open("ab") as log:
            os.dup2(message.fileno(), 0)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        os.environ.clear()
        os.environ.update(PATH="/usr/bin:/bin", HOME=str(self.folder), RULESMITH_CONF="")
        user = pwd.getpwuid(os.geteuid()).pw_name
        sys.argv = ["fdm"]
        from rulesmith.fdm import main

        return main(["-f", str(self.folder / "conf"), "-u", user, "-a", "stdin", "-m", "fetch"])

    def again(self) -> None:
        """Bring the message once more, as a caller does that was not told 0."""
        status, _ = end_at(MANY, signal.SIGKILL, self.hand)
        assert status == 0, self.log

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def copies(self) -> dict[str, int]:
        """How often the message is in each target; every copy is whole."""
        found = {
            "pipe": [path.read_bytes() for path in (self.folder / "piped").glob("*.mail")],
            "maildir": [path.read_bytes() for path in (self.folder / "box" / "new").glob("*")],
            "mbox": self._mbox(),
        }
        for name, texts in found.items():
            assert all(original(text) == MESSAGE for text in texts), (name, texts, self.log)
        return {name: len(texts) for name, texts in found.items()}

    def _mbox(self) -> list[bytes]:
        box = self.folder / "mbox"
        text = box.read_bytes() if box.exists() else b""
        # Behind each message fdm puts two line feeds; ours has no "From " in it.
        return [each.removesuffix(b"\n\n") for each in re.split(rb"^From .*\n", text, flags=re.MULTILINE)[1:]]


def each_step(folder: Path, rules: str, number: int) -> Iterator[tuple[Caller, int, float]]:
    """A new caller for every step, after the signal came before it: status, seconds to the end."""
    warmed = Caller(folder / "first", rules)
    warmed.again()
    for step in range(MANY):
        caller = Caller(folder / str(step), rules)
        status, seconds = end_at(step, number, caller.hand)
        if seconds is None:
            assert status == 0
            assert step > 15
            return
        yield caller, status, seconds
    raise AssertionError("it never came to its end")


def test_killed_before_any_step_at_worst_the_delivery_under_way_is_made_twice(tmp_path: Path) -> None:
    repeated = untold = 0
    for caller, status, _ in each_step(tmp_path, RULES, signal.SIGKILL):
        assert status == -signal.SIGKILL
        done = caller.copies()
        journal = list((caller.folder / "journal").glob("*"))
        caller.again()
        if sum(done.values()) == 3 and not journal:
            # All is done and forgotten, only the caller has not been told.
            untold += 1
            continue
        copies = caller.copies()
        assert min(copies.values()) == 1, (copies, caller.log)
        surplus = [name for name, count in copies.items() if count > 1]
        assert sum(copies.values()) <= len(copies) + 1, (copies, caller.log)
        if surplus:
            # It is the last that was made before the end.
            assert surplus == [list(copies)[sum(done.values()) - 1]]
            repeated += 1
        assert list((caller.folder / "journal").glob("*")) == []
    assert repeated
    assert untold <= 3


def test_sigterm_before_any_step_ends_soon_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What hangs is another test's; here a busy machine may take longer for a delivery than a stop waits.
    monkeypatch.setattr(fdm, "STOP_GRACE", 60.0)
    for caller, status, seconds in each_step(tmp_path, RULES, signal.SIGTERM):
        assert seconds < 30
        assert status in (0, 75), caller.log
        if status:
            caller.again()
        assert caller.copies() == {"pipe": 1, "maildir": 1, "mbox": 1}, caller.log


@pytest.mark.parametrize("kind", ["pipe", "maildir", "mbox"])
def test_a_plan_of_one_delivery_writes_nothing_down_and_is_made_twice_at_worst(tmp_path: Path, kind: str) -> None:
    rules = RULES.replace('{{ "pipe" "maildir" "mbox" }}', f'"{kind}"')
    for caller, _, _ in each_step(tmp_path, rules, signal.SIGKILL):
        caller.again()
        assert caller.copies()[kind] in (1, 2)
        assert not (caller.folder / "journal").exists()
