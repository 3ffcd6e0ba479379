"""What the thing under the cursor is, in Markdown."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.compiler.replace import Replacement
from rulesmith.compiler.scope import encode
from rulesmith.lsp import reference
from rulesmith.lsp.mentions import definitions, mention_at, uses
from rulesmith.lsp.regexp_words import regexp_words
from rulesmith.regexp.differs import differs
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower, parse
from rulesmith.syntax.expectation import OPTIONS
from rulesmith.syntax.tree import Account, Action, Regexp, Rule
from rulesmith.syntax.words import SPELLINGS, spelling
from rulesmith.template import ALIASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.lsp.book import Reading
    from rulesmith.lsp.mentions import Mention
    from rulesmith.source import Span
    from rulesmith.syntax.tree import Phrase, Statement
    from rulesmith.syntax.word import Word

_TAG = re.compile(r"%%|%(?::?\[:?(?P<name>[^\]\n]*)\]|:?(?P<short>[A-Za-z0-9]))")
_AREAS = {"any": "the whole message", "headers": "the header (folded lines joined)", "body": "the body"}
_LONGEST = 2000


def hover(reading: Reading, path: str, offset: int) -> tuple[str, Span] | None:
    """The text and the place that it is about; None where there is nothing to say."""
    word = next((each for each in reading.words.get(path, ()) if each.start <= offset < each.end), None)
    if word is None:
        return None
    found = reading.mentions
    mention = mention_at(found, path, offset)
    if mention is not None and mention.kind == "macro":
        return _macro(reading, found, mention), mention.span
    tag = _tag(word, offset)
    if tag is not None:
        return tag
    if mention is not None:
        return _named(reading, found, mention), mention.span
    for phrase, condition in _phrases(reading):
        for regexp in phrase.args:
            if condition and isinstance(regexp, Regexp) and _inside(regexp.text.span, path, offset):
                return _regexp(reading, phrase, regexp), regexp.span
    text = _word(reading, path, word)
    return None if text is None else (text, word.span)


def _inside(span: Span, path: str, offset: int) -> bool:
    return os.path.abspath(span.source.name) == path and span.start <= offset < span.end


def _phrases(reading: Reading) -> Iterator[tuple[Phrase, bool]]:
    """Every condition, item and source; the second says whether it is a condition."""
    for statement in flatten(reading.compiled.config.statements):
        if isinstance(statement, Rule):
            yield from ((condition.phrase, True) for condition in statement.conditions)
        if isinstance(statement, Rule | Action):
            yield from ((item, False) for item in statement.items or ())


def _code(text: str) -> str:
    """A piece of a configuration."""
    text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return f"```fdm\n{text}\n```"


def _place(mention: Mention) -> str:
    return f"{os.path.basename(mention.path)}:{mention.span.line}"


def _macro(reading: Reading, found: list[Mention], mention: Mention) -> str:
    meant = definitions(found, mention)
    if mention.name in reading.machine.macros:
        return f"`{mention.name}` is given on the command line (`-D`)"
    if not meant:
        return f"no macro is named `{mention.name}` here"
    definition = meant[-1] if not mention.defines else mention
    words = reading.words[definition.path]
    at = next(number for number, word in enumerate(words) if word.start == definition.span.start)
    end = at + 2
    while end + 2 < len(words) and words[end + 1].type == "PLUS":
        end += 2
    parts = [word.value for word in words[at + 2 : end + 1 : 2]]
    written = definition.span.source.text[words[at].start : words[min(end, len(words) - 1)].end]
    value = "not known: the command is not run here" if None in parts else f"`{''.join(map(str, parts))}`"
    count = len(uses(found, definition))
    where = f"defined in {_place(definition)}, used {count} time{'' if count == 1 else 's'}"
    return f"macro `{mention.name}` = {value}\n\n{_code(written)}\n\n{where}"


def _tag(word: Word, offset: int) -> tuple[str, Span] | None:
    if word.type != "STR":
        return None
    for found in _TAG.finditer(word.source.text, word.start, word.end):
        if found[0] == "%%" or not found.start() <= offset < found.end():
            continue
        short = found["short"]
        name = found["name"] if short is None else ALIASES.get(short.encode(), short.encode()).decode()
        span = type(word.span)(word.source, found.start(), found.end())
        if short is not None and short.isdigit():
            return f"`{found[0]}`: what the last regexp matched ({_group(int(short))})", span
        meaning = reference.tag(name)
        if meaning is None:
            meaning = "a tag of your own (`tag`); empty where the message does not have it"
        if short is not None and short.encode() not in ALIASES:
            return None
        return f"`{found[0]}`: tag `{name}`: {meaning}", span
    return None


def _group(number: int) -> str:
    return "all of it" if not number else f"parenthesis {number}"


def _named(reading: Reading, found: list[Mention], mention: Mention) -> str:
    if mention.kind == "include":
        return f"includes `{mention.name}`"
    meant = definitions(found, mention)
    if not meant:
        return f"no {mention.kind} is named `{mention.name}`"
    parts = []
    for definition in meant:
        statement = _statement(reading, definition)
        written = definition.span.text if statement is None else statement.span.text
        parts.append(f"{mention.kind} `{definition.name}`, in {_place(definition)}\n\n{_code(written)}")
        if isinstance(statement, Action):
            pages = (reference.phrase(item.word, condition=False) for item in statement.items)
            parts += list(dict.fromkeys("- " + page.split("\n\n")[0] for page in pages if page))
        if isinstance(statement, Account) and statement.disabled:
            parts.append("disabled: used only when `-a` names it")
    count = len(uses(found, mention))
    return "\n\n".join([*parts, f"used {count} time{'' if count == 1 else 's'}"])


def _statement(reading: Reading, mention: Mention) -> Statement | None:
    statements = reading.compiled.config.statements
    return next((each for each in statements if _inside(each.span, mention.path, mention.span.start)), None)


def _regexp(reading: Reading, phrase: Phrase, regexp: Regexp) -> str:
    if regexp.text.value is None:
        return "regexp: not known, since the command that makes it is not run here"
    source = Replacement(reading.machine, reading.machine.default_user).text(encode(regexp.text.value))
    where = _AREAS[phrase.args[1]] if phrase.word == "regexp" else f"what `{phrase.word}` gives"
    case = "upper and lower case differ" if regexp.case else "upper and lower case are the same"
    dialect = "PCRE2" if reading.dialect == "pcre" else "POSIX"
    lines = [f"regexp ({dialect}), searched in {where}; {case}"]
    try:
        pattern = lower(source, regexp.case, reading.dialect)
        lines.append(f"Matches {regexp_words(parse(source, regexp.case, reading.dialect).root, regexp.case)}.")
    except RegexpError as error:
        return "\n\n".join([*lines, f"It cannot be read: {error.message}"])
    if not source:
        lines[1] = "The empty regexp matches only an empty text."
    needle = pattern[3].decode("utf-8", "backslashreplace")
    if needle:
        lines.append(f"Needle: a text without `{needle}` is not searched any further.")
    elif source:
        lines.append("No text is certain to be in it, so every message is searched with the regexp itself.")
    differing = differs(source, regexp.case)
    if differing is not None:
        lines.append(f"PCRE2 (fdm 2.2) and POSIX (fdm 1.9) differ: {differing}.")
    return "\n\n".join(lines)


def _word(reading: Reading, path: str, word: Word) -> str | None:
    if word.type not in SPELLINGS:
        return None
    words = reading.words[path]
    at = words.index(word)
    usual = spelling(word.type)
    if word.type in OPTIONS and at and words[at - 1].type == "SET":
        line = reference.setting(usual)
        return None if line is None else f"set {line}"
    for phrase, condition in _phrases(reading):
        if _inside(phrase.span, path, word.start) and phrase.word != "regexp":
            page = reference.phrase(phrase.word, condition=condition)
            if page is not None and (word.start == phrase.span.start or reference.word(usual) is None):
                return page
    line = reference.word(usual)
    if line is not None:
        return f"`{word.written}`: {line}"
    # In a statement that cannot be read yet.
    return reference.phrase(usual, condition=False) or reference.phrase(usual, condition=True)
