"""The driver that does nothing: answers the engine with what would be, and remembers what was asked.

No command is run, nothing is written, no server is asked. Commands of conditions are unknown unless a runner
is given; a cache is looked up where it exists; a delivery is taken to succeed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rulesmith.conditions import condition
from rulesmith.effects import DELIVER, LOOK_UP, RUN, WHO, Failure
from rulesmith.evaluate import KEEP, Unknown, Verdict, evaluate
from rulesmith.mail import header
from rulesmith.mail.message import Message, clock_tags, describe
from rulesmith.program import UNKNOWN
from rulesmith.wording import explain_term, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rulesmith.program import Account, Program, Rule

User = tuple[bytes, int, int, bytes]


@dataclass
class Tried:
    """One condition that was evaluated: in fdm's words, with what it matched."""

    text: str
    result: bool | None
    matched: bytes | None


@dataclass
class RuleTrace:
    """One rule that was tried."""

    number: int
    path: str
    line: int
    result: str = "no match"
    tried: list[Tried] = field(default_factory=list)
    nested: bool = False


@dataclass
class Planned:
    """One action that would have been done, in order; `stores` says whether it would take the message."""

    rule: int
    action: str
    kind: str
    user: str
    stores: bool
    command: str | None = None
    path: str | None = None
    detail: str | None = None


@dataclass
class Report:
    """What would happen to a message; `outcome` is delivered, dropped, kept, deferred or unknown."""

    outcome: str
    reason: str
    rules: list[RuleTrace]
    plan: list[Planned]


_TARGETS = {"maildir", "mbox", "write", "append"}


class _Recorder:
    """Turns the engine's events into the rules and the plan of a report."""

    def __init__(self) -> None:
        self.rules: list[RuleTrace] = []
        self.plan: list[Planned] = []
        self._open: dict[int, RuleTrace] = {}
        self.job: tuple[int, str, str] = (0, "", "")

    def _rule(self, rule: Any) -> RuleTrace:
        found = self._open.get(rule[0])
        if found is None:
            found = self._open[rule[0]] = RuleTrace(rule[0], rule[1][0], rule[1][1], nested=rule[6] is not None)
            self.rules.append(found)
        return found

    def event(self, event: str, *args: Any) -> None:
        if event == "tried":
            rule, position, own, _, message = args
            term = rule[2][position]
            text = ("not " if term[1] else "") + explain_term(term)
            matched = None
            if term[2] == "regexp" and message.captures and own is (not term[1]):
                matched = message.captures[0]
            self._rule(rule).tried.append(Tried(text, own, matched))
        elif event == "finished":
            self._rule(args[0]).result = "match" if args[1] else "no match"
        elif event == "job":
            rule, name, _, word, user = args
            self.job = (rule[0], text_of(name), text_of(user[0]))
            if word in ("drop", "keep"):
                self.planned(word, False)
        elif event in ("tagging", "saving-to-cache", "removing-from-cache"):
            self.planned(event.replace("ging", "").replace("saving", "add"), False, detail=_detail(event, args))
        elif event in ("adding-header", "removing-header"):
            self.planned(event.replace("ing", "", 1), False, detail=text_of(args[0]))

    def planned(self, kind: str, stores: bool, **more: str | None) -> None:
        rule, action, user = self.job
        self.plan.append(Planned(rule, action, kind, user, stores, **more))


def _detail(event: str, args: tuple[Any, ...]) -> str:
    return " ".join(text_of(arg) for arg in args if isinstance(arg, bytes))


