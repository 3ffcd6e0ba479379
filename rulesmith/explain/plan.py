"""Where a message would lie in the end: each user with the mailboxes."""

from __future__ import annotations

import os
import shlex
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulesmith.explain.trace import Planned, Report


def mailbox_of(plan: Planned) -> str | None:
    """The mailbox that a delivery goes to, where the command shows it: Dovecot's `deliver -d USER [-m FOLDER]`."""
    if plan.kind.startswith("imap"):
        return plan.path
    found = _of_deliver(plan)
    return None if found is None else "/".join(found)


def _of_deliver(plan: Planned) -> tuple[str, str] | None:
    if plan.kind != "pipe" or plan.command is None:
        return None
    found = _deliver_options(plan.command)
    return None if found is None else (found[0] or plan.user, found[1])


@lru_cache(maxsize=1024)  # thousands of messages, a few commands
def _deliver_options(command: str) -> tuple[str | None, str] | None:
    """The values of `-d` and `-m`; None where the command is another one."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or os.path.basename(words[0]) not in ("deliver", "dovecot-lda"):
        return None
    found: dict[str, str] = {}
    for flag, value in pairwise(words[1:]):
        if flag in ("-d", "-m"):
            found.setdefault(flag, value)
    return found.get("-d"), found.get("-m", "INBOX")


def target_of(plan: Planned) -> str:
    """Where a delivery goes, in one word where there is one: USER/FOLDER, a path, a command, a server."""
    return mailbox_of(plan) or plan.path or plan.command or f"{plan.kind} {plan.detail or ''}".rstrip()


def user_and_place(plan: Planned) -> tuple[str, str]:
    """Whose mailbox it is, else who delivers, and where the message will lie."""
    return _of_deliver(plan) or (plan.user, target_of(plan))


def targets(report: Report) -> list[str]:
    """Where the message would lie, once each, in order; none where the outcome is not that it is delivered."""
    return list(dict.fromkeys(target_of(plan) for plan in report.plan if plan.stores))


def by_user(report: Report) -> dict[str, list[str]]:
    """The final plan: for each user (the one whose mailbox it is, else who delivers) where the message will lie."""
    found: dict[str, list[str]] = {}
    for plan in report.plan:
        if not plan.stores:
            continue
        user, place = user_and_place(plan)
        places = found.setdefault(user, [])
        if place not in places:
            places.append(place)
    return found
