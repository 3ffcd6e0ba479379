"""A way to Dovecot that does not do what the command does.

What it does: with `--online`, compares `set dovecot` and `set dovecot-folders` with what `doveconf` says, and looks for
the socket. It reports the setting, or where the site file has it the first command that it is for.

Why is this bad: a message that `deliver` would have put into a folder is in the inbox when Dovecot's LMTP server
does not take the detail of an address for a folder; a plugin, such as the one for Sieve, that only `protocol lda` or
only `protocol lmtp` has works by one way only; where `recipient_delimiter` has a `-`, Dovecot's LMTP server gives the
mail of the user `a-b` to `a`; and where there is no socket every delivery is a command as before.

Example:

    set dovecot "/run/dovecot/lmtp"
    set dovecot-folders

Use instead: the same settings for both protocols in Dovecot, and there `recipient_delimiter = +` and
`lmtp_save_to_detail_mailbox = yes`; or neither of these lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.names import flatten
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.shell import parse_shell
from rulesmith.lint.strings import commands_of
from rulesmith.syntax.tree import Set

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.system import System
    from rulesmith.source import Span

NAME = "dovecot-disagrees"
SEVERITY = Severity.WARNING


def check(compiled: Compiled, system: System) -> Iterator[Finding]:
    """At most one finding for each of the four things."""
    settings = compiled.lowered.settings
    socket = settings["dovecot"]
    at = _place(compiled, "dovecot")
    if socket is None or at is None:
        return
    if system.socket(socket) is False:
        shown = socket.decode("utf-8", "backslashreplace")
        yield Finding(at, f"there is no socket {shown}: each delivery is a command")
    if system.delivers_alike() is False:
        yield Finding(
            at,
            "Dovecot's settings for protocol lda and protocol lmtp differ: its LMTP server may do something else than "
            "`deliver` does",
            help="doveconf -n -f protocol=lda, and the same for lmtp",
        )
    if system.divides_names():
        yield Finding(
            at,
            "Dovecot's recipient_delimiter has a sign that may stand in the name of a user: what is for `a-b` may go "
            "to `a`",
            help="recipient_delimiter = + in dovecot.conf",
            severity=Severity.ERROR,
        )
    if settings["dovecot-folders"] and system.has_folders() is False:
        yield Finding(
            _place(compiled, "dovecot-folders") or at,
            "Dovecot does not take the detail of an address for a folder: what is for a folder goes to the inbox",
            help="recipient_delimiter = + and lmtp_save_to_detail_mailbox = yes in dovecot.conf",
            severity=Severity.ERROR,
        )


def _place(compiled: Compiled, option: str) -> Span | None:
    """The setting that counts; where it stands in the site file, the first command that it is for."""
    found = [each for each in flatten(compiled.config.statements) if isinstance(each, Set) and each.option == option]
    return found[-1].span if found else next(_deliveries(compiled), None)


def _deliveries(compiled: Compiled) -> Iterator[Span]:
    for _, is_condition, text, line in commands_of(compiled, "pipe"):
        stages = [stage for pipeline, _ in parse_shell(line).pipelines for stage in pipeline]
        if not is_condition and any(stage.program in ("deliver", "dovecot-lda") for stage in stages):
            yield text.span
