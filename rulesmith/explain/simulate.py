"""What a program would do with a message, without doing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rulesmith.evaluate import KEEP, Unknown, Verdict, evaluate
from rulesmith.explain.driver import Driver
from rulesmith.explain.recorder import Recorder
from rulesmith.explain.trace import Report, RuleTrace
from rulesmith.mail import header
from rulesmith.mail.message import Message, clock_tags, describe
from rulesmith.scan import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.explain.driver import User, World
    from rulesmith.explain.recorder import Watch
    from rulesmith.program import Account, Program
    from rulesmith.scan.reply import Reply


@dataclass(frozen=True)
class Circumstances:
    """Who, where and when: `me` is the invoking user, `now` is Unix time, `version` goes into the Received field."""

    me: User
    now: int
    hostname: bytes
    full_name: bytes
    version: bytes


def simulate(
    program: Program,
    account: Account,
    raw: bytes,
    circumstances: Circumstances,
    world: World,
    spam: Reply | None = None,
    detail: bool = True,
    watch: Watch | None = None,
) -> Report:
    """What the program would do with a message that `account` hands over; never touches anything.

    `spam` is rspamd's answer: where the program scans, the message gets its fields. Without `detail` the trace has no
    places, facts and differences. `watch` sees each condition that is tried (recorder.py).
    """
    settings = program[0]
    too = _unfit(raw, settings)
    if too is not None:
        outcome, reason = too
        recorder = Recorder(program, account[0], Message(raw, 0, {}, circumstances.now), False)
        _leave_out(recorder.rules, reason)
        return Report(outcome, reason, recorder.rules, [])
    message = _arrived(program, account, _scanned(raw, settings, spam), circumstances)
    message.verdict = None if spam is None else spam.verdict()
    recorder = Recorder(program, account[0], message, detail, watch)
    engine = evaluate(program, account[0], account[2], message, circumstances.me, recorder.event)
    try:
        verdict = Driver(recorder, world).drive(engine)
    except Unknown as unknown:
        at_end = False
        outcome, reason = "unknown", _why_unknown(recorder, str(unknown))
        _blame(recorder, "unknown", reason)
        _explain_rest(recorder, "what came before is not known")
    else:
        at_end = verdict.ended
        outcome, reason = _outcome(verdict, account)
        if verdict.outcome != "done":
            _blame(recorder, "failed", reason)
        last = recorder.last
        ended = f"rule {last.number} has ended the search" if last and verdict.outcome == "done" else reason
        _explain_rest(recorder, ended)
    return Report(outcome, reason, recorder.rules, recorder.plan, message.tags, message.raw, at_end)


def _scanned(raw: bytes, settings: dict[str, Any], spam: Reply | None) -> bytes:
    if spam is None or settings["scan"] is None:
        return raw
    return fields.judged(raw, header.boundary(raw), spam, 0.0)


def _arrived(program: Program, account: Account, raw: bytes, circumstances: Circumstances) -> Message:
    """The message as the rules first see it."""
    if raw[-1:] != b"\n":
        raw += b"\n"
    raw = header.strip_from_line(raw)
    body_at = header.boundary(raw)
    now = circumstances.now
    tags = clock_tags(now, circumstances.hostname)
    tags.update(describe(raw, body_at, account[0], now))
    if not program[0]["no-received"]:
        version, kind = circumstances.version, account[3].encode()
        line = header.received(circumstances.full_name, version, account[0], kind, now)
        raw, body_at = header.insert_received(raw, body_at, line)
    return Message(raw, body_at, tags, now)


def _unfit(raw: bytes, settings: dict[str, Any]) -> tuple[str, str] | None:
    if not raw:
        return "deferred", "the message is empty"
    if len(raw) > settings["maximum-size"]:
        over = f"larger than maximum-size: {len(raw)} octets"
        return "dropped" if settings["delete-oversized"] else "deferred", over
    return None


def _why_unknown(recorder: Recorder, text: str) -> str:
    rule = recorder.last
    if rule is None:
        return text
    for tried in reversed(rule.tried):
        if tried.result is None:
            rule.result = "unknown"
            command = recorder.message.unknown
            if command is not None and not tried.text.removeprefix("not ").startswith(("exec ", "pipe ")):
                made = command.decode("utf-8", "backslashreplace")
                return f"{text} depends on what {made} makes of the message, which is not run here"
            return f"{text} depends on {tried.text}, which is not run here"
    return text


def _blame(recorder: Recorder, result: str, reason: str) -> None:
    """Mark the rule in which nothing went on: the last one, or the next where that was done with."""
    last = recorder.last
    if last is None or last.result == "no match" or (last.nested and last.result == "match"):
        last = next((rule for rule in _reachable(recorder.rules) if rule.result == "not tried"), last)
    if last is not None:
        last.why = reason
        if last.result != "match":
            last.result = result


def _reachable(rules: list[RuleTrace]) -> Iterator[RuleTrace]:
    for rule in rules:
        yield rule
        if rule.result == "match":
            yield from _reachable(rule.rules)


def _explain_rest(recorder: Recorder, ended: str) -> None:
    """Say of each rule that was not tried why it was not."""

    def walk(rules: list[RuleTrace]) -> None:
        for rule in rules:
            if rule.result == "not tried":
                rule.why = rule.why or ended
                _leave_out(rule.rules, rule.why)
            elif rule.result == "match":
                walk(rule.rules)
            else:
                said = {"no match": "does not match", "failed": "has failed"}.get(rule.result, "is not known")
                _leave_out(rule.rules, f"rule {rule.number} {said}, so its block is not entered")

    walk(recorder.rules)


def _leave_out(rules: list[RuleTrace], why: str) -> None:
    for rule in rules:
        rule.why = why
        _leave_out(rule.rules, why)


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
