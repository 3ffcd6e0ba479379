"""A regexp that can take more than linear time.

What it does: reports a regexp for which the work grows faster than the text: exponentially, with the third power or
more, or quadratically. It is decided on the regexp, and a text that shows it is given: a beginning, a part to repeat,
an end. The steps of a matcher that tries one way after the other were counted on it.

Why is this bad: fdm's regexps try one way after the other. Who sends such a text stops the delivery of all mail behind
it, for minutes or for ever. (rulesmith gives up such a search after a tenth of a second and decides it in another way;
a regexp that grows quadratically is only noted where it cannot leave its line, and not told where the part to repeat is
long.)

Example:

    match "^(To|Cc):(.*,){20,}" in headers action "bulk"

Use instead: parts that exclude each other: `([^,\\n]*,){20}` in place of `(.*,){20,}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import searches
from rulesmith.lint.slowness import Attack, attack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "slow-regexp"
SEVERITY = Severity.WARNING

# A part to repeat that is longer makes a line of some kilobytes quadratic in a few hundred only.
_LONG_PART = 3


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        weak = attack(found.source, found.regexp.case, found.pattern[4])
        if weak is None:
            continue
        (short, few), (long, many) = weak.steps
        harmless = weak.degree == 2 and not (weak.lines and found.area != "headers")
        if harmless and len(weak.pump) > _LONG_PART:
            continue
        yield Finding(
            found.regexp.text.span,
            f"the work is {weak.growth} in the length of the text: {_shown(weak)}",
            notes=(f"{few} steps for {short} octets of it, {'more than ' if many >= 60_000 else ''}{many} for {long}",),
            help="parts that exclude each other, such as [^,\\n]* before a comma",
            severity=Severity.NOTE if harmless else Severity.WARNING,
        )


def _shown(weak: Attack) -> str:
    parts = [part.decode("latin-1") for part in (weak.start, weak.pump, weak.end)]
    start, pump, end = [repr(part)[1:-1] for part in parts]
    return f'"{start}", then "{pump}" many times' + (f', then "{end}"' if end else "")
