"""What can be typed at a place: the words that the parser would take there, and names where names go."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from lsprotocol import types

from rulesmith.lsp import reference
from rulesmith.lsp.desk import EditedMachine
from rulesmith.source import Source
from rulesmith.syntax.expectation import OPTIONS
from rulesmith.syntax.lexer import read
from rulesmith.syntax.recovery import Recovery
from rulesmith.syntax.word import Word
from rulesmith.syntax.words import SPELLINGS, spelling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.lsp.book import Reading
    from rulesmith.lsp.mentions import Mention
    from rulesmith.lsp.positions import Lines

Kind = types.CompletionItemKind
_PARTIAL = re.compile(r"[$%]?\{?[A-Za-z0-9_-]*\Z")
# In a string: a macro or tag that is begun, the closing bracket still missing.
_OPENED = re.compile(r"(?:(?P<macro>[$%])\{|%\[:?)[A-Za-z0-9_-]*\Z")
_QUIET = re.compile(r"""[^"'#]+|\#[^\n]*|"(?:[^"\\]|\\.)*"|'[^']*'""", re.DOTALL)
# Behind which word which names stand.
_NAMES = {
    "ACTION": "action", "ACTIONS": "action", "ACCOUNT": "account", "ACCOUNTS": "account", "IN_CACHE": "cache",
    "ADD_TO_CACHE": "cache", "REMOVE_FROM_CACHE": "cache", "INCLUDE": "include",
}  # fmt: skip
_BETWEEN = frozenset({"STR", "STRMACRO", "STRCOMMAND", "PLUS", "LBRACE", "BAD"})
_MOST_FILES = 200


def completion(reading: Reading, path: str, offset: int, lines: Lines) -> list[types.CompletionItem]:
    """Everything that fits, unsorted: editors sort and filter."""
    text = lines.text
    quote = _open_quote(text, offset)
    if quote is None:
        found = _PARTIAL.search(text, text.rfind("\n", 0, offset) + 1, offset)
        start = offset if found is None else found.start()
        if "#" in _rest_of_line(text, start):
            return []
        asked = _Place(reading, path, text[:start])
        items = [*asked.keywords(), *asked.macros(braces=False), *asked.quoted_names()]
    else:
        opened = _OPENED.search(text, quote + 1, offset) if text[quote] == '"' else None
        asked = _Place(reading, path, text[:quote])
        if opened is not None:
            start = opened.start()
            items = [*asked.macros(braces=True)] if opened["macro"] else [*asked.tags()]
        else:
            start = quote + 1
            items = [*asked.names()]
    where = lines.range(start, offset)
    for item in items:
        text_of = item.insert_text or item.label
        item.text_edit, item.insert_text, item.filter_text = types.TextEdit(where, text_of), None, text_of
    return items


def _open_quote(text: str, offset: int) -> int | None:
    """Where the string begins that a place is in. A string of an earlier line is taken to be a forgotten quote."""
    line = text.rfind("\n", 0, offset) + 1
    for begin in (0, line):
        at = begin
        while at < offset:
            found = _QUIET.match(text, at, offset)
            if found is None:
                break
            at = found.end()
        if at >= offset:
            return None
        if at >= line:
            return at
    return None


def _rest_of_line(text: str, at: int) -> str:
    """The line before a place, its strings left out."""
    return re.sub(r""""(?:[^"\\]|\\.)*"|'[^']*'""", "", text[text.rfind("\n", 0, at) + 1 : at])


class _Cursor(Exception):
    """The parser has come to the cursor; these terminals would do there."""

    def __init__(self, accepted: frozenset[str]) -> None:
        super().__init__()
        self.accepted = accepted


class _Asking(Recovery):
    """A parse up to the cursor, faults before it mended as usual."""

    def _mend(self, at: int) -> int:
        if self.words[at].type == "CURSOR":
            raise _Cursor(self._stack.accepts())
        return super()._mend(at)


class _Place:
    """The place behind some text of a file."""

    def __init__(self, reading: Reading, path: str, before: str) -> None:
        self.reading = reading
        self.path = path
        source = Source(path, before)
        self.words = [word for word in read(source, EditedMachine(path, reading.machine.texts)).words
                      if word.source is source][:-1]  # fmt: skip
        self.accepted = self._accepted(self.words)

    def _accepted(self, words: list[Word]) -> frozenset[str]:
        source = Source(self.path, "")
        ends = [Word("CURSOR", source, 0, 0, ""), Word("$END", source, 0, 0, "")]
        try:
            _Asking([*words, *ends]).parse()
        except _Cursor as cursor:
            return cursor.accepted
        return frozenset()

    def keywords(self) -> Iterator[types.CompletionItem]:
        """The words that the grammar takes here."""
        after_set = bool(self.words) and self.words[-1].type == "SET"
        for terminal in sorted(self.accepted & SPELLINGS.keys()):
            usual = spelling(terminal)
            about = reference.setting(usual) if after_set and terminal in OPTIONS else _about(usual, self.accepted)
            yield types.CompletionItem(usual, kind=Kind.Keyword, documentation=_markdown(about))
        if "IFDEF" in self.accepted:
            yield types.CompletionItem("ifndef", kind=Kind.Keyword, documentation=_markdown(reference.word("ifndef")))

    def macros(self, *, braces: bool) -> Iterator[types.CompletionItem]:
        """The macros of the file, `${name}` in strings; behind ifdef any of them."""
        anywhere = braces or (bool(self.words) and self.words[-1].type == "IFDEF")
        for name in _once(each.name for each in self.reading.mentions if each.kind == "macro" and each.defines):
            terminal = "STRMACRO" if name[0] == "$" else "NUMMACRO"
            if anywhere or terminal in self.accepted:
                text = f"{name[0]}{{{name[1:]}}}" if braces else name
                yield types.CompletionItem(name, kind=Kind.Variable, insert_text=text)

    def tags(self) -> Iterator[types.CompletionItem]:
        """The tags that are always there."""
        for name, meaning in reference.tags().items():
            yield types.CompletionItem(name, kind=Kind.Property, detail=meaning, insert_text=f"%[{name}]")

    def quoted_names(self) -> Iterator[types.CompletionItem]:
        """The names that fit here, in quotes."""
        if "STR" in self.accepted or (self.words and self.words[-1].type == "INCLUDE"):
            for item in self.names():
                item.insert_text = f'"{item.label}"'
                yield item

    def names(self) -> Iterator[types.CompletionItem]:
        """The names that fit into a string here."""
        at = len(self.words) - 1
        while at >= 0 and self.words[at].type in _BETWEEN:
            at -= 1
        kind = _NAMES.get(self.words[at].type) if at >= 0 else None
        if kind == "include":
            yield from self._files()
        elif kind is not None and not self._defines(at):
            for name, mention in _definitions(self.reading.mentions, kind).items():
                detail = f"{kind}, {os.path.basename(mention.path)}:{mention.span.line}"
                yield types.CompletionItem(name, kind=Kind.Reference, detail=detail)

    def _defines(self, at: int) -> bool:
        """Whether this word begins a statement, so that a new name follows."""
        return "MATCH" in self._accepted(self.words[:at])

    def _files(self) -> Iterator[types.CompletionItem]:
        folder = os.path.dirname(self.reading.path)
        try:
            names = sorted(os.listdir(folder))
        except OSError:  # nothing to offer
            return
        for name in [name for name in names if not name.startswith(".")][:_MOST_FILES]:
            if os.path.join(folder, name) != self.path and os.path.isfile(os.path.join(folder, name)):
                yield types.CompletionItem(name, kind=Kind.File)


def _definitions(found: list[Mention], kind: str) -> dict[str, Mention]:
    """By the name as it is written, without its quotes."""
    return {each.span.text.strip("\"'"): each for each in found if each.defines and each.kind == kind}


def _about(usual: str, accepted: frozenset[str]) -> str | None:
    condition = "MATCHED" in accepted
    return reference.phrase(usual, condition=condition) or reference.word(usual)


def _markdown(text: str | None) -> types.MarkupContent | None:
    return None if text is None else types.MarkupContent(types.MarkupKind.Markdown, text)


def _once(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))
