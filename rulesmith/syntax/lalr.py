"""Lark makes the table of a grammar, as the text that table.py reads: once per edit of the grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lark import Lark
from lark.lexer import Lexer
from lark.parsers.lalr_analysis import Shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lark.grammar import Rule


class _Words(Lexer):
    """No lexer: the words are made before."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, *_: Any) -> Iterator[Any]:
        yield from ()


def load_grammar(text: str) -> Lark:
    """The grammar as Lark sees it."""
    return Lark(text, parser="lalr", lexer=_Words, maybe_placeholders=True)


def table_of(grammar: str) -> str:
    """The table of a grammar: rules, sets of terminals and states, one a line, with a blank line between the three.

    A rule is `ORIGIN METHOD CHILDREN`, see `_rule`. A state is `SYMBOL STATE …|RULE SET`: where to go behind a symbol,
    and the rule that ends before a terminal of that set, both by their line from 0; parsing begins in state 0.
    The text is the same in every run.
    """
    lark = load_grammar(grammar)
    frontend: Any = lark.parser
    table = frontend.parser._parse_table  # noqa: SLF001 — there is no other way to it
    numbers = {rule: number for number, rule in enumerate(lark.rules)}
    sets: dict[str, int] = {}
    order = [table.start_states["start"]]
    places = {order[0]: 0}
    states = []
    for state in order:
        steps: list[str] = []
        ends: dict[int, list[str]] = {}
        for symbol, (action, target) in sorted(table.states[state].items()):
            if action is not Shift:
                ends.setdefault(numbers[target], []).append(symbol)
                continue
            if target not in places:
                places[target] = len(order)
                order.append(target)
            steps.append(f"{symbol} {places[target]}")
        reductions = [f"{rule} {sets.setdefault(' '.join(found), len(sets))}" for rule, found in ends.items()]
        states.append("|".join([" ".join(steps), *reductions]))
    return "\n\n".join("\n".join(part) for part in (map(_rule, lark.rules), sets, states)) + "\n"


def _rule(rule: Rule) -> str:
    """Its origin, the method of the builder, and a sign for each child.

    The method is `=` where its only child stands for it, and `*` where all of them do. A child is `x`, `*` where others
    stand for it, and `_` where an optional part is left out.
    """
    gaps = rule.options.empty_indices or (False,) * len(rule.expansion)
    symbols = iter(rule.expansion)
    children = "".join("_" if gap else "*" if next(symbols).name.startswith("_") else "x" for gap in gaps)
    method = rule.alias or rule.origin.name
    if rule.options.expand1 and not rule.alias:
        assert len(children) == 1, f"{rule}: a rule with `?` must have one child, or an alias"
        method = "="
    elif rule.origin.name.startswith("_"):
        method = "*"
    return f"{rule.origin.name} {method} {children}".rstrip()
