"""Text → words. Macros, include, ifdef and shell commands are done here, because fdm does them while it reads.

Where fdm 2.2 surprises and we do not (grammar/README.md): a macro is known from the end of its definition on (L33),
an ifdef skips up to its own endif (L34), an include in a skipped block is skipped (L35).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.limits import INCLUDE_DEPTH, INCLUDE_FILES, NESTED_RULES, SYNTAX_FINDINGS
from rulesmith.source import Source, Span
from rulesmith.syntax import literals, quoting
from rulesmith.syntax.command import run_command
from rulesmith.syntax.ifdef import Blocks
from rulesmith.syntax.include import open_include
from rulesmith.syntax.macros import Macros, definition
from rulesmith.syntax.quoting import Fault, Scan
from rulesmith.syntax.stray import WORD_LENGTH, is_foreign, long_word, stray_character, unquoted_end
from rulesmith.syntax.word import Word
from rulesmith.syntax.words import KEYWORDS, OURS, SYMBOLS

if TYPE_CHECKING:
    from rulesmith.syntax.world import SyntaxWorld

# The quantifiers are possessive: a token never gives anything back, so no text can make this slow.
_TOKEN = re.compile(
    r"""
    [ \t\n]*+ (?: \#[^\n]*+ [ \t\n]*+ )*+
    (?: (?P<word>   [A-Za-z_-][A-Za-z0-9_-]*+ )
      | (?P<plain>  "[^"\\$%\0]*+(?:[$%](?!\{)[^"\\$%\0]*+)*+" | '[^'\0]*+' )
      | (?P<symbol> == | != | [=!~+(),<>{}*] )
      | (?P<number> [0-9]++ )
      | (?P<string> ["'] )
      | (?P<macro>  [$%] )
      | (?P<end>    \Z )
      | (?P<other>  [\s\S] )
    )
    """,
    re.VERBOSE,
)
# After include and ifdef fdm skips all the white space of C.
_SPACE = re.compile(r"[ \t\n\v\f\r]*+")
_BEFORE_EQUALS = re.compile(r"[ \t\n]*+(?:#[^\n]*+[ \t\n]*+)*+=(?!=)")


class _Stop(Exception):
    """Reading makes no sense from here on; a finding says why."""


class Reading:
    """What came of a text: its words, closed by `$END`, what is wrong with it, and the files it is made of."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.findings: list[Diagnostic] = []
        self.sources: list[Source] = []


def read(source: Source, world: SyntaxWorld) -> Reading:
    """All words of a configuration, included files spliced in. Raises nothing, whatever the text."""
    lexer = _Lexer(world)
    try:
        lexer.read(source, 0)
        lexer.close(source)
    except _Stop:
        pass
    end = len(source.text)
    lexer.reading.words.append(Word("$END", source, end, end, ""))
    return lexer.reading


class _Lexer:
    def __init__(self, world: SyntaxWorld) -> None:
        self.world = world
        self.reading = Reading()
        self.macros = Macros(world.macros)
        self.blocks = Blocks()
        self.skipped: list[Word] = []  # where words go that an ifdef leaves out
        self.words = self.reading.words
        self.settled = 0  # definitions before this word are done
        self.depth = 0
        self.with_returns: set[str] = set()

    def read(self, source: Source, depth: int) -> None:
        """The words of one file, and of those it includes."""
        self.reading.sources.append(source)
        text = source.text
        token = _TOKEN.match
        append = self.words.append
        at = 0
        while True:
            found = token(text, at)
            assert found is not None
            kind = found.lastgroup
            start, at = found.span(kind or 0)
            if kind == "word":
                spelled = text[start:at]
                terminal = KEYWORDS.get(spelled)
                if terminal is None:
                    at = self.unknown(source, start, at)
                elif terminal in ("INCLUDE", "IFDEF", "IFNDEF", "ENDIF"):
                    at = self.directive(Word(terminal, source, start, at, spelled), depth)
                    append = self.words.append
                elif terminal in OURS and is_foreign(self.words, source, start, at):
                    at = self.unknown(source, start, at)
                else:
                    append(Word(terminal, source, start, at, spelled))
            elif kind == "plain":
                append(Word("STR", source, start, at, text[start + 1 : at - 1]))
            elif kind == "symbol":
                spelled = text[start:at]
                append(Word(SYMBOLS[spelled], source, start, at, spelled))
                if spelled in "{}":
                    self.nest(source, start)
            elif kind == "number":
                at = self.number(source, start, at)
            elif kind == "string":
                at = self.string(source, start)
            elif kind == "macro":
                at = self.macro(source, start)
            elif kind == "end":
                return
            else:
                at = self.stray(source, start)

    def nest(self, source: Source, at: int) -> None:
        """Count the braces that are open."""
        if self.skipping:
            return
        self.depth = max(0, self.depth + (1 if source.text[at] == "{" else -1))
        if self.depth > NESTED_RULES:
            message = f"rules are nested deeper than {NESTED_RULES}"
            self.fault(source, Fault("nested-too-deep", message, at, at + 1, "memory exhausted"))
            raise _Stop

    def close(self, source: Source) -> None:
        """The end of the input: no block may be open."""
        unclosed = self.blocks.unclosed(len(source.text))
        if unclosed:
            self.fault(source, *unclosed)

    def fault(self, source: Source, fault: Fault, *also: Label) -> None:
        """Report, and mark the place among the words so that the parser complains no more about it."""
        end = min(fault.end, len(source.text))
        at = Label(Span(source, min(fault.start, end), end))
        self.reading.findings.append(
            Diagnostic(fault.name, Severity.ERROR, fault.message, at, also, help=fault.help, fdm=fault.fdm)
        )
        self.words.append(Word("BAD", source, fault.start, fault.end, ""))
        if len(self.reading.findings) > SYNTAX_FINDINGS:
            raise _Stop

    # Literals

    def number(self, source: Source, start: int, end: int) -> int:
        if source.text[end : end + 1] == ".":
            after = self.score(source, start)
            if after is not None:
                return after
        value, complaint = literals.number(source.text[start:end])
        if complaint:
            message = f"a number has at most {literals.DIGITS} digits"
            if complaint != "number too long":
                message = f"the largest number is {literals.LARGEST}"
            self.fault(source, Fault("number-too-large", message, start, end, complaint))
        self.words.append(Word("NUMBER", source, start, end, value))
        return end

    def score(self, source: Source, start: int) -> int | None:
        """A number with a sign or decimals, which stands only behind `score <`: fdm knows no such numbers."""
        behind = [word.type for word in self.words[-2:]] in (["SCORE", "LT"], ["SCORE", "GT"])
        found = literals.SCORE.match(source.text, start) if behind else None
        if found is None:
            return None
        self.words.append(Word("DECIMAL", source, start, found.end(), found[0]))
        return found.end()

    def string(self, source: Source, start: int) -> int:
        """A string with escapes or macros, or one that is not closed."""
        scan = self.quoted(source, start)
        return self.finish("STR", source, start, scan, scan.value)

    def quoted(self, source: Source, start: int) -> Scan:
        self.settle()
        if source.text[start] == '"':
            return quoting.double_quoted(source, start, self.macros)
        return quoting.single_quoted(source, start)

    def macro(self, source: Source, start: int) -> int:
        """`$name`, `${name}`, `$(command)`, and the same with `%`."""
        text = source.text
        if text[start + 1 : start + 2] == "(":
            return self.command(source, start)
        end, fault = quoting.macro_name(text, start)
        terminal = "STRMACRO" if text[start] == "$" else "NUMMACRO"
        empty = "" if terminal == "STRMACRO" else 0
        if fault:
            self.fault(source, fault)
            self.words.append(Word(terminal, source, start, end, empty))
            return end
        if _BEFORE_EQUALS.match(text, end):
            if terminal == "NUMMACRO" and self.words and self.words[-1].type == "DEFER":
                # A time may follow `defer`; a mark tells the parser, which sees one word ahead, that this is none.
                self.words.append(Word("ENDIF", source, start, start, ""))
            self.words.append(Word(terminal, source, start, end, ""))
            return end
        self.settle()
        name = text[start:end].replace("{", "").replace("}", "")
        use = self.macros.use(name, Span(source, start, end))
        value = self.macros.value(name) if use.known else empty
        self.words.append(Word(terminal if use.known else f"UNDEFINED_{terminal}", source, start, end, value, (use,)))
        return end

    def command(self, source: Source, start: int) -> int:
        """`$(…)` or `%(…)`: run as soon as it is read, as the definitions below it may depend on it."""
        self.settle()
        scan = quoting.command(source, start, self.macros)
        terminal = "NUMCOMMAND" if source.text[start] == "%" else "STRCOMMAND"
        value: str | int | None = None
        if not (self.skipping or scan.faults or scan.value is None):
            value, fault = run_command(scan.value, Span(source, start, scan.end), self.world)
            scan.faults += [fault] if fault else []
        return self.finish(terminal, source, start, scan, value)

    def finish(self, terminal: str, source: Source, start: int, scan: Scan, value: str | int | None) -> int:
        """The word of a string or command; one that is not closed is taken to end with its line."""
        if not scan.closed:
            earlier = self.unclosed(source, start)
            if earlier is not None:
                return earlier
            line_end = source.text.find("\n", start)
            scan.end = len(source.text) if line_end < 0 else line_end
        for fault in scan.faults:
            self.fault(source, fault)
        self.words.append(Word(terminal, source, start, scan.end, value, tuple(scan.macros)))
        return scan.end

    # Words that are none

    def unknown(self, source: Source, start: int, end: int) -> int:
        """A word that is not of the language."""
        spelled = source.text[start:end]
        if spelled[0] == "-":
            after = self.score(source, start)
            if after is not None:
                return after
        fdm = f"unknown token: {spelled}"
        if len(spelled) > WORD_LENGTH:
            self.fault(source, long_word(start, end))
            return end
        again = self.unclosed(source, start, fdm)
        if again is not None:
            return again
        word = Word("UNKNOWN", source, start, unquoted_end(source.text, end), spelled)
        if self.skipping:
            message = f"unknown word `{word.written}`, in a part that is skipped but must still be of words"
            self.fault(source, Fault("unknown-word", message, start, word.end, fdm))
        else:
            self.words.append(word)
        return word.end

    def stray(self, source: Source, start: int) -> int:
        """A character that can begin nothing; carriage returns are told once a file."""
        fault = stray_character(source.text, start)
        if fault.name == "crlf-line-end":
            if source.name in self.with_returns:
                return fault.end
            self.with_returns.add(source.name)
        again = self.unclosed(source, start, fault.fdm)
        if again is not None:
            return again
        self.fault(source, fault)
        return fault.end

    def unclosed(self, source: Source, start: int, fdm: str | None = None) -> int | None:
        """Where to read on, if the fault at `start` is that the string just before it was never meant to go on.

        A forgotten quote makes text of the code up to the next quote, and code of the text behind that: a fault
        glued to the end of a string of several lines. The string is then taken to end with its first line.
        """
        last = self.words[-1] if self.words else None
        if last is None or last.type != "STR" or last.source is not source or last.end != start:
            return None
        line_end = source.text.find("\n", last.start, start)
        if line_end < 0:
            return None
        quote = source.text[last.start]
        line = source.line_column(start)[0]
        message = f"the closing {quote} of this string seems to be missing; as it stands, it ends in line {line}"
        self.words.pop()
        fault = Fault("unclosed-string", message, last.start, line_end, fdm or f"missing {quote}")
        self.fault(source, fault)
        value = source.text[last.start + 1 : line_end]
        self.words.append(Word("STR", source, last.start, line_end, value))
        return line_end

    # include, ifdef, ifndef, endif

    @property
    def skipping(self) -> bool:
        return self.words is self.skipped

    def directive(self, word: Word, depth: int) -> int:
        """One of the four words that the parser only sees as marks; where to read on."""
        text = word.source.text
        space = _SPACE.match(text, word.end)
        assert space is not None
        at = space.end()
        if word.type == "INCLUDE":
            return word.end if self.skipping else self.include(word, at, depth)
        if word.type == "ENDIF":
            fault = self.blocks.close(word)
            if fault:
                self.fault(word.source, fault)
                return word.end
            self.switch()
            if not self.skipping:
                self.words.append(word)
            return word.end
        if text[at : at + 1] not in ("$", "%"):
            message = f"expected a macro after `{word.written}`"
            help_ = f"write {word.written} $name or {word.written} %name"
            self.words.append(Word("IFDEF", word.source, word.start, word.end, word.value))
            self.fault(word.source, Fault("syntax-error", message, at, at + 1, "syntax error", help_))
            self.blocks.open(word, active=True)
            return at
        end, fault = quoting.macro_name(text, at)
        if fault:
            self.fault(word.source, fault)
        self.settle()
        known = text[at:end].replace("{", "").replace("}", "") in self.macros.names
        self.words.append(Word("IFDEF", word.source, word.start, word.end, word.value))
        self.blocks.open(word, active=bool(fault) or known == (word.type == "IFDEF"))
        self.switch()
        return end

    def switch(self) -> None:
        """Words count where every open block is active."""
        self.words = self.reading.words if self.blocks.active else self.skipped

    def include(self, word: Word, at: int, depth: int) -> int:
        """Splice in the file; returns where the including text goes on."""
        source = word.source
        text = source.text
        self.words.append(word)
        if text[at : at + 1] not in ('"', "'"):
            message = "expected a path in quotes after `include`"
            end = at
            help_ = 'write include "path"'
            if text[at : at + 1] == "$":
                end = quoting.macro_name(text, at)[0]
                help_ = f'write include "${{{text[at + 1 : end].strip("{}")}}}"'
            self.fault(source, Fault("syntax-error", message, at, max(end, at + 1), "syntax error", help_))
            return end
        scan = self.quoted(source, at)
        if scan.faults or scan.value is None:
            if not scan.faults:
                message = "the path of the include file depends on a command that was not run"
                note = Diagnostic("unknown-include", Severity.WARNING, message, Label(Span(source, at, scan.end)))
                self.reading.findings.append(note)
                return scan.end
            return self.drop(scan, source, at)
        place = Span(source, word.start, scan.end)
        opened = open_include(scan.value, place, Span(source, at, scan.end), self.world)
        if isinstance(opened, Fault):
            self.fault(source, opened)
            return scan.end
        if depth == INCLUDE_DEPTH or len(self.reading.sources) > INCLUDE_FILES:
            message = f"include files go deeper than {INCLUDE_DEPTH}: {opened.name} probably includes itself"
            if depth < INCLUDE_DEPTH:
                message = f"more than {INCLUDE_FILES} include files"
            fault = Fault("include-too-deep", message, word.start, scan.end, f"{opened.name}: Too many open files")
            self.fault(source, fault)
            raise _Stop
        self.read(opened, depth + 1)
        return scan.end

    def drop(self, scan: Scan, source: Source, start: int) -> int:
        """Report what is wrong with the path, and leave its word out."""
        end = self.finish("STR", source, start, scan, scan.value)
        self.words.pop()
        return end

    def settle(self) -> None:
        """Complete the macro definitions among the words so far."""
        words = self.reading.words
        unfinished = bool(words) and words[-1].type in ("PLUS", "EQUALS")
        for at in range(self.settled, len(words)):
            if at and words[at].type == "EQUALS":
                done = definition(words, at)
                if done:
                    self.macros.define(*done)
                elif unfinished:
                    self.settled = at
                    return
        self.settled = len(words)
