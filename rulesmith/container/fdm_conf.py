"""A user's fdm.conf before it takes effect: checked as the user of the mail, never as root."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from rulesmith.container.accounts import acting_as
from rulesmith.container.configdump import as_mail, environment
from rulesmith.container.passwd import Refused
from rulesmith.container.services import write_secret

if TYPE_CHECKING:
    from rulesmith.container.places import Places

PATIENCE = 30  # seconds
_CANDIDATE = ".fdm.conf.candidate"


def check(places: Places, user: str, content: bytes) -> list[str]:
    """What `rulesmith check` finds in it, one line each; raises Refused where there are errors.

    It is checked in the folder in which it will lie, where it finds what it includes.
    """
    home = places.home(user)
    candidate = home / _CANDIDATE
    write_secret(candidate, content, places.mail)
    try:
        done = subprocess.run(
            [*places.rulesmith, "check", "--format", "short", "-h", candidate],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=environment(places, user),
            **as_mail(places),
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"fdm.conf: the check has not ended within {PATIENCE} seconds") from None
    finally:
        with acting_as(places.mail):
            candidate.unlink(missing_ok=True)
    said = (done.stdout + done.stderr).decode(errors="backslashreplace").replace(str(candidate), "fdm.conf")
    lines = [line for line in said.splitlines() if line.strip()]
    if done.returncode:
        raise Refused(*(lines or [f"fdm.conf: rulesmith check ended with {done.returncode}"]))
    return lines
