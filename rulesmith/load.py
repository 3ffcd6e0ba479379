"""The program of a configuration: the one compiled earlier where nothing that made it has changed."""

from __future__ import annotations

import posix
import sys

from rulesmith import environment, importer
from rulesmith.delivery import program_file
from rulesmith.program import SITE_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.compiler.compile import Compiled
    from rulesmith.log import Log
    from rulesmith.options import Options
    from rulesmith.program import Program

    User = tuple[bytes, int, int, bytes]


def site_file() -> str | None:
    """The file of settings that come before those of the user's file; an empty RULESMITH_CONF is for none."""
    named = environment.variable(b"RULESMITH_CONF")
    return SITE_FILE if named is None else environment.text_of(named) or None


def journal_folder(settings: dict[str, Any]) -> bytes | None:
    """Where the progress of messages is kept that stay with the caller; None without a place for it."""
    folder: bytes | None = settings["journal"]
    if folder:
        return folder
    base = environment.variable(b"XDG_STATE_HOME") or b""
    if base[:1] == b"/":
        return base + b"/rulesmith"
    if not posix.geteuid():
        return b"/var/lib/rulesmith"
    home = environment.variable(b"HOME") or b""
    return home + b"/.local/state/rulesmith" if home[:1] == b"/" else None


def load_program(path: str, options: Options, log: Log, me: User) -> tuple[Program | None, dict[str, Any]]:
    """The program to run, and the settings that hold.

    The program is None after saying why there is none. The settings, which always have every key, then say what becomes
    of a message that cannot be delivered now: those of the site file, as far as it can be read, and those of the
    configuration where only its tests are against it.
    """
    program, settings = _load(path, options, log, me)
    if options.scan is not None:
        # Of this run only: the program that is kept is the configuration's.
        settings["scan"] = options.scan or None
    return program, settings


def _load(path: str, options: Options, log: Log, me: User) -> tuple[Program | None, dict[str, Any]]:
    # -n and the dump of -vv are about the text, so they read it.
    reuse = not options.check and log.level < 2
    site = site_file()
    key = program_file.Key(path, me, options.macros, options.user, site, options.config_check)
    if reuse:
        found = program_file.load(key)
        if found is not None:
            program, warnings = found
            for warning in warnings:
                log.warn(warning)
            return program, program[0]
    from rulesmith.delivery import program_store
    from rulesmith.fresh import fresh_program  # the compiler and all

    compiled, settings = fresh_program(path, options, log, me, site)
    if compiled is None or compiled.program is None:
        return None, settings
    if options.config_check and not _is_accepted(key, compiled, options, log, me):
        return None, compiled.program[0]
    if reuse:
        reason = compiled.facts.unstable
        if reason is None:
            reason = program_store.store(key, compiled.facts.stamp(), compiled.program, compiled.standing)
            _keep_modules(log)
        if reason is not None:
            log.debug(1, f"the compiled configuration is not kept: {reason}")
    return compiled.program, compiled.program[0]


def _keep_modules(log: Log) -> None:
    """Have the next messages load their modules from one file, where the door has had to do without."""
    if not importer.lacks_bundle() or sys.dont_write_bytecode:
        return
    from rulesmith import bundling

    try:
        bundling.write()
    except OSError as error:
        log.debug(1, f"the modules are not kept in one file: {error.strerror or error}")


def _is_accepted(key: program_file.Key, compiled: Compiled, options: Options, log: Log, me: User) -> bool:
    """Whether the configuration passes its own tests and has no errors; says why not."""
    if not options.check and program_file.load(key) is not None:
        return True  # it is only read once more, to be shown
    from rulesmith.config_check import complaint  # the tests of a configuration that has changed

    why = complaint(compiled, options, me)
    if why is not None:
        log.warn(why)
    return why is None
