"""Messages of standard input on their way through the rules, followed without any message.

Each condition is true, false, or not known; where it is not known both ways are taken. What is kept of a way is
little (`State`), so that thousands of rules take no time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rulesmith.limits import CHAINED_ACTIONS
from rulesmith.mail import glob
from rulesmith.syntax import tree

if TYPE_CHECKING:
    from rulesmith.compiler.compile import Compiled
    from rulesmith.program import Action, Item, Rule, Template, Term
    from rulesmith.source import Span

# Words that store the message somewhere (README, "Exit status").
STORING = frozenset(["pipe", "maildir", "mbox", "write", "append", "stdout", "smtp", "lmtp", "imap", "imaps"])
# No rule that means something runs more; a loop of names would.
_MOST_ITEMS = 1000
Facts = dict[tuple[str, Any], bool]


@dataclass(frozen=True, slots=True)
class State:
    """What became of a message so far: `decision` is the last "keep" or "drop"."""

    matched: bool = False
    stored: bool = False
    decision: str | None = None


@dataclass(slots=True)
class Flow:
    """The ways of messages of one account. `ends` are the rules that stop, with a state; `falls` go past all rules.

    `reached` are the numbers of rules that a message comes to, `values` what their conditions then are as far as the
    account and `matched` decide it, and `blocked` those that no message comes to, with the rule that takes them all.
    """

    compiled: Compiled
    account: bytes
    ends: dict[tuple[int, State], Rule] = field(default_factory=dict)
    falls: frozenset[State] = frozenset()
    reached: set[int] = field(default_factory=set)
    values: dict[int, set[bool | None]] = field(default_factory=dict)
    blocked: dict[int, Rule] = field(default_factory=dict)

    def run(self) -> Flow:
        self.falls = self._rules(tuple(self.compiled.lowered.rules), frozenset([State()]), {})
        return self

    def _rules(self, rules: tuple[Rule, ...], states: frozenset[State], facts: Facts) -> frozenset[State]:
        facts = dict(facts)
        last: Rule | None = None
        for rule in rules:
            if not states:
                if last is not None:
                    self.blocked[rule[0]] = last
                continue
            last = rule  # the one that takes them all, if none is left behind it
            self.reached.add(rule[0])
            _, _, terms, _, _, _, block, goes_on = rule
            after: set[State] = set()
            inside: set[State] = set()
            for state in states:
                self.values.setdefault(rule[0], set()).add(self._expression(terms, state, {}))
                value = self._expression(terms, state, facts)
                if value is not True:
                    after.add(state)
                if value is False:
                    continue
                if block:
                    inside.add(state)
                    continue
                reached = self._perform(rule, replace(state, matched=True))
                if goes_on:
                    after.add(reached)
                else:
                    self.ends.setdefault((rule[0], reached), rule)
            single = terms[0] if len(terms) == 1 else None
            if block and inside:
                known = facts | ({} if single is None else {(single[2], single[3]): not single[1]})
                after |= self._rules(block, frozenset(inside), known)
            if block is not None or goes_on:
                # An action may have changed what conditions see.
                facts.clear()
            elif single is not None:
                facts[single[2], single[3]] = single[1]
            states = frozenset(after)
        return states

    def _expression(self, terms: tuple[Term, ...], state: State, facts: Facts) -> bool | None:
        result: bool | None = None
        for join, negated, word, args in terms:
            if (join == 1 and result is False) or (join == 2 and result):
                continue
            value = self._condition(word, args, state, facts)
            value = None if value is None else value != negated
            if join == 0:
                result = value
            elif join == 1:
                result = value if result else (False if value is False else None)
            else:
                result = value if result is False else (True if value else None)
        return result

    def _condition(self, word: str, args: tuple[Any, ...], state: State, facts: Facts) -> bool | None:
        if word == "all":
            return True
        if word in ("matched", "unmatched"):
            return state.matched == (word == "matched")
        if word == "account":
            constant = [pattern for pattern in args[0] if isinstance(pattern, bytes)]
            if any(glob.matches(pattern, self.account) for pattern in constant):
                return True
            return False if len(constant) == len(args[0]) else None
        return facts.get((word, args))

    def _perform(self, rule: Rule, state: State) -> State:
        items = jobs(self.compiled, rule)
        if items is None:
            return replace(state, stored=True)
        for word, _, _ in items:
            if word in STORING:
                state = replace(state, stored=True)
            elif word in ("keep", "drop"):
                state = replace(state, decision=word)
        return state


def jobs(compiled: Compiled, rule: Rule) -> list[Item] | None:
    """The items that a rule runs, in order; None where names depend on the message or name nothing."""
    _, _, _, _, names, items, _, _ = rule
    found: list[Item] = []
    ok = _expand(compiled, items or (), found, 0) if names is None else _named(compiled, names, found, 0)
    return found if ok else None


def _expand(compiled: Compiled, items: tuple[Item, ...], found: list[Item], depth: int) -> bool:
    for item in items:
        if item[0] != "action":
            found.append(item)
        elif not _named(compiled, item[1][0], found, depth + 1):
            return False
    return True


def _named(compiled: Compiled, names: tuple[Template, ...], found: list[Item], depth: int) -> bool:
    # fdm's budget ends such a chain long before (limits.py).
    if depth > CHAINED_ACTIONS or len(found) > _MOST_ITEMS:
        return False
    for name in names:
        if not isinstance(name, bytes):
            return False
        chosen = _select(compiled, name)
        if not chosen or not all(_expand(compiled, action[2], found, depth) for action in chosen):
            return False
    return True


def _select(compiled: Compiled, name: bytes) -> list[Action]:
    actions = compiled.lowered.actions
    if not any(octet in b"*?[\\" for octet in name):
        return [actions[name]] if name in actions else []
    return [action for action in actions.values() if glob.matches(name, action[0])]


def stdin_accounts(compiled: Compiled) -> list[tree.Account]:
    """The accounts that read standard input."""
    return [
        statement
        for statement, _ in compiled.lowered.added
        if isinstance(statement, tree.Account) and statement.fetch.word == "stdin"
    ]


def flows(compiled: Compiled) -> list[Flow]:
    """The ways of messages of each account that reads standard input."""
    return [Flow(compiled, name).run() for name, account in compiled.lowered.accounts.items() if account[3] == "stdin"]


def all_flows(compiled: Compiled) -> list[Flow]:
    """The ways of messages of each account."""
    return [Flow(compiled, name).run() for name in compiled.lowered.accounts]


def stopping(compiled: Compiled, decision: str | None, ways: list[Flow] | None = None) -> list[Rule]:
    """The rules that can stop a message with this decision and nothing stored, in order; of standard input alone
    unless other ways are given."""
    found: dict[int, Rule] = {}
    for flow in flows(compiled) if ways is None else ways:
        for (number, state), rule in flow.ends.items():
            if not state.stored and state.decision == decision:
                found[number] = rule
    return [found[number] for number in sorted(found)]


def statement_of(compiled: Compiled, rule: Rule) -> tree.Rule:
    """The node of a rule."""
    for statement, lowered in compiled.lowered.added:
        if isinstance(statement, tree.Rule) and lowered[0] == rule[0]:
            return statement
    raise KeyError(rule[0])


def place_of(compiled: Compiled, rule: Rule) -> Span:
    """Where a rule says what to do: its names or items."""
    statement = statement_of(compiled, rule)
    parts = statement.names or statement.items
    return statement.span if not parts else parts[0].span.to(parts[-1].span)
