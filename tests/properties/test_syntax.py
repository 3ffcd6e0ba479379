"""Whatever the octets: findings and never a traceback; whatever the tree: printing and parsing give it back."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rulesmith.diagnostics.as_json import as_json
from rulesmith.diagnostics.render import render_short, render_text
from rulesmith.syntax.lalr import load_grammar
from rulesmith.syntax.parser import parse
from rulesmith.syntax.printer import print_config
from rulesmith.syntax.table import FOLDER
from rulesmith.syntax.tree import Config
from rulesmith.syntax.words import KEYWORDS, SPELLINGS, SYMBOLS
from rulesmith.syntax.world import MemoryWorld

WORLD = MemoryWorld({"inc": b'match all {\n$x = "'}, {"$given": "g"})
SCRAPS = [*KEYWORDS, *SYMBOLS, *"\"'\n$%\\@\0", '"x"', "'y'", "$a", "%b", "${a}", "5", "$(c)", '"inc"', "$a = ", "\n"]
# What a sentence of the grammar may still have wrong.
NOT_GRAMMAR = {"size-too-large", "time-too-large", "duplicate-flag", "cache-of-imap"}


def survives(text: bytes | str) -> None:
    config, findings = parse("conf", text, WORLD)
    assert isinstance(config, Config)
    for finding in findings:
        assert render_text(finding)
        assert render_short(finding).isprintable()
        assert as_json(finding)
        assert 0 <= finding.at.span.start <= finding.at.span.end <= len(finding.at.span.source.text)


@given(st.binary(max_size=300))
def test_any_octets_give_findings_and_no_traceback(text: bytes) -> None:
    survives(text)


@given(st.lists(st.sampled_from(SCRAPS), max_size=60), st.sampled_from(["", " "]))
def test_any_heap_of_words_gives_findings_and_no_traceback(scraps: list[str], between: str) -> None:
    survives(between.join(scraps))


class Sentences:
    """Random sentences of the grammar itself, so that no production can be forgotten."""

    def __init__(self) -> None:
        self.rules: dict[str, list[tuple[str, ...]]] = {}
        for rule in load_grammar(Path(FOLDER, "fdm.lark").read_text(encoding="utf-8")).rules:
            self.rules.setdefault(rule.origin.name, []).append(tuple(symbol.name for symbol in rule.expansion))
        self.depth = self._depths()

    def _depths(self) -> dict[str, int]:
        """How many steps each symbol needs at least to become words."""
        depth = dict.fromkeys(self.rules, 1000)
        for _ in self.rules:
            for name, several in self.rules.items():
                depth[name] = min(1 + max((depth.get(s, 0) for s in symbols), default=0) for symbols in several)
        return depth

    def write(self, symbol: str, rng: random.Random, left: int) -> list[str]:
        if symbol not in self.rules:
            return [self.word(symbol, rng)]
        several = self.rules[symbol]
        if left <= 0:
            least = min(max((self.depth.get(s, 0) for s in symbols), default=0) for symbols in several)
            several = [each for each in several if max((self.depth.get(s, 0) for s in each), default=0) == least]
        return [word for each in rng.choice(several) for word in self.write(each, rng, left - 1)]

    def word(self, terminal: str, rng: random.Random) -> str:
        match terminal:
            case "STR":
                return self.string(rng)
            case "STRMACRO":
                return rng.choice(["$s", "${s}", "$given", "$t"])
            case "NUMMACRO":
                return rng.choice(["%n", "%{n}", "%m"])
            case "STRCOMMAND":
                return rng.choice(["$(c)", "$(c \"${s}\" ')')", "$( ( ) )"])
            case "NUMCOMMAND":
                return "%(c)"
            case "NUMBER":
                return str(rng.choice([0, 1, 7, 2**40]))
            case "DECIMAL":
                return rng.choice(["0.5", "-1", "-12.25"])
            case "INCLUDE":
                return "include 'part'"
            case "IFDEF" | "ENDIF":
                return rng.choice(["ifdef $s endif", "ifndef $s set = endif", "ifndef $u endif"])
            case _:
                return rng.choice(
                    SPELLINGS.get(terminal) or [sign for sign, name in SYMBOLS.items() if name == terminal]
                )

    def string(self, rng: random.Random) -> str:
        parts = ["a", "b c", "\n", "#", "é", "\udce9", "%h", "$", "}", "\0", '"', "'", "${s}", "%{n}", "${u}", "\\n"]
        text = "".join(rng.choice(parts) for _ in range(rng.randint(0, 5)))
        if rng.random() < 0.5:
            return f"'{text.replace(chr(39), '')}'"
        return '"' + text.replace('"', '\\"') + '"'


SENTENCES = Sentences()


@given(st.integers(0, 2**32), st.integers(5, 30))
def test_a_printed_tree_parses_to_the_same_tree(seed: int, size: int) -> None:
    rng = random.Random(seed)
    statements = [SENTENCES.write("statement", rng, size) for _ in range(rng.randint(1, 5))]
    text = '$s = "S" $t = "" %n = 5 %m = 6\n' + "\n".join(" ".join(words) for words in statements)
    world = MemoryWorld({"part": b"set lock-wait\n"}, {"$given": "g"}, lambda _: "7")
    config, findings = parse("conf", text, world)
    assert {finding.name for finding in findings} <= NOT_GRAMMAR
    again, _ = parse("conf", print_config(config), world)
    assert again == config
