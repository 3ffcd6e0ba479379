"""Statements, in the order of the file, become the tuples of program.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.actions import action as action_module
from rulesmith.compiler.accounts import lower_fetch
from rulesmith.compiler.settings import Settings, apply
from rulesmith.conditions import condition as condition_module
from rulesmith.diagnostics.model import Diagnostic, Label
from rulesmith.limits import NAME_OCTETS
from rulesmith.syntax import tree

if TYPE_CHECKING:
    from rulesmith import program
    from rulesmith.compiler.scope import Scope
    from rulesmith.source import Span

_JOINS = {None: 0, "and": 1, "or": 2}
# One thing that fdm -vv reports as added: its node, and what became of it.
Added = tuple[tree.Statement, Any]


class Lowered:
    """What the statements came to. `added` are the definitions that were accepted, for dump.py.

    `blamed` are the diagnostics with the statement they were found in, in fdm's order.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.caches: dict[bytes, program.Cache] = {}
        self.accounts: dict[bytes, program.Account] = {}
        self.actions: dict[bytes, program.Action] = {}
        self.rules: list[program.Rule] = []
        self.added: list[Added] = []
        self.blamed: list[tuple[tree.Statement, Diagnostic]] = []
        self.places: dict[tuple[str, bytes], Span] = {}
        self.rule_count = 0


def lower(statements: tuple[tree.Statement, ...], scope: Scope, settings: Settings) -> Lowered:
    """Lower a whole configuration, which changes `settings`; what is wrong goes to the scope."""
    lowered = Lowered(settings)
    if scope.environment.default_user is not None:
        settings["default-user"] = scope.environment.default_user
    settings["regexp-dialect"] = scope.dialect
    scope.replacement.default_user = settings["default-user"]
    scope.replacement.strip = settings["strip-characters"]
    for statement in statements:
        _statement(statement, lowered, scope, lowered.rules)
    return lowered


def _statement(statement: tree.Statement, lowered: Lowered, scope: Scope, rules: list[program.Rule]) -> None:
    before = len(scope.found)
    match statement:
        case tree.Set():
            apply(statement, lowered.settings, scope)
        case tree.MacroDefinition():
            scope.define(statement)
            lowered.added.append((statement, None))
        case tree.Cache():
            _cache(statement, lowered, scope)
        case tree.Account():
            _account(statement, lowered, scope)
        case tree.Action():
            _action(statement, lowered, scope)
        case tree.Rule():
            _rule(statement, lowered, scope, rules)
            return
    _blame(statement, before, lowered, scope)


def _blame(statement: tree.Statement, before: int, lowered: Lowered, scope: Scope) -> None:
    lowered.blamed += ((statement, found) for found in scope.found[before:])


def _place(span: Span) -> program.Place:
    return span.source.name, span.line


def _named(kind: str, text: tree.Text, lowered: Lowered, scope: Scope) -> bytes | None:
    """The name of an account or action, checked; None if it cannot be used."""
    name = scope.load_text(text, f"invalid {kind} name")
    shown = name.decode("utf-8", "surrogateescape")
    if not name:
        return None
    if len(name) > NAME_OCTETS:
        scope.error(
            "name-too-long",
            text,
            f"the name of an {kind} has at most {NAME_OCTETS} octets, this one {len(name)}",
            fdm=f"{kind} name too long: {shown}",
        )
        return None
    return None if _is_duplicate(kind, name, text, f"duplicate {kind}: {shown}", lowered, scope) else name


def _is_duplicate(kind: str, name: bytes, text: tree.Text, fdm: str, lowered: Lowered, scope: Scope) -> bool:
    first = lowered.places.setdefault((kind, name), text.span)
    if first is text.span:
        return False
    shown = name.decode("utf-8", "backslashreplace")
    scope.error(
        f"duplicate-{kind}",
        text,
        f'there is already {"a cache" if kind == "cache" else "an " + kind} "{shown}"',
        fdm=fdm,
        also=(Label(first, "first defined here"),),
    )
    return True


def _cache(statement: tree.Cache, lowered: Lowered, scope: Scope) -> None:
    path = scope.load_path(statement.path)
    expire = -1
    if statement.expire is not None:
        if statement.expire.value is None:
            scope.unknown(statement.expire, statement.expire.written)
        else:
            expire = statement.expire.value
    if not _is_duplicate("cache", path, statement.path, "duplicate cache path", lowered, scope):
        lowered.caches[path] = (path, expire)
    lowered.added.append((statement, (path, expire)))


def _account(statement: tree.Account, lowered: Lowered, scope: Scope) -> None:
    users = scope.listed(statement.users, None)
    args = lower_fetch(statement.fetch, scope)
    name = _named("account", statement.name, lowered, scope)
    if name is None:
        return
    account = (name, statement.disabled, users, statement.fetch.word, args, statement.keep, _place(statement.span))
    lowered.accounts[name] = account
    lowered.added.append((statement, account))


def _action(statement: tree.Action, lowered: Lowered, scope: Scope) -> None:
    users = scope.listed(statement.users, None)
    items = tuple(_item(item, scope) for item in statement.items)
    name = _named("action", statement.name, lowered, scope)
    if name is None:
        return
    lowered.actions[name] = (name, users, items, _place(statement.span))
    lowered.added.append((statement, lowered.actions[name]))


def _item(phrase: tree.Phrase, scope: Scope) -> program.Item:
    return phrase.word, action_module(phrase.word).lower(phrase, scope), _place(phrase.span)


def _rule(statement: tree.Rule, lowered: Lowered, scope: Scope, rules: list[program.Rule]) -> None:
    before = len(scope.found)
    terms = []
    for each in statement.conditions:
        args = condition_module(each.phrase.word).lower(each.phrase, scope)
        terms.append((_JOINS[each.join], each.negated, each.phrase.word, args))
    users = scope.listed(statement.users, None)
    names = None if statement.names is None else scope.listed(statement.names, "invalid action name")
    items = None if statement.items is None else tuple(_item(item, scope) for item in statement.items)
    _blame(statement, before, lowered, scope)
    number = lowered.rule_count
    lowered.rule_count += 1
    place = _place(statement.span)
    block: list[program.Rule] | None = None
    if statement.block is not None:
        block = []
        for inner in statement.block:
            _statement(inner, lowered, scope, block)
    rule = (
        number,
        place,
        tuple(terms),
        users,
        names,
        items,
        None if block is None else tuple(block),
        statement.continues,
    )
    rules.append(rule)
    lowered.added.append((statement, rule))
