"""Every name in a configuration with its place: where it is defined, and where it is used."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.compiler.replace import Replacement, UnknownUser
from rulesmith.compiler.scope import encode
from rulesmith.mail import glob
from rulesmith.syntax.tree import Account, Action, Cache, Rule, Set, Text
from rulesmith.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.lsp.book import Reading
    from rulesmith.source import Span
    from rulesmith.syntax.tree import Phrase

_MACROS = ("STRMACRO", "NUMMACRO")


@dataclass(frozen=True, slots=True)
class Mention:
    """`kind` is "action", "account", "cache", "macro" or "include"; the name of a cache or include is its path."""

    kind: str
    name: str
    span: Span
    defines: bool

    @property
    def path(self) -> str:
        return os.path.abspath(self.span.source.name)

    def means(self, other: Mention) -> bool:
        """Whether a use of this name finds the definition `other`."""
        if self.kind != other.kind:
            return False
        if self.kind in ("action", "account") and not self.defines:
            return glob.matches(_pattern(self.name), encode(other.name))
        return self.name == other.name


def mentions(reading: Reading) -> list[Mention]:
    """All of a configuration, its files in the order in which they are read."""
    found = [*_macros(reading), *_includes(reading)]
    found += (Mention(kind, text.value, text.span, True) for kind, text in reading.compiled.config.broken if text.value)
    named = _Named(reading)
    for statement in flatten(reading.compiled.config.statements):
        match statement:
            case Action():
                found += named.mention("action", (statement.name,), True)
                found += named.of_items(statement.items)
            case Account():
                found += named.mention("account", (statement.name,), True)
            case Cache():
                found += named.mention("cache", (statement.path,), True)
            case Set(option="trusted-hops", args=(_, Text() as account, _)):
                found += named.mention("account", (account,))
            case Rule():
                for condition in statement.conditions:
                    found += named.of_condition(condition.phrase)
                found += named.mention("action", statement.names or ())
                found += named.of_items(statement.items or ())
            case _:
                pass
    return found


def mention_at(found: Iterable[Mention], path: str, offset: int) -> Mention | None:
    """The name at a place; the innermost of several."""
    here = [each for each in found if each.path == path and each.span.start <= offset <= each.span.end]
    return min(here, key=lambda each: each.span.end - each.span.start, default=None)


def definitions(found: Iterable[Mention], mention: Mention) -> list[Mention]:
    """What a name stands for. Of a macro that is defined several times it is what was in force at that place."""
    known = [each for each in found if each.defines and mention.means(each)]
    if mention.kind == "macro" and not mention.defines:
        before = [each for each in known if each.path != mention.path or each.span.start <= mention.span.start]
        return before[-1:] or known[:1]
    return known


def uses(found: Iterable[Mention], mention: Mention) -> list[Mention]:
    """Where the things that a name stands for are used."""
    every = list(found)
    meant = definitions(every, mention) or [mention]
    return [each for each in every if not each.defines and any(each.means(one) for one in meant)]


class _Named:
    def __init__(self, reading: Reading) -> None:
        self.replacement = Replacement(reading.machine, reading.machine.default_user)

    def mention(self, kind: str, texts: Iterable[Text], defines: bool = False) -> Iterator[Mention]:
        for text in texts:
            if text.value:
                name = self._path(text.value) if kind == "cache" else text.value
                yield Mention(kind, name, text.span, defines)

    def of_condition(self, phrase: Phrase) -> Iterator[Mention]:
        if phrase.word == "account":
            yield from self.mention("account", phrase.args[0])
        elif phrase.word == "in-cache":
            yield from self.mention("cache", phrase.args[:1])

    def of_items(self, items: Iterable[Phrase]) -> Iterator[Mention]:
        for item in items:
            if item.word == "action":
                yield from self.mention("action", item.args[0])
            elif item.word in ("add-to-cache", "remove-from-cache"):
                yield from self.mention("cache", item.args[:1])

    def _path(self, written: str) -> str:
        """The path of a cache with its tags and `~` replaced, as both sides of a comparison."""
        try:
            return os.fsdecode(self.replacement.path(encode(written)))
        except UnknownUser:
            return written


def _macros(reading: Reading) -> Iterator[Mention]:
    for words in reading.words.values():
        for at, word in enumerate(words):
            following = words[at + 1].type if at + 1 < len(words) else ""
            if word.type in _MACROS and not word.macros and following == "EQUALS":
                yield Mention("macro", word.written.replace("{", "").replace("}", ""), word.span, True)
            for use in word.macros:
                yield Mention("macro", use.name, use.span, False)


def _includes(reading: Reading) -> Iterator[Mention]:
    for source in reading.compiled.config.sources:
        if source.included_at is not None:
            yield Mention("include", os.path.abspath(source.name), source.included_at, False)


def _pattern(name: str) -> bytes:
    """The name in a use as a pattern: a tag may be anything."""
    template = compile_template(encode(name))
    parts = (template,) if isinstance(template, bytes) else template[1]
    return b"".join(part if isinstance(part, bytes) else b"*" for part in parts)