class _DryDriver:
    def __init__(
        self,
        recorder: _Recorder,
        who: Callable[[bytes], User | None],
        look_up: Callable[[bytes, bytes], bool],
        run: Callable[..., tuple[int | None, bytes]] | None,
    ) -> None:
        self.recorder = recorder
        self.who = who
        self.look_up = look_up
        self.run = run
        self.learnt: dict[tuple[bytes, bytes], bool] = {}

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict]) -> Verdict:
        try:
            effect = next(engine)
            while True:
                try:
                    answer = self._answer(effect)
                except Failure as failure:
                    effect = engine.throw(failure)
                else:
                    effect = engine.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def _answer(self, effect: tuple[Any, ...]) -> Any:
        word = effect[0]
        if word == WHO:
            return self.who(effect[1])
        if word == DELIVER:
            return self._deliver(effect[1], effect[2])
        if word == RUN:
            return self._command(*effect[1:])
        key = (effect[1], effect[2])
        if word == LOOK_UP:
            known = self.learnt.get(key)
            return self.look_up(*key) if known is None else known
        # What the rules add or remove holds for the rest of this message only.
        self.learnt[key] = word == "remember"
        return None

    def _deliver(self, kind: str, args: tuple[Any, ...]) -> dict[bytes, bytes]:
        if kind in _TARGETS:
            self.recorder.planned(kind, True, path=text_of(args[0]))
        elif kind == "stdout":
            self.recorder.planned(kind, True)
        else:
            shown = " ".join(text_of(arg) for arg in args[:2])
            folder = text_of(args[4]) if kind.startswith("imap") else None
            self.recorder.planned(kind, True, detail=shown, path=folder)
        return {b"mail_file": args[0]} if kind == "maildir" else {b"mbox_file": args[0]} if kind == "mbox" else {}

    def _command(
        self, purpose: str, command: bytes, stdin: bytes | None, user: User, until: Callable[[bytes], bool] | None
    ) -> Any:
        if purpose == "condition":
            return None if self.run is None else self.run(command, stdin, user, until)
        self.recorder.planned(purpose, purpose == "pipe", command=text_of(command))
        if purpose == "rewrite":
            return None
        return 0, b""


def simulate(
    program: Program,
    account: Account,
    raw: bytes,
    me: User,
    now: int,
    hostname: bytes,
    fqdn: bytes,
    version: bytes,
    who: Callable[[bytes], User | None],
    look_up: Callable[[bytes, bytes], bool],
    run: Callable[..., tuple[int | None, bytes]] | None = None,
    spam: dict[str, Any] | None = None,
) -> Report:
    """What the program would do with a message that `account` hands over; never touches anything.

    `now` is Unix time. `run` runs the commands of conditions; None leaves them unknown. `spam` is the verdict that a
    scan gave (mail/message.py).
    """
    settings = program[0]
    recorder = _Recorder()
    if not raw:
        return Report("deferred", "the message is empty", [], [])
    if len(raw) > settings["maximum-size"]:
        over = f"larger than maximum-size: {len(raw)} octets"
        if settings["delete-oversized"]:
            return Report("dropped", over, [], [])
        return Report("deferred", over, [], [])
    if raw[-1:] != b"\n":
        raw += b"\n"
    raw = header.strip_from_line(raw)
    body_at = header.boundary(raw)
    tags = clock_tags(now, hostname)
    tags.update(describe(raw, body_at, account[0], now))
    if not settings["no-received"]:
        line = header.received(fqdn, version, account[0], account[3].encode(), now)
        raw, body_at = header.insert_received(raw, body_at, line)
    message = Message(raw, body_at, tags, now)
    message.verdict = spam
    engine = evaluate(program, account[0], account[2], message, me, recorder.event)
    driver = _DryDriver(recorder, who, look_up, run)
    try:
        verdict = driver.drive(engine)
    except Unknown as unknown:
        return Report("unknown", _why_unknown(recorder, str(unknown)), recorder.rules, recorder.plan)
    outcome, reason = _outcome(verdict, account)
    return Report(outcome, reason, recorder.rules, recorder.plan)


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
        terms.append((join, negated, word, args) if known else (join, negated, "unknown", (_explained(word, args),)))
    inner = None if block is None else tuple(_mark_rule(each, verdict) for each in block)
    return number, place, tuple(terms), users, names, items, inner, goes_on


def _is_unknown(arg: Any) -> bool:
    if isinstance(arg, tuple):
        return (len(arg) == 2 and arg[1] == UNKNOWN) or any(_is_unknown(each) for each in arg)
    return False


def _explained(word: str, args: tuple[Any, ...]) -> bytes:
    explained: bytes = condition(word).explain(args)
    return explained


def _why_unknown(recorder: _Recorder, text: str) -> str:
    for rule in reversed(recorder.rules):
        for tried in reversed(rule.tried):
            if tried.result is None:
                rule.result = "unknown"
                return f"{text} depends on {tried.text}, which is not run here"
    return text


def _outcome(verdict: Verdict, account: Account) -> tuple[str, str]:
    kept = verdict.decision == KEEP or account[5]
    if verdict.outcome != "done":
        return "deferred", verdict.reason
    if verdict.stored:
        return "delivered", ""
    if verdict.dropped and not kept:
        return "dropped", "unmatched-mail drop" if verdict.ended else "a rule drops it"
    if verdict.ended:
        return "kept", "reached end of ruleset"
    return "kept", "keep" if kept else "no action of the rules that matched stores it"
