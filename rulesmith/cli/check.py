"""`rulesmith check`: every fault of a configuration, at its place."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from rulesmith.cli.check_fix import UnsafeFix, difference, fixed_texts
from rulesmith.cli.check_report import FORMATS, show
from rulesmith.cli.machine_view import MachineView
from rulesmith.cli.overlay import Overlay
from rulesmith.cli.replace_file import replace_file
from rulesmith.cli.settings import DEFINES, HOME, RUN_COMMANDS, USER, invoker
from rulesmith.compiler.compile import compile_config
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.site import read_site
from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.lint import findings
from rulesmith.lint.pages import explained, known
from rulesmith.lint.table import GROUPS, NAMES, ONLINE, expand
from rulesmith.load import site_file

if TYPE_CHECKING:
    from rulesmith.diagnostics.model import Diagnostic

_READABLE = {"errors": "surrogateescape", "encoding": "utf-8", "newline": ""}


@click.command()
@click.argument("files", nargs=-1, type=click.Path())
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How findings are shown.")
@click.option("--all", "everything", is_flag=True, help="In text, show every note, also where many say the same.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--select", multiple=True, metavar="NAME,…", help="Make only these checks, or those of these groups.")
@click.option("--ignore", multiple=True, metavar="NAME,…", help="Do not make these checks, or those of these groups.")
@click.option("--fix", is_flag=True, help="Change the files where that is safe, and report the rest.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--online", is_flag=True, help="Look at this machine too: users, folders, programs, mailboxes.")
@click.option("--explain", metavar="NAME", help="Print the manual page of a finding.")
@RUN_COMMANDS
@DEFINES
@USER
@HOME
def check(
    files: tuple[str, ...],
    form: str,
    everything: bool,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fix: bool,
    diff: bool,
    online: bool,
    explain: str | None,
    run_commands: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Report every fault of configuration FILES; nothing is run, and nothing is written without --fix.

    Exit status: 0 without errors (with --strict: and warnings; with --diff: and nothing to change), 1 with them,
    2 for a file that cannot be read or written and for a wrong option.
    """
    if explain is not None:
        click.echo(_page(explain))
        return
    if not files:
        raise click.UsageError("no FILES to check")
    chosen, ignored = _chosen(select, ignore)
    told: dict[str, list[Diagnostic]] = {}
    unreadable = different = False
    options = _Options(
        chosen,
        ignored,
        online,
        run_commands,
        None if user is None else os.fsencode(user),
        home_from_environment,
        defines,
    )
    for path in files:
        checked = partial(_check, path, options)
        try:
            found = checked({})
            if fix or diff:
                texts, left, count = fixed_texts(found, checked)
                different = different or bool(texts)
                found = left if not diff else found
                _take(texts, count, diff)
        except OSError as error:
            click.echo(f"{error.filename or path}: {os.strerror(error.errno or 0)}", err=True)
            unreadable = True
            continue
        except UnsafeFix:
            click.echo(f"{path}: not fixed, because the fixes together would make it a faulty file", err=True)
        told[path] = found
    if not diff:
        show(told, form, everything)
    if unreadable:
        sys.exit(2)
    worst = max((each.severity for found in told.values() for each in found), default=Severity.NOTE)
    failed = worst == Severity.ERROR or (strict and worst == Severity.WARNING)
    sys.exit(1 if (different if diff else failed) else 0)


@dataclass(frozen=True)
class _Options:
    """What holds for all files of a run."""

    chosen: set[str] | None
    ignored: set[str]
    online: bool
    run_commands: bool
    user: bytes | None
    home_from_environment: bool
    defines: tuple[str, ...]


def _check(path: str, options: _Options, texts: dict[str, str]) -> list[Diagnostic]:
    """The findings of a configuration, with other texts in place of some of its files."""
    macros, earlier = read_defines(options.defines)
    machine = Overlay(
        path,
        invoker(options.home_from_environment),
        run_commands=options.run_commands,
        default_user=options.user,
        macros=macros,
        site=site_file(),
        on_warning=None if texts else lambda text: click.echo(text, err=True),
    )
    machine.texts = texts
    site = read_site(machine)
    if path == site.path:
        # It is no configuration, so it cannot lack what every configuration needs.
        return list(site.diagnostics)
    compiled = compile_config(path, machine, earlier, site)
    found = findings(compiled, options.chosen, MachineView(compiled.me) if options.online else None)
    return [each for each in found if each.refuses or each.name not in options.ignored]


def _take(texts: dict[str, str], count: int, diff: bool) -> None:
    for path, text in texts.items():
        if diff:
            with open(path, **_READABLE) as file:  # type: ignore[call-overload]
                click.echo(difference(path, file.read(), text), nl=False)
        else:
            replace_file(path, text.encode("utf-8", "surrogateescape"))
    if count and not diff:
        click.echo(f"{count} finding{'' if count == 1 else 's'} put right in {', '.join(texts)}", err=True)


def _page(name: str) -> str:
    text = explained(name)
    if text is None:
        near = did_you_mean(name, known())
        raise click.UsageError(f"nothing is called {name!r}{'' if near is None else f': {near}'}")
    return text


def _chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> tuple[set[str] | None, set[str]]:
    """The checks to make, None for all; and the findings not to tell, unless they refuse the configuration."""
    try:
        ignored = expand(_words(ignore))
        if not select and not ignore:
            return None, ignored
        return (expand(_words(select)) if select else {*NAMES, *ONLINE}) - ignored, ignored
    except KeyError as error:
        name = error.args[0]
        near = did_you_mean(name, [*GROUPS, *known()])
        raise click.UsageError(f"no check is called {name!r}{'' if near is None else f': {near}'}") from None


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for each in given for word in each.replace(",", " ").split())
