"""Words → statements, going on after every fault.

The words are parsed whole. Where that stops, the fault is reported once and then mended as the writer most
probably meant it (a misspelt word is the word meant, a forgotten `and` is there); what cannot be mended is cut out:
the parser goes back to the beginning of its statement and on to the beginning of the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.limits import SYNTAX_FINDINGS
from rulesmith.syntax import hints
from rulesmith.syntax.boundary import starts_statement
from rulesmith.syntax.expectation import in_words
from rulesmith.syntax.hints import Place
from rulesmith.syntax.stack import Stack
from rulesmith.syntax.tree import Text
from rulesmith.syntax.word import Word
from rulesmith.syntax.words import KEYWORDS, OURS, STRINGS

if TYPE_CHECKING:
    from rulesmith.syntax.tree import Statement

_NAMED = {"ACTION": "action", "ACCOUNT": "account", "CACHE": "cache"}


class Recovery:
    """One parse. `findings` are its faults, `broken` what `Config.broken` is."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.findings: list[Diagnostic] = []
        self.broken: list[tuple[str, Text]] = []
        self._stack = Stack()
        self._bad = -1  # the last word that the lexer has complained about
        self._guess = -1  # the last word that was mended without much confidence
        self._surplus = 0  # braces that were opened in what was cut out

    def parse(self) -> list[Statement]:
        """The statements; raises nothing."""
        at = self._stack.take(self.words, 0)
        while at < len(self.words):
            at = self._stack.take(self.words, self._mend(at))
        statements: list[Statement] = self._stack.values[-1]
        return statements

    def _mend(self, at: int) -> int:
        """Report the fault at this word; returns the word to go on with."""
        word = self.words[at]
        if word.type == "BAD":
            self._bad = at
            return at + 1
        if len(self.findings) >= SYNTAX_FINDINGS:
            return self._give_up()
        place = Place(self.words, at, self._stack.accepts())
        if word.type in OURS and place.accepted >= STRINGS:
            # A text without quotes, as it would be if the word were none.
            word = self.words[at] = Word("UNKNOWN", word.source, word.start, word.end, word.value)
        if word.type.startswith("UNDEFINED_") and word.type[10:] in place.accepted:
            return self._undefined(word, at)
        if word.type == "RBRACE" and "MATCH" in place.accepted:
            return self._unopened(word, at)
        if word.type == "$END" and "MATCH" in place.accepted:
            return self._unclosed(word, at)
        self._report(place)
        mended = self._mended(place)
        return self._cut(place) if mended is None else mended

    # Faults with a name of their own

    def _undefined(self, word: Word, at: int) -> int:
        """A macro that nobody has defined; at the start of a statement its definition lacks the `=`."""
        self._feed(Word(word.type[10:], word.source, word.start, word.end, word.value, word.macros))
        if "EQUALS" not in self._stack.choices():
            name = word.macros[0].name
            message = f"no macro is named {name} here"
            self._find("undefined-macro", message, word, f"undefined macro: {name}", "define it above, or with -D")
        return at + 1

    def _unopened(self, word: Word, at: int) -> int:
        if self._surplus:
            self._surplus -= 1
        elif not self._excused(at):
            self._find("unopened-brace", "no rule is open that this `}` could close", word, "missing {")
        return at + 1

    def _unclosed(self, word: Word, at: int) -> int:
        """The end of the file inside a nested rule."""
        braces = [value for value in self._stack.values if isinstance(value, Word) and value.type == "LBRACE"]
        if braces and not self._excused(at):
            also = (Label(braces[-1].span, "this rule is open"),)
            message = f"expected `}}`: the rule of line {braces[-1].span.line} is not closed"
            self._find("missing-brace", message, word, "missing }", also=also)
        return self._give_up()

    def _give_up(self) -> int:
        """Go to the end of the words, and close what is open."""
        end = self.words[-1]
        if "MATCH" not in self._stack.accepts():
            self._drop_statement()
        while "$END" not in self._stack.accepts():
            self._feed(Word("RBRACE", end.source, end.start, end.end, ""))
        return len(self.words) - 1

    # All others

    def _report(self, place: Place) -> None:
        if self._excused(place.at):
            return
        word = place.word
        sure = hints.meant(place) or (word.type == "UNKNOWN" and place.accepted >= STRINGS)
        if not sure and self._same_statement(self._guess, place.at):
            return
        expected = in_words(place.accepted)
        name, message, fdm = "syntax-error", f"expected {expected}", "syntax error"
        if word.type == "UNKNOWN":
            name, message = "unknown-word", f"unknown word `{word.written}`; expected {expected}"
            fdm = f"unknown token: {word.value}"
        elif word.type in OURS:
            fdm = f"unknown token: {word.value}"
        elif word.type == "$END":
            message = f"the file ends in the middle of a statement: expected {expected}"
        self._find(name, message, word, fdm, hints.hint(place), self._opened(place))

    def _excused(self, at: int) -> bool:
        """Whether the lexer has complained about this statement already."""
        return self._same_statement(self._bad, at)

    def _same_statement(self, earlier: int, at: int) -> bool:
        """Whether there was a word `earlier` (not -1), and no statement has begun since."""
        return earlier >= 0 and not any(starts_statement(self.words, after) for after in range(earlier + 1, at))

    def _opened(self, place: Place) -> tuple[Label, ...]:
        """The open list that the word may have been meant to follow."""
        if "RBRACE" not in place.accepted or "MATCH" in place.accepted:
            return ()
        braces = [value for value in self._stack.values if isinstance(value, Word) and value.type == "LBRACE"]
        return (Label(braces[-1].span, "this list is open"),) if braces else ()

    def _find(
        self, name: str, message: str, word: Word, fdm: str, help_: str | None = None, also: tuple[Label, ...] = ()
    ) -> None:
        label = Label(word.span)
        self.findings.append(Diagnostic(name, Severity.ERROR, message, label, also, help=help_, fdm=fdm))

    # Mending

    def _mended(self, place: Place) -> int | None:
        """Give the parser what was meant, where that is plain; the word to go on with."""
        word = place.word
        if word.type == "$END" or (word.type != "UNKNOWN" and starts_statement(self.words, place.at)):
            return None
        if hints.is_condition(place):
            self._feed(Word("AND", word.source, word.start, word.start, "and"))
            return place.at
        if hints.is_item(place):
            self._guess = place.at
            self._feed(Word("ACTION", word.source, word.start, word.start, "action"))
            return place.at
        name = hints.meant(place)
        if name is not None:
            self._feed(Word(KEYWORDS[name], word.source, word.start, word.end, name))
            return place.at + 1
        if word.type == "UNKNOWN" and place.accepted >= STRINGS:
            self._guess = place.at
            self._feed(Word("STR", word.source, word.start, word.end, word.written))
            return place.at + 1
        return None

    def _feed(self, word: Word) -> None:
        taken = self._stack.take([word], 0)
        assert taken, f"{word} cannot follow"

    # Cutting

    def _cut(self, place: Place) -> int:
        """Leave out the statement, or what is too much at its end; returns where the next one begins."""
        depth = 0
        if "MATCH" in place.accepted:
            # The statement is whole: let the parser see its end, and take back the word that showed it.
            word = place.word
            self._feed(Word("MATCH", word.source, word.start, word.start, ""))
            self._stack.drop()
        else:
            depth = self._drop_statement()
        at = place.at
        if starts_statement(self.words, at) and place.word.type != "UNKNOWN":
            self._surplus += depth
            return at
        while True:
            word = self.words[at]
            if word.type == "LBRACE":
                depth += 1
            elif word.type == "RBRACE":
                if not depth:
                    return at
                depth -= 1
            elif word.type == "BAD":
                self._bad = at
            at += 1
            loose = self.words[at].type in ("ACTION", "ACCOUNT", "CACHE", "UNKNOWN")
            if not (loose and depth) and starts_statement(self.words, at):
                self._surplus += depth
                return at

    def _drop_statement(self) -> int:
        """Take the parser back to where the statement began; returns how many braces it had open."""
        values: list[Any] = []
        while not self._stack.is_before("MATCH"):
            values.insert(0, self._stack.drop())
        if len(values) > 1 and isinstance(values[0], Word) and isinstance(values[1], Text):
            kind = _NAMED.get(values[0].type)
            if kind:
                self.broken.append((kind, values[1]))
        return sum(isinstance(value, Word) and value.type == "LBRACE" for value in values)
