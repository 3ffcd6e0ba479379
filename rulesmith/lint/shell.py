"""Commands as the shell reads them, as far as a check must know: stages of pipelines, words and redirections.

Tags of fdm stand in for words. What is not a plain list of pipelines (loops, functions, here documents) is `odd`, and
nothing is said about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

_OPERATORS = ("||", "&&", "|&", "|", ";;", ";", "&", "\n", "(", ")", "{", "}")
_REDIRECT = re.compile(r"(\d*)(>>|>&|<&|<>|>\||<<|&>|[<>])")
_KEYWORDS = "if then else elif fi for while until do done case esac function ! [[ select"
_ODD = frozenset(_KEYWORDS.split())
_WRAPPERS = ("nice", "nohup", "exec", "env", "command", "sudo", "doas", "time", "timeout", "setsid", "stdbuf", "ionice")
# Options of wrappers that bring an argument along, and what stands for their first arguments.
_ARGUMENT = re.compile(r"-[ungkso]|-\d+|\d+[smhd]?|[A-Za-z_]\w*=.*")


@dataclass
class Stage:
    """One command of a pipeline."""

    words: list[str] = field(default_factory=list)
    redirects: list[tuple[str, str, str]] = field(default_factory=list)  # descriptor, operator, target

    @property
    def arguments(self) -> list[str]:
        """The program and its words, without assignments and wrappers such as `nice`."""
        words = list(self.words)
        while words and (
            re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL) or words[0].rpartition("/")[2] in _WRAPPERS
        ):
            wrapper = words.pop(0).rpartition("/")[2] in _WRAPPERS
            while wrapper and len(words) > 1 and _ARGUMENT.fullmatch(words[0]):
                takes = words.pop(0) in ("-u", "-n", "-g", "-k", "-s", "-o")
                if takes and len(words) > 1:
                    words.pop(0)
        return words

    @property
    def program(self) -> str:
        """The name of the program, without its folder; empty where it is not known."""
        words = self.arguments
        return words[0].rpartition("/")[2] if words else ""

    def reads(self) -> bool:
        """Whether its standard input is redirected."""
        return any(operator in ("<", "<<", "<>", "<&") and descriptor in ("", "0")
                   for descriptor, operator, _ in self.redirects)  # fmt: skip

    def writes(self) -> str | None:
        """Where its standard output goes instead, if anywhere."""
        targets = [target for descriptor, operator, target in self.redirects
                   if operator in (">", ">>", ">|", "&>", ">&") and descriptor in ("", "1")]  # fmt: skip
        return targets[-1] if targets else None


@dataclass
class Command:
    """Pipelines with the operator that ends each; `odd` where the shell does more; `open` is an unclosed quote."""

    pipelines: list[tuple[list[Stage], str]]
    odd: bool
    open: str
    text: str

    @property
    def last(self) -> list[Stage]:
        """The stages of the last pipeline."""
        return self.pipelines[-1][0] if self.pipelines else []


@lru_cache(maxsize=4096)
def parse_shell(text: str) -> Command:
    """Read a command line."""
    reader = _Reader(text)
    reader.run()
    odd = reader.odd or any(
        stage.words[0] in _ODD for pipeline, _ in reader.pipelines for stage in pipeline if stage.words
    )
    return Command(reader.pipelines, odd, reader.quote, text)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.pipelines: list[tuple[list[Stage], str]] = []
        self.stages: list[Stage] = [Stage()]
        self.word: str | None = None
        self.redirect: tuple[str, str] | None = None
        self.quote = ""
        self.odd = False

    def run(self) -> None:
        at = 0
        while at < len(self.text):
            at = self._quoted(at) if self.quote else self._plain(at)
        self._end_word()
        self._end_pipeline("")

    def _quoted(self, at: int) -> int:
        char = self.text[at]
        if char == self.quote:
            self.quote = ""
        elif char == "\\" and self.quote == '"' and at + 1 < len(self.text):
            self._add(self.text[at + 1])
            return at + 2
        else:
            if self.quote == '"' and (char == "`" or self.text.startswith("$(", at)):
                self.odd = True
            self._add(char)
        return at + 1

    def _plain(self, at: int) -> int:
        char = self.text[at]
        if char == "\\":
            self._add(self.text[at + 1 : at + 2])
            return at + 2
        if char in "'\"":
            self.quote = char
            self._add("")
            return at + 1
        if char == "#" and self.word is None:
            end = self.text.find("\n", at)
            return len(self.text) if end < 0 else end
        if char in " \t":
            self._end_word()
            return at + 1
        if char == "`" or self.text.startswith("$(", at):
            self.odd = True
            self._add(char)
            return at + 1
        if self.text.startswith("${", at):
            end = self.text.find("}", at)
            self._add(self.text[at : end + 1] if end >= 0 else char)
            return end + 1 if end >= 0 else at + 1
        redirect = _REDIRECT.match(self.text, at)
        if redirect and (not redirect[1] or self.word is None):
            return self._redirect(redirect)
        operator = next((each for each in _OPERATORS if self.text.startswith(each, at)), None)
        if operator in ("{", "}") and self.word is not None:
            operator = None
        if operator is None:
            self._add(char)
            return at + 1
        self._operator(operator)
        return at + len(operator)

    def _redirect(self, redirect: re.Match[str]) -> int:
        self._end_word()
        self.redirect = (redirect[1], redirect[2])
        if redirect[2] == "<<":
            self.odd = True
        return redirect.end()

    def _operator(self, operator: str) -> None:
        self._end_word()
        if operator in ("(", ")", "{", "}", ";;", "|&"):
            self.odd = True
        elif operator == "|":
            self.stages.append(Stage())
        else:
            self._end_pipeline(operator)

    def _add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def _end_word(self) -> None:
        if self.word is None:
            return
        if self.redirect is not None:
            self.stages[-1].redirects.append((*self.redirect, self.word))
            self.redirect = None
        else:
            self.stages[-1].words.append(self.word)
        self.word = None

    def _end_pipeline(self, operator: str) -> None:
        if any(stage.words or stage.redirects for stage in self.stages):
            self.pipelines.append((self.stages, operator))
        self.stages = [Stage()]
