"""What the grammar lets pass and fdm does not, or should not: numbers, flags given twice, a cache that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.syntax import tree
from rulesmith.syntax.literals import LARGEST
from rulesmith.syntax.words import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.source import Span


def check(statements: Iterable[tree.Statement]) -> Iterator[Diagnostic]:
    """The findings, rule by rule."""
    before: tree.Statement | None = None
    for statement in statements:
        match statement:
            case tree.Rule():
                for condition in statement.conditions:
                    yield from _phrase(condition.phrase)
                for item in statement.items or ():
                    yield from _phrase(item)
                yield from check(statement.block or ())
            case tree.Action():
                for item in statement.items:
                    yield from _phrase(item)
            case tree.Account():
                yield from _phrase(statement.fetch)
            case tree.Set():
                yield from _numbers(statement.args)
            case tree.Cache():
                yield from _numbers((statement.expire,))
                yield from _imap_cache(before, statement)
            case tree.MacroDefinition():
                pass
        before = statement


def _phrase(phrase: tree.Phrase) -> Iterator[Diagnostic]:
    yield from _numbers(phrase.args)
    flags = phrase.args[-1] if phrase.args else None
    if isinstance(flags, tuple):
        words = [word for word in flags if isinstance(word, str)]
        for word in sorted({word for word in words if words.count(word) > 1}):
            yield _error("duplicate-flag", f"`{word}` is given twice", phrase.span, "syntax error")


def _numbers(args: tuple[object, ...]) -> Iterator[Diagnostic]:
    for number in args:
        if isinstance(number, tree.Number) and number.value is not None and number.value > LARGEST:
            size = KEYWORDS[number.unit or "bytes"].endswith("BYTES")
            message = f"this {'size' if size else 'time'} is larger than {LARGEST} {'octets' if size else 'seconds'}"
            fdm = "size is too big" if size else "time is too long"
            yield _error(f"{'size' if size else 'time'}-too-large", message, number.span, fdm)


def _imap_cache(account: tree.Statement | None, cache: tree.Cache) -> Iterator[Diagnostic]:
    """`imap … new-only cache "x"`: to fdm an account and then a cache that nobody uses (L96)."""
    if not isinstance(account, tree.Account) or not account.fetch.word.startswith("imap"):
        return
    only = {"imap": 4, "imaps": 4, "imap-pipe": 4}[account.fetch.word]
    if account.fetch.args[only] is None or account.span.source is not cache.span.source:
        return
    between = cache.span.source.text[account.span.end : cache.span.start]
    column = cache.span.line_column()[1]
    if "\n" in between and column <= account.span.line_column()[1]:
        return
    message = "an imap account has no cache file: this declares a cache that the account does not use"
    help_ = "leave `cache` out (the server keeps what is new), or write the cache on a line of its own"
    yield _error("cache-of-imap", message, cache.span, "syntax error", help_)


def _error(name: str, message: str, span: Span, fdm: str, help_: str | None = None) -> Diagnostic:
    return Diagnostic(name, Severity.ERROR, message, Label(span), help=help_, fdm=fdm)
