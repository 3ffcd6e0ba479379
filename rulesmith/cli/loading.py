"""What the commands that look at messages load first: the program, the account, a verdict of rspamd."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import click

from rulesmith import __version__
from rulesmith.delivery import people
from rulesmith.delivery.world import full_name
from rulesmith.diagnostics.render import render_text
from rulesmith.explain.assuming import account_of, compile_assuming
from rulesmith.explain.assumption import Assumption, read_assumption
from rulesmith.explain.driver import World
from rulesmith.explain.machine import look_up, runner
from rulesmith.explain.simulate import Circumstances

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulesmith.explain.driver import User
    from rulesmith.program import Account, Program
    from rulesmith.scan.reply import Reply

ASSUME = click.option(
    "--assume",
    multiple=True,
    metavar="'COMMAND -> STATUS [OUTPUT]'",
    help="What a command of a condition returns, without running it; COMMAND may have * and ?.",
)
VERDICT = click.option(
    "--verdict", type=click.Path(exists=True, dir_okay=False), help="What rspamd said of the message (JSON)."
)
ACCOUNT = click.option("-a", "account", metavar="NAME", help="The account that hands over the messages.")
CONFIG = click.option("-f", "config", type=click.Path(), help="The configuration; else fdm's default files.")


def load_program(
    path: str,
    me: User,
    run_commands: bool = False,
    defines: tuple[str, ...] = (),
    user: str | None = None,
    answers: Sequence[Assumption] = (),
) -> Program:
    """The compiled configuration. Ends the command with 2 where it is refused, saying why."""
    try:
        compiled = compile_assuming(
            path,
            me,
            answers,
            run_commands=run_commands,
            defines=defines,
            user=user,
            on_warning=lambda text: click.echo(text, err=True),
        )
    except OSError as error:
        click.echo(f"{os.fsdecode(error.filename or path)}: {os.strerror(error.errno or 0)}", err=True)
        sys.exit(2)
    if compiled.program is None:
        for diagnostic in compiled.diagnostics:
            if diagnostic.refuses:
                click.echo(render_text(diagnostic), err=True)
        sys.exit(2)
    return compiled.program


def find_account(program: Program, name: str | None) -> Account:
    """The account of that name, else the first that reads standard input, else the first."""
    chosen = account_of(program, name)
    if chosen is None:
        raise click.UsageError(f"no account is named {name!r}" if name else "the configuration has no account")
    return chosen


def read_verdict(path: str) -> Reply:
    """An answer of rspamd to `checkv2`."""
    from rulesmith.scan import reply  # few dry runs have one
    from rulesmith.scan.no_verdict import NoVerdict

    try:
        with open(path, "rb") as file:
            return reply.read(200, {}, file.read())
    except NoVerdict as error:
        raise click.UsageError(f"{path}: {error}") from None


def here(me: User) -> Circumstances:
    """This machine, now."""
    hostname = os.fsencode(os.uname().nodename)
    return Circumstances(me, int(time.time()), hostname, full_name(hostname), __version__.encode())


def world_for(
    program: Program, me: User, assume: Sequence[str], run_commands: bool = False, run_rewrites: bool = False
) -> World:
    """What a dry run on this machine may ask."""
    run = runner(program[0])
    return World(
        who=lambda wanted: me if wanted == me[0] else people.who(wanted),
        look_up=look_up,
        run=run if run_commands else None,
        rewrite=run if run_rewrites else None,
        assumptions=assumptions(assume),
    )


def assumptions(written: Sequence[str]) -> list[Assumption]:
    """The values of `--assume`; click.UsageError for one that says nothing."""
    try:
        return [read_assumption(each) for each in written]
    except ValueError as error:
        raise click.UsageError(f"--assume: {error}") from None
