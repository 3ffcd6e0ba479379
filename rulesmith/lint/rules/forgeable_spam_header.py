"""A rule believes a spam header that the sender can write.

What it does: reports rules on header fields of spam scanners (`X-Spam-…`, `X-Bogosity`, `X-Rspamd-…`) where nothing in
the configuration scans the mail or removes such fields first, for mail on standard input. A warning where the rule
takes the mail for clean, or drops it; otherwise a note.

Why is this bad: rspamc adds fields and removes none, so that a sender who writes `X-Spam: no` himself passes every rule
that asks for it; and mail is dropped because of a field that anybody on its way can have written.

Example:

    match "^X-Spam: no" in headers action "inbox"

Use instead: `set scan "http://127.0.0.1:11333"` and `spam score`; or `remove-headers { "X-Spam*" }` with `continue`
before the scanner runs as `rewrite`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, flows, jobs, stdin_accounts
from rulesmith.lint.headers import named
from rulesmith.lint.ladder import ladder
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "forgeable-spam-header"
SEVERITY = Severity.NOTE
NEEDS_PROGRAM = True

_FIELD = re.compile(r"x-(?:spam|bogosity|rspamd|dspam|virus|crm114|sa-)", re.IGNORECASE)
_CLEAN = re.compile(r":(?:\.\*|[ \t*+?\[\]\\s])*\(?(?:no\b|ham\b|unsure|clean|false|not\b)", re.IGNORECASE)


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such condition."""
    if compiled.lowered.settings["scan"] is not None or not stdin_accounts(compiled):
        return
    found = {id(each.condition): each for each in searches(compiled)}
    reached = {number for flow in flows(compiled) for number in flow.reached}
    for rung in ladder(compiled):
        words = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
        if "rewrite" in words or "remove-header" in words:
            return  # from here on the fields are what was written here, as far as one can see
        for condition in rung.statement.conditions if rung.lowered[0] in reached else ():
            each = found.get(id(condition))
            names = None if each is None else named(each.text)
            if each is None or names is None or not any(_FIELD.match(name) for name in names.names):
                continue
            clean = bool(_CLEAN.search(each.text)) != condition.negated
            drops = "drop" in words and not any(word in STORING for word in words)
            what = "passes for clean" if clean else "is dropped" if drops else "is filed"
            yield Finding(
                each.regexp.text.span,
                f"who sends the mail can write {names.names[0]} himself, and mail {what} because of it",
                help='set scan "http://127.0.0.1:11333", and spam score > …',
                severity=Severity.WARNING if clean or drops else Severity.NOTE,
            )
