"""`and` and `or` in one rule, where it matters which is taken first.

What it does: reports `and` behind `or`, and `or` behind a condition on the account that `and` joins to the first of
several alternatives, or behind two that differ from each other only in the header field.

Why is this bad: conditions are joined strictly from left to right; there is no precedence and there are no parentheses.
`A or B and C` is `(A or B) and C`, and `account "work" and A or B` also takes every B of other accounts.

Example:

    match account "work" and "^From: a@" in headers or "^From: b@" in headers action "ab"

Use instead: a nested rule, `match account "work" { match A or B action "ab" }`, or one regexp with `(a|b)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Label, Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.headers import named
from rulesmith.lint.ladder import ladder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Condition

NAME = "mixed-and-or"
SEVERITY = Severity.WARNING

_NARROWS = ("account", "size", "age", "tagged")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at the condition where the two meet."""
    for rung in ladder(compiled):
        conditions = rung.statement.conditions
        joins = [condition.join for condition in conditions]
        if "and" not in joins or "or" not in joins:
            continue
        late = [at for at, join in enumerate(joins) if join == "and" and "or" in joins[:at]]
        if late:
            yield Finding(
                conditions[late[0]].span,
                "this is required of all alternatives before it: and does not bind closer than or",
                help="a nested rule, match … { … }",
            )
        elif conditions[0].phrase.word in _NARROWS and joins[1] == "and" and conditions[1].phrase.word not in _NARROWS:
            first = joins.index("or")
            if conditions[first].phrase.word == conditions[first - 1].phrase.word:
                yield Finding(
                    conditions[first].span,
                    f"this alternative does not need the {conditions[0].phrase.word} at the start of the rule",
                    also=(Label(conditions[0].span, "belongs to the first alternative only"),),
                    help="a nested rule, match … { … }",
                )
        elif _differ_in_field(*conditions[joins.index("or") - 1 : joins.index("or") + 1]):
            yield Finding(
                conditions[joins.index("or")].span,
                "this alternative does not need what stands at the start of the rule",
                also=(Label(conditions[0].span, "belongs to the first alternative only"),),
                help="one regexp for both, ^(To|Cc):…",
            )


def _differ_in_field(one: Condition, other: Condition) -> bool:
    """Whether two conditions look for the same text in two header fields, such as To and Cc."""
    if one.negated or other.negated or {one.phrase.word, other.phrase.word} != {"regexp"}:
        return False
    texts = [condition.phrase.args[0].text.value or "" for condition in (one, other)]
    first, second = map(named, texts)
    return (
        first is not None
        and second is not None
        and first.names != second.names
        and texts[0][first.end :] == texts[1][second.end :]
    )
