"""A program whose conditions say "not known" where they depend on something that is not done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.explain.facts import explained
from rulesmith.program import UNKNOWN

if TYPE_CHECKING:
    from rulesmith.program import Program, Rule


def mark_unknown(program: Program, scanned: bool = False) -> Program:
    """The program with every condition that depends on what was not run made an unknown one.

    That is a command of the configuration, or the spam scan if there is one and the message was not `scanned`.
    """
    settings, caches, accounts, actions, rules = program
    verdict = scanned or settings["scan"] is None
    return settings, caches, accounts, actions, tuple(_mark_rule(rule, verdict) for rule in rules)


def _mark_rule(rule: Rule, verdict: bool) -> Rule:
    number, place, expression, users, names, items, block, goes_on = rule
    terms = []
    for join, negated, word, args in expression:
        known = not any(_is_unknown(arg) for arg in args) and (verdict or not word.startswith("spam-"))
        terms.append((join, negated, word, args) if known else (join, negated, "unknown", (explained(word, args),)))
    inner = None if block is None else tuple(_mark_rule(each, verdict) for each in block)
    return number, place, tuple(terms), users, names, items, inner, goes_on


def _is_unknown(arg: Any) -> bool:
    if isinstance(arg, tuple):
        return (len(arg) == 2 and arg[1] == UNKNOWN) or any(_is_unknown(each) for each in arg)
    return False
