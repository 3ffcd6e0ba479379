"""`rulesmith dry-run`: what the rules would do with messages, and why."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

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
from rulesmith.explain.as_json import as_json
from rulesmith.explain.as_text import as_text
from rulesmith.explain.mails import Mails
from rulesmith.explain.simulate import simulate
from rulesmith.explain.table import Summary, line
from rulesmith.explain.unknown import mark_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rulesmith.explain.mails import Mail
    from rulesmith.explain.trace import Report

# What `fdm` would exit with 0 for, of a message on standard input.
_FINE = {"delivered", "dropped"}


@click.command("dry-run")
@click.argument("messages", nargs=-1, type=click.Path(allow_dash=True))
@CONFIG
@ACCOUNT
@VERDICT
@ASSUME
@click.option("--imap", metavar="URL", help="Look at the messages of imap[s]://USER@HOST[:PORT]/FOLDER, only reading.")
@click.option("--password-file", type=click.Path(), help="The password for --imap; else it is asked for.")
@click.option("--newest", type=click.IntRange(1), metavar="N", help="Of --imap, only the N messages that came last.")
@click.option("--details", is_flag=True, help="The whole trace also where there are several messages.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is shown.")
@RUN_COMMANDS
@click.option("--run-rewrites", is_flag=True, help="Run the commands of `rewrite`, too, to see what they make of it.")
@DEFINES
@USER
@HOME
def dry_run(
    messages: tuple[str, ...],
    config: str | None,
    account: str | None,
    verdict: str | None,
    assume: tuple[str, ...],
    imap: str | None,
    password_file: str | None,
    newest: int | None,
    details: bool,
    form: str,
    run_commands: bool,
    run_rewrites: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Say what the rules would do with MESSAGES, and why.

    Each is a file, - for standard input, a maildir, an mbox or a folder of .eml files. Nothing is run and nothing is
    written unless an option says so. Exit status: 0 if fdm would exit 0 for every message, 1 if not, 2 for a faulty
    configuration or command line, 75 if the server of --imap cannot be reached.
    """
    if not messages and imap is None:
        raise click.UsageError("no MESSAGES")
    me = invoker(home_from_environment)
    spam = None if verdict is None else read_verdict(verdict)
    loaded = load_program(config or default_config(me[3]), me, run_commands, defines, user, assumptions(assume))
    program = mark_unknown(loaded, spam is not None)
    source = find_account(program, account)
    world = world_for(program, me, assume, run_commands, run_rewrites)
    circumstances = here(me)

    def explain(raw: bytes, detail: bool) -> Report:
        return simulate(program, source, raw, circumstances, world, spam, detail)

    try:
        mails = Mails(messages)
        several = mails.several or imap is not None
        shown = _Shown(explain, form, details or not several)
        shown.all(mails, mails.octets if several else 0)
        if imap is not None:
            from rulesmith.cli.imap_folder import from_imap

            with closing(from_imap(imap, password_file, newest)) as served:
                shown.all(served, 0)
    except OSError as error:
        if error.filename is None:
            raise  # of the output: nobody reads it any more, or it has no room
        raise click.UsageError(f"{error.filename}: {os.strerror(error.errno or 0)}") from None
    if several:
        summary = shown.summary
        click.echo("\n" + "\n".join(summary.lines()) if form == "text" else json.dumps({"summary": summary.as_json()}))
    sys.exit(0 if shown.fine else 1)


class _Shown:
    """Shows one message after the other and remembers how they went."""

    def __init__(self, explain: Callable[[bytes, bool], Report], form: str, full: bool) -> None:
        self.explain = explain
        self.form = form
        self.full = full
        self.fine = True
        self.summary = Summary()

    def all(self, mails: Iterable[Mail], octets: int) -> None:
        """All messages; with `octets` to do, a progress bar while nobody sees the lines appear."""
        if octets and sys.stderr.isatty() and not sys.stdout.isatty():
            step = max(1, octets // 200)
            with click.progressbar(length=octets, label="messages", file=sys.stderr, update_min_steps=step) as bar:
                for mail in mails:
                    self.one(mail)
                    bar.update(mail.octets)
            return
        for mail in mails:
            self.one(mail)

    def one(self, mail: Mail) -> None:
        """One message."""
        report = self.explain(mail.raw, self.full or self.form == "json")
        self.fine = self.fine and report.outcome in _FINE
        self.summary.add(report)
        if self.form == "json":
            click.echo(json.dumps(as_json(mail.name, report)))
        elif self.full:
            click.echo(as_text(mail.name, report))
        else:
            click.echo(line(mail.name, mail.raw, report))
