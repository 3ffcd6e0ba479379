"""The strings of a configuration, by what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.syntax.tree import Account, Action, Node, Phrase, Piece, Regexp, Rule, Server, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Statement

_WITH_PASSWORD = ("imap", "imaps", "pop3", "pop3s", "nntp", "nntps")
_COMMANDS = ("exec", "pipe", "rewrite")
# Arguments of items and conditions whose tags are replaced while the file is read.
_EARLY = {"in-cache": (0,), "add-to-cache": (0,), "remove-from-cache": (0,), "imap": (1, 2), "imaps": (1, 2)}


def phrases(compiled: Compiled) -> Iterator[tuple[Phrase, bool]]:
    """Every condition and item; the second says whether it is a condition."""
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Rule):
            yield from ((condition.phrase, True) for condition in statement.conditions)
        if isinstance(statement, Rule | Action):
            yield from ((item, False) for item in statement.items or ())


def commands(compiled: Compiled) -> Iterator[Text]:
    """Every command that is expanded for a message and run by a shell."""
    for phrase, _ in phrases(compiled):
        if phrase.word in _COMMANDS:
            yield phrase.args[0]


def regexps(compiled: Compiled) -> Iterator[Regexp]:
    """Every regexp."""
    for phrase, is_condition in phrases(compiled):
        if is_condition:
            yield from (each for each in phrase.args if isinstance(each, Regexp))


def templates(compiled: Compiled) -> Iterator[Text]:
    """Every string that is expanded for each message."""
    for statement in flatten(compiled.config.statements):
        if isinstance(statement, Rule | Action | Account):
            yield from statement.users
        if isinstance(statement, Rule):
            yield from statement.names or ()
    for phrase, _ in phrases(compiled):
        early = _EARLY.get(phrase.word, ())
        for at, argument in enumerate(phrase.args):
            if at not in early and not isinstance(argument, Regexp | Server):
                yield from (argument,) if isinstance(argument, Text) else _texts(argument)


def _texts(argument: object) -> Iterator[Text]:
    if isinstance(argument, tuple):
        yield from (each for each in argument if isinstance(each, Text))


def pieces(statement: Statement) -> Iterator[Piece]:
    """The parts of all strings of a statement, in order; those of statements inside it belong to these."""
    yield from _pieces(statement)


def _pieces(node: object) -> Iterator[Piece]:
    if isinstance(node, Piece):
        yield node
    elif isinstance(node, tuple):
        for each in node:
            yield from _pieces(each)
    elif isinstance(node, Node):
        for name, each in node.said().items():
            if name != "block":
                yield from _pieces(each)


def commands_of(compiled: Compiled, *words: str) -> Iterator[tuple[Phrase, bool, Text, str]]:
    """The known commands of items and conditions of these words: whether it is a condition, and the command's text
    as the shell gets it, tags left in."""
    for phrase, is_condition in phrases(compiled):
        if phrase.word in words:
            text = phrase.args[0]
            if text.value is not None:
                yield phrase, is_condition, text, text.value.replace("%%", "%")


def passwords(compiled: Compiled) -> Iterator[Text]:
    """The passwords of accounts and actions that are written as they are."""
    for statement in flatten(compiled.config.statements):
        fetched = [statement.fetch] if isinstance(statement, Account) else []
        items = list(statement.items or ()) if isinstance(statement, Rule | Action) else []
        for phrase in [*fetched, *items]:
            if phrase.word not in _WITH_PASSWORD:
                continue
            text = phrase.args[2]  # server, user, password
            if not isinstance(text, Text) or not text.value or text.value.startswith(("$(", "%(")):
                continue
            if all(piece.kind in ("double", "single") for piece in text.pieces):
                yield text
