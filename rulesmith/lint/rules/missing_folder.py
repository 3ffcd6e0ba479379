"""A delivery below a folder that is not there.

What it does: with `--online`, reports the path of a `maildir`, `mbox`, `write` or `append` when the folder around it
does not exist here and none will be made (`set no-create`), and a maildir whose nearest existing folder cannot be
written to.

Why is this bad: every message that gets there fails.

Example:

    set no-create
    action "inbox" maildir "/home/me/Mial/inbox"

Use instead: the right path, or the folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.system import System

NAME = "missing-folder"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

_PATHS = ("maildir", "mbox", "write", "append")


def check(compiled: Compiled, system: System) -> Iterator[Finding]:
    """A finding at each such path."""
    home = compiled.me[3]
    for phrase, is_condition in phrases(compiled):
        if is_condition or phrase.word not in _PATHS or phrase.args[0].value is None:
            continue
        value = encode(phrase.args[0].value)
        for short in (b"%h", b"%[home]"):
            value = home + value[len(short) :] if value.startswith(short) else value
        value = home + value[1:] if value[:2] == b"~/" else value
        if not value.startswith(b"/") or b"%" in value or value.startswith(b"/dev/"):
            continue
        around = value.rstrip(b"/").rpartition(b"/")[0] or b"/"
        needed = value if phrase.word == "maildir" else around
        must_be_there = compiled.lowered.settings["no-create"] or phrase.word != "maildir"
        if must_be_there and system.folder(needed) is False:
            yield Finding(phrase.args[0].span, "there is no such folder here")
            continue
        nearest = around
        while nearest != b"/" and system.folder(nearest) is False:
            nearest = nearest.rpartition(b"/")[0] or b"/"
        if system.folder(nearest) and system.writable(nearest) is False:
            shown = nearest.decode("utf-8", "backslashreplace")
            yield Finding(phrase.args[0].span, f"you may not write to {shown}, which this needs")
