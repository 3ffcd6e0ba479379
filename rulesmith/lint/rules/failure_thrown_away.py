"""A command that says "all is well" whatever happens.

What it does: reports `|| true`, `|| :`, `; true`, `; exit 0` and a final `&` in the command of `pipe` and `rewrite`,
and a delivery that is followed by `;` and something else.

Why is this bad: the exit status is the only way to learn that a delivery failed. With these it is always 0, and the
message is gone.

Example:

    action "inbox" pipe "deliver -d me || true"

Use instead: the delivery alone, or as the last command; `&&` between the two. A command that only tells of the mail may
fail, where its rule goes on or has other actions: that is not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.programs import reads_mail
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of
from rulesmith.syntax.tree import Action, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "failure-thrown-away"
SEVERITY = Severity.WARNING

_NOTHING = frozenset(["true", ":", "exit"])


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such command."""
    asides = _asides(compiled)
    for phrase, is_condition, text, line in commands_of(compiled, "pipe", "rewrite"):
        if is_condition:
            continue
        command = parse_shell(line)
        pipelines = command.pipelines
        why = None
        if command.odd or command.open or not pipelines:
            continue
        if pipelines[-1][1] == "&":
            why = "the shell does not wait for a command with &, and does not tell how it ended"
        elif len(pipelines) > 1:
            last, joins = pipelines[-1][0], [operator for _, operator in pipelines[:-1]]
            harmless = len(last) == 1 and last[0].program in _NOTHING and last[0].arguments[1:] in ([], ["0"])
            before = pipelines[-2][0][-1]
            if harmless and joins[-1] == "||" and not reads_mail(before) and id(phrase) in asides:
                continue
            if harmless and joins[-1] in ("||", ";", "\n"):
                ending = " ".join([joins[-1].strip(), *last[0].arguments]).strip()
                why = f"{ending} makes a success of every failure"
            elif joins[-1] in (";", "\n") and reads_mail(before) and not reads_mail(last[-1]):
                why = f"how {before.program} ended is not told: {last[-1].program} is the last command"
        if why is not None:
            yield Finding(text.span, why, help="the delivery as the last command")


def _asides(compiled: Compiled) -> set[int]:
    """The items, by id, whose rules do something else with the message or let it go on."""
    statements = [statement for statement, _ in compiled.lowered.added]
    rules = [each for each in statements if isinstance(each, Rule)]
    alone = {
        name.value for rule in rules if not rule.continues and len(rule.names or ()) == 1 for name in rule.names or ()
    }
    found: set[int] = set()
    for each in statements:
        if isinstance(each, Rule):
            aside = each.continues or len(each.items or ()) > 1
        else:
            aside = isinstance(each, Action) and (len(each.items) > 1 or each.name.value not in alone)
        if aside and isinstance(each, Rule | Action):
            found.update(id(item) for item in each.items or ())
    return found
