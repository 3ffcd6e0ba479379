"""The settings that hold for everybody on a machine: a file of `set` statements, read before the user's file.

It says nothing about any mail, so an unchanged fdm.conf gets a queue and a scan; and it is read apart, so that
its settings hold where the user's file cannot be read at all.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from rulesmith.compiler.lower import lower
from rulesmith.compiler.names import check_names, flatten
from rulesmith.compiler.scope import Scope
from rulesmith.compiler.settings import Settings, defaults
from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.diagnostics.order import in_order
from rulesmith.program import SITE_FILE
from rulesmith.source import Source, Span
from rulesmith.syntax import lexer, tree
from rulesmith.syntax.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.environment import Environment

_MARKS = frozenset({"INCLUDE", "IFDEF", "ENDIF"})
_COMMANDS = frozenset({"STRCOMMAND", "NUMCOMMAND"})


class Site:
    """What a site file came to: the settings of what could be read, the rest being defaults.

    `path` is None where there is none. `source` is its text.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
        path: str | None = None,
        source: Source | None = None,
    ) -> None:
        self.settings = defaults() if settings is None else settings
        self.diagnostics = diagnostics
        self.path = path
        self.source = source


class _Alone:
    """The world of a site file: it has no macros, includes nothing and runs nothing."""

    macros: dict[str, str | int]

    def __init__(self) -> None:
        self.macros = {}

    def expand_include(self, path: str) -> list[str]:  # noqa: ARG002 — the protocol's
        return []

    def read(self, path: str) -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def run(self, command: str, name: str) -> None:  # noqa: ARG002 — the protocol's
        return None

    def warn(self, text: str) -> None:
        raise NotImplementedError(text)


def read_site(environment: Environment) -> Site:
    """The site file of an environment; what is wrong with it is among the diagnostics. Raises OSError: no grammar.

    The usual file may be missing; one that RULESMITH_CONF names may not.
    """
    path = environment.site
    if path is None:
        return Site()
    try:
        text = environment.read_site(path).decode("utf-8", "surrogateescape")
    except OSError as error:
        if path == SITE_FILE and error.errno in (errno.ENOENT, errno.ENOTDIR):
            return Site()
        why = os.strerror(error.errno or 0)
        source = Source(path, "")
        message = f"the settings of this machine cannot be read: {why}"
        found = Diagnostic("site-file", Severity.ERROR, message, Label(Span(source, 0, 0)), fdm=why)
        return Site(diagnostics=(found,), path=path, source=source)
    world = _Alone()
    config, syntax = parse(path, text, world)
    foreign = list(_foreign(config, world))
    if foreign:
        syntax = [each for each in syntax if each.name not in ("include-not-found", "unknown-include")]
    scope = Scope(environment)
    scope.dialect = dialect_of(config, scope.dialect)
    lowered = lower(tuple(each for each in config.statements if isinstance(each, tree.Set)), scope, defaults())
    # Accounts are the users' own, so any name may be one.
    check_names(config, lowered, scope, (), incomplete=True)
    diagnostics = tuple(in_order([*syntax, *foreign, *(found for _, found in lowered.blamed)]))
    return Site(lowered.settings, diagnostics, path, config.sources[0])


def _foreign(config: tree.Config, world: _Alone) -> Iterator[Diagnostic]:
    """Everything that is not a setting, or not known here."""
    for statement in config.statements:
        if not isinstance(statement, tree.Set):
            yield _refused(statement.span, "only `set` lines may stand in this file")
    for word in lexer.read(config.sources[0], world).words:
        if word.type in _MARKS:
            yield _refused(word.span, "only `set` lines may stand in this file")
        elif word.type in _COMMANDS:
            yield _refused(word.span, "no commands are run for this file: write the value")


def _refused(span: Span, message: str) -> Diagnostic:
    return Diagnostic("site-file", Severity.ERROR, message, Label(span), fdm="syntax error")


def dialect_of(config: tree.Config, dialect: str) -> str:
    """The dialect of all regexps, wherever it is set; `dialect` where it is not."""
    for statement in flatten(config.statements):
        if isinstance(statement, tree.Set) and statement.option == "regexp-dialect":
            (word,) = statement.args
            chosen = word.value if isinstance(word, tree.Text) else word
            dialect = chosen if chosen in ("pcre", "posix") else dialect
    return dialect
