"""Names that nothing has: checked when everything is known, so that order does not matter.

fdm finds most of these only when a message gets there. They stop only such messages here as well, and so do not
refuse the program; fdm's one check at start, of `match account "x"`, does (and here knows accounts that follow).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import Scope, encode
from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.mail import glob
from rulesmith.syntax import tree
from rulesmith.syntax.tree import Phrase, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.compiler.lower import Lowered
    from rulesmith.diagnostics.model import Diagnostic

_SPAM_ACTIONS = ("no action", "greylist", "add header", "rewrite subject", "soft reject", "reject")


def check_names(
    config: tree.Config, lowered: Lowered, scope: Scope, torn: Iterable[tuple[str, bytes]], incomplete: bool
) -> None:
    """Report names of accounts, actions, caches and users that do not exist.

    `torn` are (kind, name) of definitions that could not be parsed: they count, so that one mistake is one report.
    `incomplete` says that a file is missing, which may have defined anything.
    """
    known: dict[str, set[bytes]] = {"account": set(), "action": set(), "cache": set(lowered.caches)}
    for kind, name in (*lowered.places, *torn):
        known.setdefault(kind, set()).add(name)
    unsure = {"account", "action", "cache"} if incomplete else _nameless(config)
    checker = _Checker(scope, lowered, known, unsure)
    for statement in flatten(config.statements):
        before = len(scope.found)
        checker.statement(statement)
        checker.blame(statement, before)


def flatten(statements: Iterable[tree.Statement]) -> Iterator[tree.Statement]:
    """All statements, those in nested rules included, in the order of the file."""
    for statement in statements:
        yield statement
        if isinstance(statement, tree.Rule) and statement.block is not None:
            yield from flatten(statement.block)


def _nameless(config: tree.Config) -> set[str]:
    """The kinds of which one has a name that comes from a command that was not run: it may be any name."""
    unsure = set()
    for statement in flatten(config.statements):
        match statement:
            case tree.Account(name=Text(value=None)):
                unsure.add("account")
            case tree.Action(name=Text(value=None)):
                unsure.add("action")
            case tree.Cache(path=Text(value=None)):
                unsure.add("cache")
            case _:
                pass
    return unsure


class _Checker:
    def __init__(self, scope: Scope, lowered: Lowered, known: dict[str, set[bytes]], unsure: set[str]) -> None:
        self.scope = scope
        self.lowered = lowered
        self.known = known
        self.unsure = unsure

    def blame(self, statement: tree.Statement, before: int) -> None:
        found: list[Diagnostic] = self.scope.found[before:]
        self.lowered.blamed += ((statement, each) for each in found)

    def statement(self, statement: tree.Statement) -> None:
        match statement:
            case tree.Set(option="default-user" | "command-user", args=(Text() as name,)):
                self.users((name,), verbatim=True)
            case tree.Set(option="trusted-hops", args=(_, Text() as pattern, _)):
                self.account(pattern, listed=True)
            case tree.Account():
                self.users(statement.users)
            case tree.Action():
                self.users(statement.users)
                for item in statement.items:
                    self.item(item)
            case tree.Rule():
                for condition in statement.conditions:
                    self.condition(condition.phrase)
                self.users(statement.users)
                self.actions(statement.names or ())
                for item in statement.items or ():
                    self.item(item)
            case _:
                pass

    def near(self, name: bytes, kind: str) -> str | None:
        known = [each.decode("utf-8", "backslashreplace") for each in sorted(self.known[kind])]
        return did_you_mean(name.decode("utf-8", "backslashreplace"), known)

    def condition(self, phrase: Phrase) -> None:
        match phrase.word:
            case "account":
                patterns, listed = phrase.args
                for pattern in patterns:
                    self.account(pattern, listed or self.scope.is_list(patterns))
            case "in-cache":
                self.cache(phrase.args[0])
            case "spam-action":
                self.spam_actions(phrase.args[0])
            case "exec" | "pipe" if phrase.args[1] is not None:
                self.users((phrase.args[1],))
            case _:
                pass

    def item(self, phrase: Phrase) -> None:
        match phrase.word:
            case "action":
                self.actions(phrase.args[0])
            case "add-to-cache" | "remove-from-cache":
                self.cache(phrase.args[0])
            case _:
                pass

    def account(self, pattern: Text, listed: bool) -> None:
        """fdm checks the single form when it reads it, tags and all, and the list never (L65)."""
        if not pattern.value or (listed and "%" in pattern.value) or "account" in self.unsure:
            return
        name = encode(pattern.value)
        if any(glob.matches(name, each) for each in self.known["account"]):
            return
        self.scope.error(
            "unknown-account",
            pattern,
            f'no account is named "{pattern.value}"',
            hint=self.near(name, "account"),
            fdm=None if listed else f"no matching accounts: {pattern.value}",
        )

    def actions(self, names: tuple[Text, ...]) -> None:
        for text in names:
            if not text.value or "%" in text.value or "action" in self.unsure:
                continue
            name = encode(text.value)
            if not any(glob.matches(name, each) for each in self.known["action"]):
                self.scope.error(
                    "unknown-action",
                    text,
                    f'no action is named "{text.value}"',
                    hint=self.near(name, "action"),
                )

    def cache(self, text: Text) -> None:
        if text.value is None or "cache" in self.unsure:
            return
        # Spelt the same after tags and `~`; what is wrong with the path itself has been reported.
        before = len(self.scope.found)
        path = self.scope.load_path(text)
        del self.scope.found[before:]
        if path and path not in self.known["cache"]:
            shown = path.decode("utf-8", "backslashreplace")
            near = self.near(path, "cache")
            self.scope.error(
                "unknown-cache", text, f'no cache is declared as "{shown}"', hint=near or f"cache {text.span.text}"
            )

    def spam_actions(self, names: tuple[Text, ...]) -> None:
        """A scanner may have actions of its own, so that an unknown one is not an error."""
        for text in names:
            if text.value and "%" not in text.value and text.value not in _SPAM_ACTIONS:
                hint = did_you_mean(text.value, _SPAM_ACTIONS)
                message = f'rspamd itself has no action "{text.value}"'
                self.scope.error("unknown-spam-action", text, message, hint=hint, severity=Severity.WARNING)

    def users(self, names: tuple[Text, ...], verbatim: bool = False) -> None:
        for text in names:
            if text.value is None or ("%" in text.value and not verbatim):
                continue
            if not text.value or self.scope.environment.find_user(encode(text.value)) is None:
                what = f'there is no user "{text.value}"' if text.value else "a user needs a name"
                self.scope.error("unknown-user", text, what)
