"""A message is remembered before it is delivered.

What it does: reports `add-to-cache` before a delivery, in the same action or in a rule with `continue`, when a rule
that stores nothing asks for the same cache.

Why is this bad: if the delivery fails, the message comes again, is found in the cache, and is thrown away as a
duplicate.

Example:

    match in-cache "~/.seen" key "%[message_id]" action drop
    match all action { add-to-cache "~/.seen" key "%[message_id]" maildir "~/Mail" }

Use instead: `add-to-cache` as the last item of the actions that deliver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.flow import STORING, jobs, place_of, statement_of
from rulesmith.syntax.tree import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.program import Item, Term
    from rulesmith.program import Rule as Lowered
    from rulesmith.source import Span

NAME = "cache-before-delivery"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each rule that remembers too early."""
    numbered = {id(statement): lowered for statement, lowered in compiled.lowered.added if isinstance(statement, Rule)}
    rules: list[Lowered] = [
        numbered[id(statement)] for statement in flatten(compiled.config.statements) if id(statement) in numbered
    ]
    fatal = set(_asked(tuple(compiled.lowered.rules), frozenset(), compiled))
    for position, rule in enumerate(rules):
        items = jobs(compiled, rule) or []
        for at, (word, args, _) in enumerate(items):
            if word != "add-to-cache" or args[0] not in fatal:
                continue
            later = items[at + 1 :]
            if rule[7]:
                later = later + [item for other in rules[position + 1 :] for item in jobs(compiled, other) or []]
            if _stores(later):
                path = args[0].decode("utf-8", "backslashreplace")
                yield Finding(
                    _place(compiled, rule),
                    f'the message is remembered in "{path}" first: if delivery fails, it is a duplicate next time',
                    help="add-to-cache as the last item of the action that delivers",
                )
                break


def _place(compiled: Compiled, rule: Lowered) -> Span:
    """The `add-to-cache` of a rule, or the name of the action that holds it."""
    items = [item for item in statement_of(compiled, rule).items or () if item.word == "add-to-cache"]
    return items[0].span if items else place_of(compiled, rule)


def _asked(rules: tuple[Lowered, ...], outer: frozenset[bytes], compiled: Compiled) -> Iterator[bytes]:
    """The caches whose hits end in rules that store nothing."""
    for rule in rules:
        paths = outer | frozenset(_paths(rule[2]))
        if rule[6] is not None:
            yield from _asked(rule[6], paths, compiled)
        elif not _stores(jobs(compiled, rule) or []) and not rule[7]:
            yield from paths


def _paths(terms: tuple[Term, ...]) -> Iterator[bytes]:
    return (args[0] for _, negated, word, args in terms if word == "in-cache" and not negated)


def _stores(items: list[Item]) -> bool:
    return any(word in STORING for word, _, _ in items)
