"""Settings of the shorter way to Dovecot (delivery/dovecot.py). fdm has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.compiler.scope import Scope
    from rulesmith.syntax.tree import Set

    Settings = dict[str, Any]

# What the address of a unix socket has room for on Linux, with its end.
_LONGEST_PATH = 107


def defaults() -> Settings:
    """What holds when nothing is set: each delivery is a command."""
    return {"dovecot": None, "dovecot-folders": False}


def _dovecot(statement: Set, settings: Settings, scope: Scope) -> None:
    """An empty path takes back what an earlier statement, or the site file, has set."""
    (text,) = statement.args
    path = scope.load_path(text)
    if text.value is None:
        scope.unknown(text, text.span.text)
        return
    wrong = None
    if text.value and path[:1] != b"/":
        wrong = "the socket of Dovecot's LMTP server needs an absolute path"
    elif len(path) > _LONGEST_PATH:
        wrong = f"the path of a socket has at most {_LONGEST_PATH} octets, and this has {len(path)}"
    if wrong:
        scope.error("invalid-socket", text, wrong, hint='set dovecot "/run/dovecot/lmtp"', fdm="invalid dovecot")
        return
    settings["dovecot"] = path or None


def _nothing(statement: Set, settings: Settings, scope: Scope) -> None:
    """An option without argument may be repeated."""


OPTIONS: dict[str, Callable[[Set, Settings, Scope], None]] = {"dovecot": _dovecot, "dovecot-folders": _nothing}
