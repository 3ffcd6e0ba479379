"""The program of a configuration: the one compiled earlier where nothing that made it has changed."""

from __future__ import annotations

from rulesmith.delivery import program_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.log import Log
    from rulesmith.options import Options
    from rulesmith.program import Program

    User = tuple[bytes, int, int, bytes]


def load_program(path: str, options: Options, log: Log, me: User) -> Program | None:
    """The program to run; None after saying why there is none."""
    # -n and the dump of -vv are about the text, so they read it.
    reuse = not options.check and log.level < 2
    key = program_file.Key(path, me, options.macros, options.user)
    if reuse:
        found = program_file.load(key)
        if found is not None:
            program, warnings = found
            for warning in warnings:
                log.warn(warning)
            return program
    from rulesmith.fresh import fresh_program  # the compiler, lark and all

    compiled = fresh_program(path, options, log, me)
    if compiled is None:
        return None
    if reuse and compiled.program is not None:
        reason = compiled.facts.unstable
        if reason is None:
            reason = program_file.store(key, compiled.facts.stamp(), compiled.program, compiled.standing)
        if reason is not None:
            log.debug(1, f"the compiled configuration is not kept: {reason}")
    return compiled.program
