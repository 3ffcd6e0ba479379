"""`rulesmith test`: whether the rules do with messages what is written down."""

from __future__ import annotations

import os
import sys
import time
from fnmatch import fnmatch
from typing import TYPE_CHECKING

import click

from rulesmith import __version__
from rulesmith.cli.loading import (
    ACCOUNT,
    ASSUME,
    CONFIG,
    VERDICT,
    assumptions,
    find_account,
    load_program,
    read_verdict,
)  # fmt: skip
from rulesmith.cli.settings import DEFINES, HOME, RUN_COMMANDS, USER, default_config, invoker
from rulesmith.delivery import people
from rulesmith.explain.driver import World
from rulesmith.explain.machine import look_up
from rulesmith.explain.simulate import Circumstances, simulate
from rulesmith.explain.unknown import mark_unknown
from rulesmith.testing import record, shown
from rulesmith.testing.coverage import Coverage
from rulesmith.testing.run import HOSTNAME, run_case
from rulesmith.testing.suite import SUFFIX, BadSuite, Suite, files_of, read_suite

if TYPE_CHECKING:
    from rulesmith.explain.driver import User
    from rulesmith.program import Program
    from rulesmith.testing.run import Result

_FORMS = {"text": shown.as_text, "tap": shown.as_tap, "junit": shown.as_junit}


@click.command("test")
@click.argument("files", nargs=-1, type=click.Path())
@CONFIG
@click.option("--only", multiple=True, metavar="NAME", help="Only tests with NAME in their name; it may have * and ?.")
@click.option("--format", "form", type=click.Choice(list(_FORMS)), default="text", help="How results are shown.")
@click.option("--coverage", is_flag=True, help="Say which rules and conditions no test has tried both ways.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Fail with less coverage.")
@click.option(
    "--record", "message", type=click.Path(exists=True, dir_okay=False), help="Write a test for this message."
)
@click.option("--name", help="The name of the test that is written.")
@ACCOUNT
@VERDICT
@ASSUME
@RUN_COMMANDS
@DEFINES
@USER
@HOME
def test_command(
    files: tuple[str, ...],
    config: str | None,
    only: tuple[str, ...],
    form: str,
    coverage: bool,
    fail_under: float | None,
    message: str | None,
    name: str | None,
    account: str | None,
    verdict: str | None,
    assume: tuple[str, ...],
    run_commands: bool,
    defines: tuple[str, ...],
    user: str | None,
    home_from_environment: bool,
) -> None:
    """Run the tests in FILES; without FILES those of the configuration (CONFIG.tests.toml, and tests/*.toml beside).

    With --record a test is written instead: that the message goes where it goes now. Exit status: 0 if all pass, 1 if
    one fails or --fail-under is not reached, 2 if there are no tests, or for a fault in them or in the configuration.
    """
    me = invoker(home_from_environment)
    home = os.fsdecode(me[3])
    loading = _Loading(me, run_commands, defines, user, assume)
    if message is not None:
        path = config or default_config(me[3])
        _record(message, files[0] if files else path + SUFFIX, path, name, account, verdict, loading)
        return
    paths = files or tuple(files_of(config or default_config(me[3])))
    try:
        suites = [read_suite(path, config, home) for path in paths]
    except BadSuite as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    results: list[tuple[str, Result]] = []
    covered: dict[str, Coverage] = {}
    for suite in suites:
        program = loading.program(suite)
        seen = covered.setdefault(os.path.realpath(suite.config), Coverage(program))
        for number, case in enumerate(suite.cases):
            if not only or any(_is_named(case.name, each) for each in only):
                source = find_account(program, case.account or account)
                result = run_case(case, program, source, me, loading.who, __version__.encode())
                seen.add(result.report)
                results.append((suite.place(number), result))
    if not results:
        where = "there" if paths else f"beside {config or default_config(me[3])}"
        click.echo(f"no tests {where}" + (" with such a name" if only else ""), err=True)
        sys.exit(2)
    for line in _FORMS[form](results):
        click.echo(line)
    low = _show_coverage(covered, coverage, fail_under, err=form != "text")
    sys.exit(1 if low or any(result.differences for _, result in results) else 0)


class _Loading:
    """Compiles configurations, each once for what its tests assume."""

    def __init__(
        self, me: User, run_commands: bool, defines: tuple[str, ...], user: str | None, assume: tuple[str, ...]
    ) -> None:
        self.me = me
        self.assume = assume
        self.run_commands = run_commands
        self._defines = defines
        self._user = user

    def program(self, suite: Suite) -> Program:
        """The program of a file's configuration."""
        answers = [*assumptions(self.assume), *suite.commands]
        for case in suite.cases:
            case.commands += assumptions(self.assume)
        return load_program(suite.config, self.me, self.run_commands, self._defines, self._user, answers)

    def of(self, config: str) -> Program:
        """The program of a configuration by itself."""
        return load_program(config, self.me, self.run_commands, self._defines, self._user, assumptions(self.assume))

    def who(self, name: bytes) -> User | None:
        """A user of this machine."""
        return self.me if name == self.me[0] else people.who(name)


def _is_named(name: str, wanted: str) -> bool:
    return wanted.lower() in name.lower() or fnmatch(name.lower(), wanted.lower())


def _show_coverage(covered: dict[str, Coverage], show: bool, fail_under: float | None, err: bool) -> bool:
    """Whether there is too little."""
    if show or fail_under is not None:
        for config, seen in covered.items():
            for line in shown.coverage_text(os.path.relpath(config), seen):
                click.echo(line, err=err)
    return fail_under is not None and any(seen.percent < fail_under for seen in covered.values())


def _record(
    message: str,
    path: str,
    config: str,
    name: str | None,
    account: str | None,
    verdict: str | None,
    loading: _Loading,
) -> None:
    home = os.fsdecode(loading.me[3])
    spam = None if verdict is None else read_verdict(verdict)
    loaded = loading.of(config)
    now = int(time.time())
    with open(message, "rb") as file:
        raw = file.read()
    known: list[tuple[bytes, bytes]] = []

    def note(cache: bytes, key: bytes) -> bool:
        found = look_up(cache, key)
        known.extend([(cache, key)] if found else [])
        return found

    report = simulate(
        mark_unknown(loaded, spam is not None),
        find_account(loaded, account),
        raw,
        Circumstances(loading.me, now, HOSTNAME, HOSTNAME, __version__.encode()),
        World(loading.who, note, assumptions=assumptions(loading.assume)),
        spam,
    )
    if report.outcome == "unknown":
        click.echo(f"{message}: {report.reason}: give --assume or --verdict", err=True)
        sys.exit(2)
    taken: set[str] = set()
    if os.path.exists(path):
        try:
            taken = {case.name for case in read_suite(path, config, home).cases}
        except BadSuite as error:
            click.echo(str(error), err=True)
            sys.exit(2)
    named = record.free_name(name or os.path.basename(message).removesuffix(".eml"), taken)
    file_name = record.relative(message, path)
    spam_file = None if verdict is None else record.relative(verdict, path)
    text = record.recorded(named, file_name, now, home, report, spam_file, assumptions(loading.assume), known)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.UsageError(
            f"{named!a}: a file of tests is UTF-8, so give --name and a file with such a name"
        ) from None
    record.append(path, text, record.relative(config, path))
    click.echo(f"added to {path}:\n{text}", nl=False)
