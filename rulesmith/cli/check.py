"""`rulesmith check`: every fault of a configuration, at its place."""

from __future__ import annotations

import os
import sys

import click

from rulesmith.cli.settings import DEFINES, HOME, RUN_COMMANDS, USER, invoker
from rulesmith.compiler.compile import Compiled, compile_config
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.site import read_site
from rulesmith.compiler.world import Machine
from rulesmith.diagnostics.as_json import as_json
from rulesmith.diagnostics.model import Diagnostic, Severity
from rulesmith.diagnostics.render import render_short, render_text
from rulesmith.lint import findings
from rulesmith.load import site_file

FORMATS = {"text": render_text, "short": render_short, "json": as_json}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", help="How findings are shown.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@RUN_COMMANDS
@DEFINES
@USER
@HOME
def check(
    files: tuple[str, ...],
    form: str,
    strict: bool,
    run_commands: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Report every fault of configuration FILES; nothing is run and nothing is written.

    Exit status: 0 without errors, 1 with errors, 2 for a file that cannot be read.
    """
    worst = Severity.NOTE
    total = dict.fromkeys(Severity, 0)
    unreadable = False
    for path in files:
        try:
            found = _check(path, run_commands, defines, user, home_from_environment)
        except OSError as error:
            click.echo(f"{path}: {os.strerror(error.errno or 0)}", err=True)
            unreadable = True
            continue
        for diagnostic in found:
            click.echo(FORMATS[form](diagnostic))
            total[diagnostic.severity] += 1
            worst = max(worst, diagnostic.severity)
    if form == "text":
        click.echo(_summary(total, len(files)), err=True)
    if unreadable:
        sys.exit(2)
    sys.exit(1 if worst == Severity.ERROR or (strict and worst == Severity.WARNING) else 0)


def _check(
    path: str, run_commands: bool, defines: tuple[str, ...], user: str | None, home_from_environment: bool
) -> list[Diagnostic]:
    macros, earlier = read_defines(defines)
    machine = Machine(
        path,
        invoker(home_from_environment),
        run_commands=run_commands,
        default_user=None if user is None else os.fsencode(user),
        macros=macros,
        site=site_file(),
        on_warning=lambda text: click.echo(text, err=True),
    )
    site = read_site(machine)
    if path == site.path:
        # It is no configuration, so it cannot lack what every configuration needs.
        return list(site.diagnostics)
    compiled: Compiled = compile_config(path, machine, earlier, site)
    return findings(compiled)


def _summary(total: dict[Severity, int], files: int) -> str:
    counts = [
        f"{total[severity]} {severity.word}{'' if total[severity] == 1 else 's'}"
        for severity in sorted(Severity, reverse=True)
        if total[severity]
    ]
    return f"{', '.join(counts) or 'nothing'} found in {files} file{'' if files == 1 else 's'}"
