"""`rulesmith why-not`: the condition that kept a rule from taking a message, and how near it was."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rulesmith.cli.loading import (
    ACCOUNT,
    ASSUME,
    CONFIG,
    VERDICT,
    assumptions,
    find_account,
    here,
    load_program,
    read_verdict,
    world_for,
)  # fmt: skip
from rulesmith.cli.settings import DEFINES, HOME, RUN_COMMANDS, USER, default_config, invoker
from rulesmith.diagnostics.printable import printable, width
from rulesmith.explain.as_text import shown, where
from rulesmith.explain.unknown import mark_unknown
from rulesmith.explain.why_not import find_rules, why_not
from rulesmith.mail import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.explain.miss import Miss
    from rulesmith.explain.trace import RuleTrace
    from rulesmith.explain.why_not import Answer, Failed


@click.command("why-not")
@click.argument("rule")
@click.argument("message", type=click.Path(allow_dash=True))
@CONFIG
@ACCOUNT
@VERDICT
@ASSUME
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is shown.")
@RUN_COMMANDS
@DEFINES
@USER
@HOME
def why_not_command(
    rule: str,
    message: str,
    config: str | None,
    account: str | None,
    verdict: str | None,
    assume: tuple[str, ...],
    form: str,
    run_commands: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Say why RULE does not take MESSAGE (a file, or - for standard input).

    RULE is its number, its place (:LINE or FILE:LINE) or the name of an action, for all rules that have it. Exit
    status: 0 if no such rule takes the message, 1 if one does, 2 for a faulty configuration or command line.
    """
    me = invoker(home_from_environment)
    path = config or default_config(me[3])
    spam = None if verdict is None else read_verdict(verdict)
    program = mark_unknown(load_program(path, me, run_commands, defines, user, assumptions(assume)), spam is not None)
    found = find_rules(program, rule)
    if not found:
        raise click.UsageError(f"{path}: no rule is {rule!r}: a number, :LINE, FILE:LINE or the name of an action")
    source = find_account(program, account)
    world = world_for(program, me, assume, run_commands)
    try:
        raw = sys.stdin.buffer.read() if message == "-" else _read(message)
    except OSError as error:
        raise click.UsageError(f"{message}: {os.strerror(error.errno or 0)}") from None
    answers = [why_not(program, each, source, raw, here(me), world, spam) for each in found]
    for answer in answers:
        click.echo(json.dumps(_json(answer)) if form == "json" else "\n".join(_lines(answer)))
    sys.exit(1 if any(answer.trace.result == "match" for answer in answers) else 0)


def _read(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()


def _lines(answer: Answer) -> Iterator[str]:
    trace = answer.trace
    place = f"rule {trace.number} ({printable(trace.path)}:{trace.line})"
    if trace.result == "match":
        decided = trace.decided
        yield f"{place} does take it" + (f", decided by {printable(decided.text)}" if decided else "")
        return
    if answer.alone is None:
        yield f"{place} does not match" if trace.result == "no match" else f"{place}: {trace.result}"
    else:
        yield f"{place} was not tried: {printable(trace.why)}"
        would = "it would match" if answer.alone.result == "match" else "it would not match either"
        yield f"  tried by itself {would}{_decided(answer.alone)}"
    for failed in answer.failed:
        yield from _failed(failed)


def _decided(trace: RuleTrace) -> str:
    decided = trace.decided
    return f", decided by {printable(decided.text)}" if decided else ""


def _failed(failed: Failed) -> Iterator[str]:
    tried = failed.tried
    yield f"  {'fails' if tried.result is False else 'not known'}: {printable(tried.text)}"
    for said in tried.facts:
        yield f"    {printable(said)}"
    if tried.match is not None:
        yield f"    it is there: {_plain(tried.match.octets)!r}, {where(tried.match)}"
    if failed.miss is not None:
        yield from _miss(failed.miss)


def _miss(miss: Miss) -> Iterator[str]:
    if miss.absent:
        yield f"    the message has no {' and no '.join(miss.absent)} field"
    if miss.fields:
        yield "    the message has"
        yield from (f"      {printable(line)}" for line in miss.fields)
    if miss.absent and not miss.fields:
        yield from (f"    {hint}" for hint in miss.hints)
        return
    if miss.reached:
        yield "    the regexp gets as far as this" + (", roughly" if miss.rough else "")
        before = _plain(miss.before)
        reached = _plain(miss.reached)
        yield f"      {before}{click.style(reached, bold=True, reverse=True)}{_plain(miss.after)}".rstrip()
        yield f"      {' ' * width(before)}{'^' * max(1, width(reached))}"
        there = f", and there is {_plain(miss.after[:20])!r}" if miss.after else ", and the line ends there"
        yield f"    then it needs {miss.wanted}{there}"
    else:
        yield f"    nothing in there begins like the regexp; the shortest text it takes is {miss.wanted}"
    if miss.cut:
        yield "    only the beginning of this long text was looked at"
    yield from (f"    {hint}" for hint in miss.hints)


def _plain(octets: bytes) -> str:
    return words.printable(shown(octets))


def _json(answer: Answer) -> dict[str, Any]:
    return {
        "rule": answer.trace.number,
        "path": answer.trace.path,
        "line": answer.trace.line,
        "result": answer.trace.result,
        "why": answer.trace.why or None,
        "alone": None if answer.alone is None else answer.alone.result,
        "failed": [
            {
                "condition": each.tried.text,
                "result": each.tried.result,
                "facts": each.tried.facts,
                "miss": None if each.miss is None else _texts(asdict(each.miss)),
            }
            for each in answer.failed
        ],
    }


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    return {name: shown(value) if isinstance(value, bytes) else value for name, value in values.items()}
