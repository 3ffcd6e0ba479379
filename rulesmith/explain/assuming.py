"""A configuration compiled where nothing is run: what its commands return is assumed, or unknown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rulesmith.compiler.compile import Compiled, compile_config
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.world import Machine
from rulesmith.explain.assumption import Assumption, assumed
from rulesmith.load import site_file
from rulesmith.mail import glob
from rulesmith.syntax.world import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rulesmith.explain.driver import User
    from rulesmith.program import Account, Program


class _Assuming(Machine):
    """This machine, where `$( )` commands whose answer is assumed are not run."""

    answers: Sequence[Assumption] = ()

    def run(self, command: str, name: str) -> str | None:
        answer = assumed(self.answers, os.fsencode(command))
        if answer is None:
            return super().run(command, name)
        if answer.status:
            raise CommandError(f"{command}: command returned {answer.status}")
        return answer.output.decode("utf-8", "surrogateescape")


def compile_assuming(
    path: str,
    me: User,
    answers: Sequence[Assumption] = (),
    *,
    run_commands: bool = False,
    defines: Sequence[str] = (),
    user: str | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Compiled:
    """Compile; with `run_commands` those `$( )` are run that no assumption answers. Raises OSError."""
    macros, earlier = read_defines(defines)
    machine = _Assuming(
        path,
        me,
        run_commands=run_commands,
        default_user=None if user is None else os.fsencode(user),
        macros=macros,
        site=site_file(),
        on_warning=on_warning,
    )
    machine.answers = answers
    return compile_config(path, machine, earlier)


def account_of(program: Program, name: str | None) -> Account | None:
    """The account of that name; without one the first that reads standard input, else the first."""
    accounts = program[2]
    if name is not None:
        accounts = tuple(each for each in accounts if glob.matches(os.fsencode(name), each[0]))
    return next((each for each in accounts if each[3] == "stdin"), accounts[0] if accounts else None)
