"""A user's fdm.conf before it takes effect: checked as the user of the mail, never as root."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rulesmith.container import rule_tests
from rulesmith.container.accounts import acting_as
from rulesmith.container.configdump import as_mail, environment
from rulesmith.container.passwd import Refused
from rulesmith.container.services import write_secret
from rulesmith.testing.suite import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rulesmith.container.places import Places

PATIENCE = 30  # seconds
_CANDIDATE = ".fdm.conf.candidate"


def check(places: Places, user: str, content: bytes) -> list[str]:
    """What `rulesmith check` finds in it, one line each; raises Refused where there are errors.

    It is checked in the folder in which it will lie, where it finds what it includes.
    """
    with _candidate(places, user, content) as candidate:
        status, lines = _rulesmith(places, user, candidate, "check", "--format", "short", "-h", candidate)
    if status:
        raise Refused(*(lines or [f"fdm.conf: rulesmith check ended with {status}"]))
    return lines


def prove(places: Places, user: str, content: bytes) -> None:
    """Carry out the tests that lie beside it; raises Refused where one fails."""
    with rule_tests.copied(places, user) as copy:
        if copy is None:
            return
        with acting_as(places.mail):
            files = files_of(str(copy / "fdm.conf"))
        if not files:
            return
        with _candidate(places, user, content) as candidate:
            status, lines = _rulesmith(places, user, candidate, "test", "-h", "-f", candidate, *files)
        lines = [line.replace(f"{copy}/", "") for line in lines if not line.startswith("ok ")]
    if status == 1:
        raise Refused(f"fdm.conf: its tests fail: {''.join(lines[-1:])}", *lines[:-1])
    if status:
        raise Refused("fdm.conf: its tests cannot be carried out", *lines)


@contextmanager
def _candidate(places: Places, user: str, content: bytes) -> Iterator[Path]:
    candidate = places.home(user) / _CANDIDATE
    write_secret(candidate, content, places.mail)
    try:
        yield candidate
    finally:
        with acting_as(places.mail):
            candidate.unlink(missing_ok=True)


def _rulesmith(places: Places, user: str, candidate: Path, *words: str | Path) -> tuple[int, list[str]]:
    """Run a command of rulesmith's; how it ended, and what it has said."""
    try:
        done = subprocess.run(
            [*places.rulesmith, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=environment(places, user),
            **as_mail(places),
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"fdm.conf: the {words[0]} has not ended within {PATIENCE} seconds") from None
    said = (done.stdout + done.stderr).decode(errors="backslashreplace").replace(str(candidate), "fdm.conf")
    return done.returncode, [line for line in said.splitlines() if line.strip()]
