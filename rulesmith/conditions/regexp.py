"""A regexp (regular expression) in quotes searches the message.

Syntax: `"REGEXP"`, `case "REGEXP"`, followed by nothing or `in all` (whole message), `in headers` or `in body`

Upper and lower case are the same unless `case` is given; `^` and `$` match at every line. Folded header lines are
searched unfolded. Tags are replaced when the configuration is read, so a `%` must be doubled. The submatches become
`%0` to `%9` until the next regexp is tried. The empty regexp is true only for an empty text. `in headers` is false
for a message without headers. `in` belongs to one regexp only: `"a" or "b" in headers` searches `a` everywhere.

Example:

    match "^List-Id:.*<announce\\.example\\.org>" in headers action "announce"
"""

from __future__ import annotations

from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.evaluate import Run
    from rulesmith.program import Pattern
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    regexp, area = phrase.args
    return scope.pattern(regexp), area


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    pattern, area = args
    return b'regexp "%s" in %s' % (shown(pattern), area.encode())


ASKS = False


def holds(args: tuple[Pattern, str], run: Run) -> bool | None:
    pattern, area = args
    message = run.message
    if message.unknown is not None:
        return None
    if area == "headers" and not message.body_at:
        # Without a header area nothing is searched, and the submatches stay (as in fdm).
        return False
    needle, case = pattern[3], pattern[5]
    if needle and message.lacks(area, needle, case):
        message.captures = ()
        return False
    from rulesmith.regexp.search import search  # most messages lack what it takes

    found = search(pattern, message.view(area), message.folded(area))
    # Every regexp that is tried sets the submatches, also when it fails.
    message.captures = found or ()
    return found is not None
