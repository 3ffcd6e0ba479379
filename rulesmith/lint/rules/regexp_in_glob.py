"""A regexp where a file name pattern is wanted.

What it does: reports patterns of `attachment any-name`, `any-type`, `account`, `tagged` and action names that are
written as regexps: with `^`, `$`, `|`, `\\.` or `.*` at the start.

Why is this bad: these are patterns as in the shell: `*`, `?`, `[a-z]`. A dot is a dot, and `.*\\.exe` matches no name
that does not begin with a dot.

Example:

    match attachment any-name ".*\\.exe$" action "quarantine"

Use instead: `"*.exe"`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Text

NAME = "regexp-in-glob"
SEVERITY = Severity.WARNING

_REGEXP = re.compile(r"\^|^\.\*|\$$|\||\\\\?\.|/\.\*|\.\*\$|\(.*\)")
_PATTERNS = {"attachment-any-name": 1, "attachment-any-type": 1}


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such pattern."""
    for phrase, is_condition in phrases(compiled):
        texts: tuple[Text, ...] = ()
        if is_condition and phrase.word in _PATTERNS:
            texts = (phrase.args[-1],)
        elif is_condition and phrase.word == "account":
            texts = phrase.args[0]
        elif is_condition and phrase.word == "tagged":
            texts = phrase.args
        for text in texts:
            if (
                text.value is not None
                and (_REGEXP.search(text.value) or _REGEXP.search(text.span.text.strip("\"'")))
                and "[^" not in text.value
            ):
                yield Finding(
                    text.span,
                    "this is a pattern as for file names, not a regexp: only *, ? and [ ] are special",
                    help="*.exe and the like",
                )
