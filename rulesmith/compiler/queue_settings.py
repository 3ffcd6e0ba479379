"""Settings for messages that cannot be delivered at once: the queue, the journal, the problem mailbox. fdm has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.compiler.scope import Scope
    from rulesmith.syntax.tree import Set, Text

    Settings = dict[str, Any]

_MAXIMUM_TRIES = 1_000_000


def defaults() -> Settings:
    """What holds when nothing is set; program.py says what they are."""
    return {
        "queue": None,
        "journal": None,
        "problem-mailbox": b"Problem",
        "queue-tries": 20,
        "queue-time": 24 * 3600,
    }


def _folder(statement: Set, settings: Settings, scope: Scope) -> None:
    """An empty path takes back what an earlier statement, or the site file, has set."""
    option = statement.option
    text: Text = statement.args[0]
    path = scope.load_path(text)
    if text.value is None:
        scope.unknown(text, text.span.text)
        return
    if text.value and path[:1] != b"/":
        scope.error(
            "relative-path",
            text,
            f"the {option} needs an absolute path: it must be the same folder wherever a run is started",
            hint=f'set {option} "~/.local/state/rulesmith/{option}"',
            fdm=f"invalid {option}",
        )
        return
    settings[option] = path or None


def _problem_mailbox(statement: Set, settings: Settings, scope: Scope) -> None:
    """A path is kept with its `~`: it is the home of the user whose delivery failed."""
    (text,) = statement.args
    name = scope.verbatim(text)
    if text.value is None:
        return
    wrong = None
    if any(octet < 32 or octet == 127 for octet in name):
        wrong = "the name of a mailbox has no control characters"
    elif name[:1] == b"-":
        wrong = "a folder that begins with `-` would be an option to the delivery agent"
    if wrong:
        scope.error("invalid-mailbox", text, wrong, fdm="invalid problem-mailbox")
        return
    settings["problem-mailbox"] = name


def _queue_tries(statement: Set, settings: Settings, scope: Scope) -> None:
    (number,) = statement.args
    value = scope.known(number)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(number, "each message is tried at least once: queue-tries cannot be 0", "zero queue-tries")
    elif value > _MAXIMUM_TRIES:
        scope.out_of_range(number, f"queue-tries is at most {_MAXIMUM_TRIES}", f"queue-tries too big: {value}")
    else:
        settings["queue-tries"] = value


def _queue_time(statement: Set, settings: Settings, scope: Scope) -> None:
    value = scope.known(statement.args[0])
    if value is not None:
        settings["queue-time"] = value


OPTIONS: dict[str, Callable[[Set, Settings, Scope], None]] = {
    "queue": _folder,
    "journal": _folder,
    "problem-mailbox": _problem_mailbox,
    "queue-tries": _queue_tries,
    "queue-time": _queue_time,
}
