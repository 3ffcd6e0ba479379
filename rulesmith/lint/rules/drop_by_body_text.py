"""A word anywhere in a message throws it away.

What it does: reports `drop` without any delivery for messages that are chosen only by regexps searched in the body, or
in the whole message without the name of a header field.

Why is this bad: any mail that quotes, forwards or discusses the word is gone: an answer of a friend, a list, a bounce.
Nothing is kept to look at.

Example:

    match "viagra" action drop

Use instead: a folder for what is probably junk; `in headers` with the field that is meant; for spam the verdict of a
scanner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, jobs
from rulesmith.lint.headers import named
from rulesmith.lint.ladder import ladder
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung
    from rulesmith.lint.searches import Search
    from rulesmith.syntax.tree import Condition

NAME = "drop-by-body-text"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the regexp."""
    found = {id(each.condition): each for each in searches(compiled)}
    for rung in ladder(compiled):
        if not _only_drops(rung, compiled):
            continue
        conditions = [
            *rung.statement.conditions,
            *(each for outer in rung.outside() for each in outer.statement.conditions),
        ]
        if any(not _says_little(each) for each in conditions):
            continue
        loose = [found[id(each)] for each in rung.statement.conditions if id(each) in found and not each.negated]
        loose = [each for each in loose if each.area != "headers" and not _is_header(each)]
        if loose and all(
            each.phrase.word != "regexp" or found.get(id(each)) in loose or _is_loose(found.get(id(each)))
            for each in conditions
        ):
            yield Finding(
                loose[0].regexp.text.span,
                "every message that has this text anywhere is dropped, also one that only quotes it",
                help="a folder instead of drop, or in headers with the field that is meant",
            )


def _only_drops(rung: Rung, compiled: Compiled) -> bool:
    if rung.statement.block is not None or rung.statement.continues:
        return False
    words = [word for word, _, _ in jobs(compiled, rung.lowered) or ()]
    return "drop" in words and not any(word in STORING for word in words)


def _says_little(condition: Condition) -> bool:
    return condition.phrase.word in ("regexp", "account", "all", "size")


def _is_header(found: Search) -> bool:
    names = named(found.text)
    return names is not None and names.anchored


def _is_loose(found: Search | None) -> bool:
    return found is not None and found.area != "headers" and not _is_header(found)
