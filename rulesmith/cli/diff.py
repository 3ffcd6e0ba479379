"""`rulesmith diff`: what another configuration would do differently with the mail that is there."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from itertools import chain
from typing import TYPE_CHECKING

import click

from rulesmith.cli.imap_folder import from_imap, no_terminal
from rulesmith.cli.loading import (
    ACCOUNT,
    ASSUME,
    VERDICT,
    assumptions,
    find_account,
    here,
    load_program,
    read_verdict,
)  # fmt: skip
from rulesmith.cli.settings import DEFINES, HOME, USER, invoker
from rulesmith.diff.as_html import as_html
from rulesmith.diff.as_json import as_json
from rulesmith.diff.as_text import as_text
from rulesmith.diff.batch import Comparison, Findings
from rulesmith.diff.pool import compare_all
from rulesmith.diff.report import Report
from rulesmith.diff.side import Side
from rulesmith.explain.mails import Mails
from rulesmith.explain.unknown import mark_unknown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from rulesmith.explain.mails import Mail

# What shells say of a program that Ctrl-C has ended.
_INTERRUPTED = 130


@click.command("diff")
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option("--mail", "sources", multiple=True, type=click.Path(allow_dash=True), metavar="SOURCE", help="Messages.")
@click.option("--imap", metavar="URL", help="Look at the messages of imap[s]://USER@HOST[:PORT]/FOLDER, only reading.")
@click.option("--password-file", type=click.Path(), help="The password for --imap; else it is asked for.")
@click.option("--newest", type=click.IntRange(1), metavar="N", help="Of --imap, only the N messages that came last.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How it is shown.")
@click.option("--html", "page", type=click.Path(dir_okay=False), metavar="FILE", help="Write a report for a browser.")
@click.option("--rules", is_flag=True, help="Say which rules took most, and which took nothing.")
@click.option("--examples", type=click.IntRange(0), default=3, metavar="N", help="So many messages of each group (3).")
@click.option(
    "--jobs", type=click.IntRange(1, 1000), metavar="N", help="So many processes; else as many as there are cores."
)
@ACCOUNT
@VERDICT
@ASSUME
@DEFINES
@USER
@HOME
def diff(
    old: str,
    new: str,
    sources: tuple[str, ...],
    imap: str | None,
    password_file: str | None,
    newest: int | None,
    form: str,
    page: str | None,
    rules: bool,
    examples: int,
    jobs: int | None,
    account: str | None,
    verdict: str | None,
    assume: tuple[str, ...],
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Say what the configuration NEW would do differently from OLD with the messages of SOURCE.

    SOURCE is a maildir, an mbox, a folder of .eml files or a file; --mail may be given again. Nothing is run, and
    nothing is written but the report. Exit status: 0 if nothing changes, 1 if something does, 2 for a faulty
    configuration or command line, 75 if the server of --imap cannot be reached, 130 if interrupted.
    """
    if not sources and imap is None:
        raise click.UsageError("no --mail and no --imap")
    me = invoker(home_from_environment)
    spam = None if verdict is None else read_verdict(verdict)
    circumstances = here(me)
    assumed = assumptions(assume)

    def side(path: str) -> Side:
        loaded = load_program(path, me, False, defines, user, assumed)
        program = mark_unknown(loaded, spam is not None)
        return Side(path, program, find_account(program, account), circumstances, tuple(assumed), spam)

    found = Findings(examples)
    try:
        before, after = side(old), side(new)
        comparison = Comparison(before, after, before.says_the_same(after), examples)
        mails = Mails(sources)
        with _served(imap, password_file, newest) as served:
            _collect(found, comparison, chain(mails, served), mails.octets, jobs)
        report = Report(comparison, found)
        if page is not None:
            _write(page, as_html(report))
        click.echo(as_text(report, rules) if form == "text" else json.dumps(as_json(report)))
    except (KeyboardInterrupt, click.Abort):  # 1 would say that something changes
        click.echo(f"\ninterrupted after {found.old.messages} messages", err=True)
        sys.exit(_INTERRUPTED)
    except OSError as error:
        if error.filename is None:
            raise  # of the output: nobody reads it any more, or it has no room
        raise click.UsageError(f"{error.filename}: {os.strerror(error.errno or 0)}") from None
    except BrokenProcessPool:
        click.echo("a process was killed, maybe for want of memory: try --jobs 1", err=True)
        sys.exit(2)
    sys.exit(1 if report.changed else 0)


def _served(imap: str | None, password_file: str | None, newest: int | None) -> AbstractContextManager[Iterable[Mail]]:
    """The messages of the server's folder, if there is one; the connection ends with the context."""
    if imap is None:
        return nullcontext(())
    return closing(from_imap(imap, password_file, newest, hidden=no_terminal()))


def _collect(found: Findings, comparison: Comparison, mails: Iterable[Mail], octets: int, jobs: int | None) -> None:
    """All messages, with a progress bar where somebody waits; a server's folder has one of its own."""
    hidden = no_terminal() or not octets
    with (
        closing(compare_all(comparison, mails, jobs)) as results,
        click.progressbar(length=octets, label="messages", file=sys.stderr, hidden=hidden) as bar,
    ):
        for batch, findings in results:
            found.merge(findings)
            bar.update(sum(mail.octets for mail in batch))


def _write(path: str, page: str) -> None:
    """It quotes mail, so a new file is for nobody else to read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(page)
