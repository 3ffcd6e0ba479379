"""A start without a compiled program: read the configuration, say what fdm says of it, compile.

Cold: loaded when the configuration changed, with `-n`, and where the log is to show it (`-vv`).
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from rulesmith import __version__
from rulesmith.compiler.compile import Compiled, compile_config
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.dump import dump
from rulesmith.compiler.settings import defaults
from rulesmith.compiler.site import read_site
from rulesmith.compiler.world import Machine
from rulesmith.delivery.world import full_name
from rulesmith.diagnostics.render import render_text
from rulesmith.wording import text_of

if TYPE_CHECKING:
    from rulesmith.compiler.settings import Settings
    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.log import Log
    from rulesmith.options import Options

User = tuple[bytes, int, int, bytes]


def fresh_program(
    path: str, options: Options, log: Log, me: User, site_path: str | None
) -> tuple[Compiled | None, Settings]:
    """The configuration compiled, commands run, None after saying why it is refused; and the settings of the site."""
    _announce(path, log, me)
    macros, earlier = read_defines(options.macros)
    default_user = None if options.user is None else os.fsencode(options.user)
    machine = Machine(
        path,
        me,
        run_commands=True,
        default_user=default_user,
        macros=macros,
        site=site_path,
        on_warning=log.warn,
    )
    settings = defaults()
    try:
        site = read_site(machine)
        settings = site.settings
        if site.path is not None:
            log.debug(2, f"settings of this machine are in {site.path}")
        compiled = compile_config(path, machine, earlier, site)
    except OSError as error:
        # Another name is that of a file of ours: the grammar.
        log.warn(f"{os.fsdecode(error.filename or path)}: {os.strerror(error.errno or 0)}")
        return None, settings
    if log.level >= 2:
        lines = dump(compiled, me[0], keep_all=options.keep, allow_multiple=options.multiple, scan=options.scan)
        for level, line in lines:
            log.debug(level, text_of(line))
        folder = os.environ.get("TMPDIR", "")
        log.debug(2, f"using tmp directory: {folder if os.path.isdir(folder) else '/tmp'}")  # noqa: S108  # fdm's own
    if compiled.refusal is not None:
        _explain_refusal(path, compiled, compiled.refusal, log)
        return None, settings
    return compiled, settings


def _announce(path: str, log: Log, me: User) -> None:
    log.debug(1, f"version is: fdm 2.2 (rulesmith {__version__}), started at: {time.ctime()}")
    if log.level >= 2:
        system = os.uname()
        log.debug(2, f"running on: {system.sysname} {system.release} {system.version} {system.machine}")
        log.debug(2, f"host is: {system.nodename} {_names(system.nodename)}")
        log.debug(2, f"home is: {text_of(me[3])}")
        log.debug(2, f"loading configuration from {path}")


def _names(host: str) -> str:
    """The full name and the address of this host, as far as the resolver has them."""
    import socket  # only to be shown

    octets = os.fsencode(host)
    name = text_of(full_name(octets))
    try:
        # Octets are right, whatever typeshed says, and spare us the IDNA codec.
        return f"{name} {socket.gethostbyname(octets)}"  # type: ignore[arg-type]
    except OSError:
        return name


def _explain_refusal(path: str, compiled: Compiled, refusal: Diagnostic, log: Log) -> None:
    """fdm's own line first, because people and programs know it; then everything there is to say."""
    source = refusal.at.span.source
    on_command_line = source.name == "-D" and source.included_at is None
    name, line = (path, 0) if on_command_line else (source.name, refusal.at.span.line)
    log.warn(f"{name}: {refusal.fdm} at line {line}")
    for diagnostic in compiled.diagnostics:
        if diagnostic.refuses:
            for text in render_text(diagnostic).splitlines():
                log.warn(text)
