"""A `maximum-size` that ordinary mail exceeds.

What it does: reports `set maximum-size` below the 32 megabytes that hold without it, where mail comes on standard
input; and below 64 kilobytes anywhere.

Why is this bad: a larger message is refused, every time the caller brings it. Providers deliver 25 megabytes of
attachments, which are 35 on the wire. Without a unit the number is octets.

Example:

    set maximum-size 10M

Use instead: nothing, or a larger number: `set maximum-size 128M`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import stdin_accounts
from rulesmith.syntax.tree import Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "small-maximum-size"
SEVERITY = Severity.WARNING

_DEFAULT = 32 << 20
_TINY = 64 << 10


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the option."""
    on_stdin = bool(stdin_accounts(compiled))
    for statement in flatten(compiled.config.statements):
        if not isinstance(statement, Set) or statement.option != "maximum-size":
            continue
        (size,) = statement.args
        if size.value is None:
            continue
        if size.value < _TINY:
            unit = "" if size.unit else f": without a unit this is {size.value} octets"
            yield Finding(
                size.span,
                f"hardly any message is so small{unit}",
                severity=Severity.ERROR,
                help="set maximum-size 128M",
            )
        elif on_stdin and size.value < _DEFAULT:
            yield Finding(
                size.span,
                "a message above this size is refused at every try, and mail with attachments is larger",
                help="set maximum-size 128M",
            )
