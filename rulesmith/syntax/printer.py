"""Tree → text that parses to the same tree: one statement a line, strings as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.syntax import tree
from rulesmith.syntax.words import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_INDENT = "    "


def print_config(config: tree.Config) -> str:
    """The text of a tree. Included files stand where they were included; what an ifdef left out is gone."""
    return "".join(f"{line}\n" for statement in config.statements for line in _statement(statement, ""))


def _statement(statement: tree.Statement, indent: str) -> Iterator[str]:
    match statement:
        case tree.Rule():
            yield from _rule(statement, indent)
        case tree.Set():
            yield indent + _join("set", statement.option, *statement.args)
        case tree.MacroDefinition():
            yield indent + _join(statement.name, "=", statement.value)
        case tree.Cache():
            yield indent + _join("cache", statement.path, *_optional("expire", statement.expire))
        case tree.Account():
            disabled = "disabled" if statement.disabled else None
            keep = "keep" if statement.keep else None
            users = _optional("user", statement.users)
            yield indent + _join("account", statement.name, disabled, *users, _fetch(statement.fetch), keep)
        case tree.Action():
            items = _items(statement.items)
            yield indent + _join("action", statement.name, *_optional("user", statement.users), items)


def _rule(rule: tree.Rule, indent: str) -> Iterator[str]:
    head = _join("match", *(_condition(condition) for condition in rule.conditions))
    if rule.block is not None:
        yield f"{indent}{head} {{"
        for statement in rule.block:
            yield from _statement(statement, indent + _INDENT)
        yield indent + "}"
        return
    doing = rule.names if rule.names is not None else _items(rule.items or ())
    goes_on = "continue" if rule.continues else None
    yield indent + _join(head, *_optional("user", rule.users), "action", doing, goes_on)


def _items(items: tuple[tree.Phrase, ...]) -> str:
    """One item, or several in braces."""
    words = [_item(item) for item in items]
    return words[0] if len(words) == 1 else _join("{", *words, "}")


def _condition(condition: tree.Condition) -> str:
    return _join(condition.join, "not" if condition.negated else None, _test(condition.phrase))


def _test(phrase: tree.Phrase) -> str:
    args = phrase.args
    match phrase.word:
        case "regexp":
            return _join(args[0], *(("in", args[1]) if args[1] != "any" else ()))
        case "account":
            names, listed = args
            return _join("account", _list(names) if listed else names)
        case "exec" | "pipe":
            command, user, status, regexp = args
            expected = _join("(", status, ",", regexp, ")")
            return _join(phrase.word, command, *_optional("user", user), "returns", expected)
        case "string":
            return _join("string", args[0], "to", args[1])
        case "in-cache":
            return _join("in-cache", args[0], "key", args[1])
        case "age-invalid":
            return "age invalid"
        case _:
            family, _, rest = phrase.word.partition("-")
            return _join(*((family, rest) if family in ("attachment", "spam") else (phrase.word,)), *args)


def _item(phrase: tree.Phrase) -> str:
    args = phrase.args
    match phrase.word:
        case "tag":
            return _join("tag", args[0], *_optional("value", args[1]))
        case "mbox":
            return _join("mbox", args[0], "compress" if args[1] else None)
        case "add-header":
            return _join("add-header", args[0], "value", args[1])
        case "add-to-cache" | "remove-from-cache":
            return _join(phrase.word, args[0], "key", args[1])
        case "smtp" | "lmtp":
            return _join(phrase.word, args[0], *_optional("from", args[1]), *_optional("to", args[2]))
        case "imap" | "imaps":
            server, user, password, folder, flags = args
            login = (*_optional("user", user), *_optional("pass", password))
            return _join(phrase.word, server, *login, *_optional("folder", folder), *flags)
        case _:
            return _join(phrase.word, *args)


def _fetch(phrase: tree.Phrase) -> str:
    args = phrase.args
    match phrase.word:
        case "pop3" | "pop3s" | "pop3-pipe":
            source, user, password, only, cache, flags = args
            login = (*_optional("user", user), *_optional("pass", password))
            return _join(_kind(phrase), source, *login, only, *_optional("cache", cache), *flags)
        case "imap" | "imaps" | "imap-pipe":
            source, user, password, folders, only, *rest = args
            login = (*_optional("user", user), *_optional("pass", password))
            flags = rest[0] if rest else ()
            return _join(_kind(phrase), source, *login, *_optional("folder", folders), only, *flags)
        case "nntp" | "nntps":
            server, user, password, groups, cache, flags = args
            login = (*_optional("user", user), *_optional("pass", password))
            return _join(phrase.word, server, *login, "group", groups, "cache", cache, *flags)
        case _:
            return _join(phrase.word, *args)


def _kind(phrase: tree.Phrase) -> str:
    return phrase.word.replace("-", " ")


def _optional(word: str, value: Any) -> tuple[Any, ...]:
    """A word and its value, if it has one."""
    return (word, value) if value is not None and value != () else ()


def _list(texts: Iterable[tree.Text]) -> str:
    return _join("{", *texts, "}")


def _join(*parts: Any) -> str:
    return " ".join(_value(part) for part in parts if part is not None)


def _value(value: Any) -> str:
    match value:
        case str():
            return value
        case tree.Text():
            return " + ".join(piece.written for piece in value.pieces)
        case tree.Number():
            return f"{value.written} {value.unit}" if value.unit in KEYWORDS else value.written
        case tree.Decimal():
            return value.written
        case tree.Regexp():
            return _join("case" if value.case else None, value.text)
        case tree.Server():
            return _join("server", value.host, *_optional("port", value.port))
        case tuple():
            # One name, or several: the tree does not tell a list of one from a single string, nor does fdm.
            return _value(value[0]) if len(value) == 1 else _list(value)
        case _:
            raise TypeError(f"nothing to print: {value!r}")
