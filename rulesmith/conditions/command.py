"""What `exec` and `pipe` conditions have in common: a command, its user and what it must return."""

from __future__ import annotations

from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.syntax.tree import Phrase

_LARGEST_STATUS = 255


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """Command, user, exit status and pattern; the last three may be None."""
    command, user, status, regexp = phrase.args
    if status is not None and status.value is not None and status.value > _LARGEST_STATUS:
        scope.error(
            "status-out-of-range",
            status,
            f"a command cannot return {status.value}: exit statuses end at {_LARGEST_STATUS}",
            fdm="invalid return code",
        )
    if command.value == "|":
        scope.error("empty-value", command, "this command is only a `|`", fdm="invalid command")
    line = scope.run_path(command, "invalid command")
    if status is None and regexp is None:
        scope.error(
            "nothing-returned",
            phrase,
            f"this {phrase.word} condition does not say what the command must return",
            hint="returns (0, )",
            fdm="return code or regexp must be specified",
        )
    return (
        line,
        None if user is None else scope.template(user),
        None if status is None else scope.number(status),
        None if regexp is None else scope.pattern(regexp),
    )


def explain(word: bytes, args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    command, user, status, pattern = args
    who = b"" if user is None else b' user "%s"' % shown(user)
    code = b"" if status is None else shown(status)
    line = b"" if pattern is None else b'"%s"' % shown(pattern)
    return b'%s "%s"%s returns (%s, %s)' % (word, shown(command), who, code, line)
