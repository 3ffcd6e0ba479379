"""A file with passwords that everybody may read.

What it does: reports a configuration that others may read or write, when there is a password in it.

Why is this bad: every user of the machine can read the mail, or send some.

Example:

    -rw-r--r-- 1 me me 312 .fdm.conf

Use instead: `chmod 600 ~/.fdm.conf`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import passwords

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "readable-password"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """At most one finding."""
    open_files = {text.removesuffix(": world readable or writable") for text in compiled.standing}
    for text in passwords(compiled):
        if text.span.source.name in open_files:
            yield Finding(
                text.span,
                "every user of this machine may read this file, and the password in it",
                help=f"chmod 600 {text.span.source.name}",
            )
            return
