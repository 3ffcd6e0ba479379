"""Turns the engine's events into a trace."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from rulesmith.events import explain_term
from rulesmith.explain.facts import facts, own_tags, text
from rulesmith.explain.place import locate
from rulesmith.explain.trace import Change, Planned, RuleTrace, Tried
from rulesmith.wording import text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.mail.message import Message
    from rulesmith.program import Program, Rule, Term

    Watch = Callable[[int, Term, Tried, Message], None]

_JOINS = ("", "and", "or")
# More lines of a difference than these are counted only.
_DIFF_LINES = 60
# Tags that a delivery sets to what it has made; nothing is made here.
_MADE = (b"mail_file", b"mbox_file")


class Recorder:
    """Notes what happens to one message. Without `detail` it leaves out what takes time: places and differences.

    `watch` is called with each condition when it has been tried, while the message is as the condition saw it.
    """

    def __init__(
        self, program: Program, account: bytes, message: Message, detail: bool, watch: Watch | None = None
    ) -> None:
        self.message = message
        self.detail = detail
        self._watch = watch
        self._settings = program[0]
        self._account = account
        self._by_number: dict[int, RuleTrace] = {}
        self.rules = [self._tree(rule) for rule in program[4]]
        self.plan: list[Planned] = []
        self.last: RuleTrace | None = None
        self._job: Planned | None = None
        self._facts: list[str] = []
        self._tags = dict(message.tags)
        self._raw = message.raw

    def _tree(self, rule: Rule) -> RuleTrace:
        number, (path, line), expression, _, _, _, block, _ = rule
        tree = RuleTrace(number, path, line, nested=block is not None)
        tree.rules = [self._tree(each) for each in block or ()]
        self._by_number[number] = tree
        return tree

    def event(self, event: str, *args: Any) -> None:
        """One event of the engine (events.py lists them)."""
        heard = _HEARD.get(event)
        if heard is not None:
            heard(self, *args)

    def fact(self, said: str) -> None:
        """Something that the condition which is being tried has learnt."""
        self._facts.append(said)

    def job(self) -> Planned:
        """The action at work."""
        assert self._job is not None
        return self._job

    def tried(self, rule: Rule, position: int, own: bool | None, _: bool | None, message: Message) -> None:
        """A condition has its result."""
        traced = self._open(rule)
        self._skip(traced, rule[2], position)
        term = rule[2][position]
        tried = Tried(_JOINS[term[0]], words_of(term), own)
        if term[2] == "regexp" and message.captures and own is (not term[1]):
            tried.matched = message.captures[0]
            tried.captures = message.captures
            if self.detail:
                pattern, area = term[3]
                tried.match = locate(message, area, pattern, message.captures[0])
        if self.detail:
            tried.facts = self._facts + facts(term, message, self._settings, self._account)
            tried.changes = self._changes()
        self._facts = []
        traced.conditions.append(tried)
        if self._watch is not None:
            self._watch(rule[0], term, tried, message)

    def _open(self, rule: Rule) -> RuleTrace:
        traced = self._by_number[rule[0]]
        traced.result = "failed"  # until it is finished
        self.last = traced
        return traced

    def finished(self, rule: Rule, holds: bool) -> None:
        """A rule has its result."""
        traced = self._open(rule)
        self._skip(traced, rule[2], len(rule[2]))
        traced.result = "match" if holds else "no match"

    def _skip(self, traced: RuleTrace, expression: tuple[Term, ...], upto: int) -> None:
        """Note the conditions before `upto` that the engine has passed over: nothing they say matters any more."""
        for join, negated, word, args in expression[len(traced.conditions) : upto]:
            why = "the conditions before do not hold" if join == 1 else "the conditions before hold already"
            term = join, negated, word, args
            traced.conditions.append(Tried(_JOINS[join], words_of(term), skipped=why))

    def started(self, rule: Rule, name: bytes, _: int, word: str, user: Any) -> None:
        """An action is about to be done."""
        self._job = Planned(rule[0], text_of(name), word, text_of(user[0]))
        self._tags = dict(self.message.tags)

    def performed(self, rule: Rule, *_: Any) -> None:
        """An action is done."""
        job = self.job()
        job.changes += self._changes()
        job.octets = self.message.raw
        job.unknown = job.kind == "rewrite" and self.message.unknown is not None
        self.plan.append(job)
        self._by_number[rule[0]].jobs.append(job)
        self._job = None

    def detailed(self, *args: Any) -> None:
        """What an action does, as the event's octets say it."""
        self.job().detail = " ".join(text_of(arg) for arg in args if isinstance(arg, bytes))

    def cached(self, path: bytes, key: bytes) -> None:
        """A key is added to a cache, or removed from one."""
        self.detailed(path, key)
        gone = self.job().kind == "remove-from-cache"
        self.job().changes.append(Change("cache", f"{text(path)} {'loses' if gone else 'gets'} the key {text(key)}"))

    def _changes(self) -> list[Change]:
        """What is no longer as it was when this was last asked."""
        before, self._tags = self._tags, dict(self.message.tags)
        now = own_tags(self._tags)
        found = [
            Change("tag", f"%[{text(name)}] is now {text(value)!r}")
            for name, value in now.items()
            if before.get(name) != value and name not in _MADE
        ]
        if self.message.raw is not self._raw:
            old, self._raw = self._raw, self.message.raw
            if self.detail and old != self._raw:
                found.append(Change("message", "the message changes", difference(old, self._raw)))
        return found


def words_of(term: Term) -> str:
    """A condition with its `not`."""
    return ("not " if term[1] else "") + explain_term(term)


def difference(old: bytes, new: bytes) -> tuple[str, ...]:
    """The lines that one message has and the other has not, with what is around them."""
    mine, its = ([text(line) for line in raw.splitlines()] for raw in (old, new))
    lines = list(difflib.unified_diff(mine, its, "before", "after", n=1, lineterm=""))[2:]
    if len(lines) > _DIFF_LINES:
        lines = [*lines[:_DIFF_LINES], f"… {len(lines) - _DIFF_LINES} more lines"]
    return tuple(lines)


_HEARD: dict[str, Any] = {
    "tried": Recorder.tried,
    "finished": Recorder.finished,
    "job": Recorder.started,
    "performed": Recorder.performed,
    "tagging": Recorder.detailed,
    "adding-header": Recorder.detailed,
    "removing-header": Recorder.detailed,
    "saving-to-cache": Recorder.cached,
    "removing-from-cache": Recorder.cached,
}
