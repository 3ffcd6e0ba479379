"""The spam scan of one message on its way to the rules. Loaded where `set scan` is there."""

from __future__ import annotations

import time

from rulesmith.afterwards import SCAN
from rulesmith.effects import Failure
from rulesmith.scan import scan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.delivery.drive import Steps
    from rulesmith.delivery.entry import Entry
    from rulesmith.mda import AccountRun


def scanned(
    raw: bytes, run: AccountRun, entry: Entry | None, steps: Steps, now: int
) -> tuple[bytes, dict[str, Any] | None]:
    """The message with the scan's fields, and its verdict; in the queue it is the scanned text from now on.

    `now` is when the message came. Raises Failure where it has to wait for its scan.
    """

    def since() -> int | None:
        """When it was tried first, which is written down at the latest now; None where that is not possible."""
        progress = steps.keep()
        if progress is None:
            return None if entry is None else now
        # That try may have had a clock that went wrong.
        return now if progress.since is None else min(now, progress.since)

    session = run.session
    try:
        text, verdict = scan(raw, session.settings, run.account[0], _addressee(run), int(time.time()), since, run.say)
    except Failure:
        steps.failed = (SCAN, session.settings["scan"])
        raise
    if entry is not None and verdict is not None:
        try:
            entry.replace(raw, text, verdict, steps.progress)
        except OSError as error:
            # It is scanned again when it is tried again.
            run.say(f"the scanned message is not in the queue: {error.strerror}")
    return text, verdict


def _addressee(run: AccountRun) -> bytes:
    """Whom the message is for: the account's user, else the default user, else whoever runs us."""
    users = run.account[2]
    if users and isinstance(users[0], bytes):
        return users[0]
    default: bytes | None = run.session.settings["default-user"]
    return run.session.me[0] if default is None else default
