"""A mailbox file that is written without a lock.

What it does: notes `append` to a file, and `mbox` under `set lock-types none`.

Why is this bad: two deliveries at once, or a mail reader beside one, write into each other.

Example:

    action "inbox" append "~/mbox"

Use instead: `mbox`, which locks the file and writes the separator lines; `lock-types fcntl` or `flock`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unlocked-mailbox"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    unlocked = not compiled.lowered.settings["lock-types"]
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word not in ("append", "mbox") or phrase.args[0].value is None:
            continue
        if phrase.word == "append" and not phrase.args[0].value.startswith("/dev/"):
            yield Finding(
                phrase.span, "append does not lock the file", help="mbox, for a file that other programs read"
            )
        elif phrase.word == "mbox" and unlocked:
            yield Finding(phrase.span, "lock-types none: the mailbox is not locked", help="set lock-types fcntl")
