"""`fdm --config-check`: a configuration that its own tests do not let pass delivers nothing.

Cold: loaded when a changed configuration is compiled. What was accepted is remembered by the compiled program that is
kept (delivery/program_file.py), so a test that is written later stops no mail.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from rulesmith import __version__
from rulesmith.delivery import people
from rulesmith.diagnostics.model import Severity
from rulesmith.explain.assuming import account_of, compile_assuming
from rulesmith.lint import findings
from rulesmith.testing.run import run_case
from rulesmith.testing.suite import BadSuite, files_of, read_suite

if TYPE_CHECKING:
    from rulesmith.compiler.compile import Compiled
    from rulesmith.explain.driver import User
    from rulesmith.options import Options
    from rulesmith.program import Program
    from rulesmith.testing.suite import Suite


def complaint(compiled: Compiled, options: Options, me: User) -> str | None:
    """Why the configuration is not to be used, in a sentence that says how to see it; None where all is well.

    Nothing is run: the commands of the configuration return what its tests assume.
    """
    path = compiled.path
    options_given = ["-h"] if options.home_from_environment else []
    options_given += [word for macro in options.macros for word in ("-D", macro)]
    options_given += [] if options.user is None else ["-u", options.user]
    for found in findings(compiled):
        if found.severity == Severity.ERROR:
            span = found.at.span
            see = shlex.join(["rulesmith", "check", *options_given, path])
            return f"{path} is not used: {span.source.name}:{span.line}: {found.message} [{found.name}]; see: {see}"
    see = shlex.join(["rulesmith", "test", *options_given, "-f", path])
    try:
        failed, count = _failed(path, options, me)
    except (BadSuite, OSError) as error:
        return f"{path} is not used: its tests cannot be carried out: {error}; see: {see}"
    if not failed:
        return None
    fail = "fails" if len(failed) == 1 else "fail"
    return f"{path} is not used: {len(failed)} of its {count} tests {fail}: {', '.join(failed)}; see: {see}"


def _failed(path: str, options: Options, me: User) -> tuple[list[str], int]:
    """The tests that fail, by name and place, and how many tests there are. Raises BadSuite and OSError."""
    failed: list[str] = []
    count = 0
    for suite in [read_suite(each, path, os.fsdecode(me[3])) for each in files_of(path)]:
        program = _program(suite, options, me)
        for number, case in enumerate(suite.cases):
            count += 1
            account = account_of(program, case.account)
            if account is None:
                raise BadSuite(f"{suite.place(number)}: no account is named {case.account!r}")
            result = run_case(
                case, program, account, me, lambda name: me if name == me[0] else people.who(name),
                __version__.encode(),
            )  # fmt: skip
            if result.differences:
                failed.append(f'"{case.name}" ({suite.place(number)})')
    return failed, count


def _program(suite: Suite, options: Options, me: User) -> Program:
    compiled = compile_assuming(suite.config, me, suite.commands, defines=options.macros, user=options.user)
    if compiled.program is None:
        why = "" if compiled.refusal is None else compiled.refusal.message
        raise BadSuite(f"{suite.path}: with what it assumes the configuration is refused: {why}")
    return compiled.program
