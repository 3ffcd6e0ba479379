"""`rulesmith dry-run`: what the rules would do with a message, and why."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from rulesmith import __version__
from rulesmith.cli.settings import DEFINES, HOME, RUN_COMMANDS, USER, default_config, invoker
from rulesmith.compiler.compile import compile_config
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.world import Machine
from rulesmith.delivery import privileges
from rulesmith.delivery.world import full_name
from rulesmith.diagnostics.render import render_text
from rulesmith.dry import Planned, Report, RuleTrace, mark_unknown, simulate
from rulesmith.dry_world import look_up, runner
from rulesmith.load import site_file
from rulesmith.mail import glob

if TYPE_CHECKING:
    from rulesmith.program import Account, Program

# What `fdm` would exit with for a message on standard input.
_FINE = {"delivered", "dropped"}


@click.command("dry-run")
@click.argument("messages", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("-f", "config", type=click.Path(), help="The configuration; else fdm's default files.")
@click.option("-a", "account", metavar="NAME", help="The account that hands over the messages.")
@click.option("--verdict", type=click.Path(exists=True, dir_okay=False), help="What rspamd said of it (JSON).")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is shown.")
@RUN_COMMANDS
@DEFINES
@USER
@HOME
def dry_run(
    messages: tuple[str, ...],
    config: str | None,
    account: str | None,
    verdict: str | None,
    form: str,
    run_commands: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Say what the rules would do with each MESSAGE (a file, or - for standard input), and why.

    Nothing is run and nothing is written. Exit status: 0 if fdm would exit 0 for every message, 1 if not, 2 for
    a faulty configuration or command line.
    """
    me = invoker(home_from_environment)
    path = config or default_config(me[3])
    spam = None if verdict is None else _verdict(verdict)
    program = mark_unknown(_compile(path, me, run_commands, defines, user), spam is not None)
    source = _account(program, account)
    hostname = os.fsencode(os.uname().nodename)
    fine = True
    for name in messages:
        try:
            raw = sys.stdin.buffer.read() if name == "-" else _read(name)
        except OSError as error:
            raise click.UsageError(f"{name}: {os.strerror(error.errno or 0)}") from None
        report = simulate(
            program,
            source,
            raw,
            me,
            int(time.time()),
            hostname,
            full_name(hostname),
            __version__.encode(),
            lambda wanted: me if wanted == me[0] else privileges.who(wanted),
            look_up,
            runner(program[0]) if run_commands else None,
            spam,
        )
        fine = fine and report.outcome in _FINE
        click.echo(json.dumps(_json(name, report)) if form == "json" else _text(name, report))
    sys.exit(0 if fine else 1)


def _read(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()


def _verdict(path: str) -> dict[str, Any]:
    """An answer of rspamd to `checkv2`."""
    from rulesmith.scan import reply  # few dry runs have one
    from rulesmith.scan.no_verdict import NoVerdict

    try:
        return reply.read(200, {}, _read(path)).verdict()
    except NoVerdict as error:
        raise click.UsageError(f"{path}: {error}") from None


def _compile(
    path: str, me: tuple[bytes, int, int, bytes], run_commands: bool, defines: tuple[str, ...], user: str | None
) -> Program:
    macros, earlier = read_defines(defines)
    machine = Machine(
        path,
        me,
        run_commands=run_commands,
        default_user=None if user is None else os.fsencode(user),
        macros=macros,
        site=site_file(),
        on_warning=lambda text: click.echo(text, err=True),
    )
    try:
        compiled = compile_config(path, machine, earlier)
    except OSError as error:
        click.echo(f"{path}: {os.strerror(error.errno or 0)}", err=True)
        sys.exit(2)
    if compiled.program is None:
        for diagnostic in compiled.diagnostics:
            if diagnostic.refuses:
                click.echo(render_text(diagnostic), err=True)
        sys.exit(2)
    return compiled.program


def _account(program: Program, name: str | None) -> Account:
    """The account of that name, else the first that reads standard input, else the first."""
    accounts = program[2]
    if name is not None:
        accounts = tuple(each for each in accounts if glob.matches(os.fsencode(name), each[0]))
    chosen = next((each for each in accounts if each[3] == "stdin"), accounts[0] if accounts else None)
    if chosen is None:
        raise click.UsageError(f"no account is named {name!r}" if name else "the configuration has no account")
    return chosen


def mailbox_of(plan: Planned) -> str | None:
    """The mailbox that a delivery goes to, where the command shows it: Dovecot's `deliver -d USER [-m FOLDER]`."""
    if plan.kind.startswith("imap"):
        return plan.path
    if plan.kind != "pipe" or plan.command is None:
        return None
    try:
        words = shlex.split(plan.command)
    except ValueError:
        return None
    if not words or os.path.basename(words[0]) not in ("deliver", "dovecot-lda"):
        return None
    found: dict[str, str] = {}
    for flag, value in pairwise(words[1:]):
        if flag in ("-d", "-m"):
            found.setdefault(flag, value)
    return f"{found.get('-d', plan.user)}/{found.get('-m', 'INBOX')}"


def _json(name: str, report: Report) -> dict[str, Any]:
    rules = []
    for rule in report.rules:
        decided = rule.tried[-1] if rule.tried else None
        rules.append(
            {
                "rule": rule.number,
                "path": rule.path,
                "line": rule.line,
                "result": rule.result,
                "decided_by": decided.text if decided else None,
                "matched": None if decided is None or decided.matched is None else _shown(decided.matched),
            }
        )
    deliveries = []
    for plan in report.plan:
        entry: dict[str, Any] = {"rule": plan.rule, "action": plan.action, "kind": plan.kind, "user": plan.user}
        if plan.command is not None:
            entry["command"] = plan.command
        elif plan.path is not None:
            entry["path"] = plan.path
        if plan.detail is not None:
            entry["detail"] = plan.detail
        entry["mailbox"] = mailbox_of(plan)
        deliveries.append(entry)
    return {
        "message": name,
        "outcome": report.outcome,
        "reason": report.reason,
        "rules": rules,
        "deliveries": deliveries,
    }


def _shown(octets: bytes) -> str:
    """Octets of a mail as text that any terminal and any JSON reader takes."""
    return octets.decode("utf-8", "backslashreplace")


def _text(name: str, report: Report) -> str:
    lines = [f"{name}: {report.outcome}" + (f": {report.reason}" if report.reason else "")]
    for rule in report.rules:
        lines.append(f"  rule {rule.number} ({rule.path}:{rule.line}): {_result(rule)}")
        lines += [_planned(plan) for plan in report.plan if plan.rule == rule.number]
    return "\n".join(_printable(line) for line in lines)


def _result(rule: RuleTrace) -> str:
    result = "entered" if rule.nested and rule.result == "match" else rule.result
    if not rule.tried:
        return result
    decided = rule.tried[-1]
    text = f"{result}, decided by {decided.text}"
    if decided.matched is not None:
        text += f", which matched {json.dumps(_shown(decided.matched), ensure_ascii=False)}"
    return text


def _planned(plan: Planned) -> str:
    what = plan.command if plan.command is not None else plan.path
    text = f"    {plan.action}: {plan.kind}" + (f" {what}" if what else "") + (f" {plan.detail}" if plan.detail else "")
    text += f" as {plan.user}"
    mailbox = mailbox_of(plan)
    return text + (f" -> {mailbox}" if mailbox else "")


def _printable(line: str) -> str:
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)
