"""A regexp with a tag that has no value when the configuration is read.

What it does: reports tags of a message (`%1`, `%u`, `%[list]` …) in regexps. Known at that time are the host name, the
current time, `home`, and with a default user `user`, `uid` and `gid`.

Why is this bad: tags in regexps are replaced once, when the configuration is read, and a tag of a message is then
replaced by nothing. `"^To: %u@"` searches `^To: @`.

Example:

    match "^To: %u@" in headers action "inbox"

Use instead: turn it round, `match string "%[to]" to "^bob@"`, or write the name; a `%` that is meant is `%%`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import regexps
from rulesmith.lint.tags import AT_START, names_in, tag_shown, tag_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "tag-in-regexp"
SEVERITY = Severity.ERROR

_OF_USER = frozenset((b"user", b"uid", b"gid"))


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    known = AT_START if compiled.lowered.settings["default-user"] is not None else AT_START - _OF_USER
    for regexp in regexps(compiled):
        value = regexp.text.value
        for name in [] if value is None else names_in(encode(value)):
            if name not in known:
                yield Finding(
                    tag_span(regexp.text, name),
                    f"{tag_shown(name)} has no value when the regexp is read: it is replaced by nothing",
                    help="%% if a % is meant",
                )
