"""Every message is written over the one before.

What it does: reports `write` with a path that is the same for every message.

Why is this bad: `write` empties the file first. After two messages only the second is there.

Example:

    action "save" write "~/mail/last"

Use instead: `mbox`, which also locks the file; `append`; or a path with a tag of its own, such as `%[message_id]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases
from rulesmith.lint.tags import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "one-file-for-all"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such item."""
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word != "write":
            continue
        (path,) = phrase.args
        if path.value is None or path.value.startswith(("/dev/", "/proc/")):
            continue
        names = set(names_in(encode(path.value)))
        if not any(isinstance(name, int) or name not in _SAME for name in names):
            yield Finding(
                phrase.span,
                "write empties the file first, so that only the last message is in it",
                help="mbox",
            )


_SAME = frozenset(b"home user uid hostname account action gid".split())
