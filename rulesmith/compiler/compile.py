"""From the path of a configuration to a program and everything there is to say about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.compiler.lower import Lowered, lower
from rulesmith.compiler.names import check_names
from rulesmith.compiler.scope import Scope
from rulesmith.compiler.site import dialect_of, read_site
from rulesmith.syntax.parser import parse
from rulesmith.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulesmith.compiler.environment import Environment
    from rulesmith.compiler.facts import Facts, User
    from rulesmith.compiler.site import Site
    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.program import Program
    from rulesmith.source import Source, Span
    from rulesmith.syntax import tree

# Definitions in a file that could not be parsed whole; what they name is not reported as unknown.
_DEFINITION = re.compile(r"""^[ \t}]*(account|action|cache)[ \t\n]+["']([^"'\n]*)["']""", re.MULTILINE)


class Compiled(Value):
    """A configuration, compiled by the user `me`.

    `program` is None where it is refused; `refusal` is then what fdm would stop at. `diagnostics` are sorted by place.
    `site` is the file of settings that came first. `lowered` has the definitions in order, for dump.py and lint;
    `facts` is the stamp of the program; `warnings` were given while reading and `standing` those of them that each
    later start must repeat; `commands` are the shell commands of the configuration in the order they are met,
    `macros` the names that -D defines.
    """

    path: str
    me: User
    config: tree.Config
    program: Program | None
    refusal: Diagnostic | None
    diagnostics: tuple[Diagnostic, ...]
    site: Site
    lowered: Lowered
    facts: Facts
    warnings: tuple[str, ...]
    standing: tuple[str, ...]
    commands: tuple[str, ...]
    macros: tuple[str, ...]


def compile_config(
    path: str, environment: Environment, earlier: Sequence[Diagnostic] = (), site: Site | None = None
) -> Compiled:
    """Read and compile a configuration. Raises OSError when `path` cannot be read.

    `earlier` are diagnostics that came first, such as those of the command line (defines.py). `site` is what
    `read_site` gave for this environment, where it was asked before.
    """
    site = read_site(environment) if site is None else site
    text = environment.read(path).decode("utf-8", "surrogateescape")
    return compile_text(path, text, environment, earlier, site)


def compile_text(
    name: str, text: str, environment: Environment, earlier: Sequence[Diagnostic] = (), site: Site | None = None
) -> Compiled:
    """Compile a text; the environment answers for includes, users and the rest."""
    site = read_site(environment) if site is None else site
    earlier = (*earlier, *site.diagnostics)
    config, syntax = parse(name, text, environment)
    scope = Scope(environment, dialect_of(config, site.settings["regexp-dialect"]))
    lowered = lower(config.statements, scope, dict(site.settings))
    torn = _torn(config.sources) if syntax else ()
    incomplete = any(found.name == "include-not-found" for found in syntax)
    check_names(config, lowered, scope, torn, incomplete)
    # What could not be read needs no second report about its value.
    blamed = [each for each in lowered.blamed if not any(_overlap(each[1], other) for other in syntax)]
    diagnostics = sorted((*syntax, *(found for _, found in blamed)), key=lambda found: _position(found.at.span))
    refusal = _first_refusal(earlier, syntax, blamed)
    program: Program | None = None
    if refusal is None:
        program = (
            lowered.settings,
            tuple(lowered.caches.values()),
            tuple(lowered.accounts.values()),
            tuple(lowered.actions.values()),
            tuple(lowered.rules),
        )
    return Compiled(
        path=name,
        me=environment.me,
        config=config,
        program=program,
        refusal=refusal,
        diagnostics=(*earlier, *diagnostics),
        site=site,
        lowered=lowered,
        facts=environment.facts,
        warnings=tuple(environment.warnings),
        standing=tuple(environment.standing),
        commands=tuple(environment.commands),
        macros=tuple(environment.macros),
    )


def _torn(sources: Sequence[Source]) -> list[tuple[str, bytes]]:
    return [
        (found[1], found[2].encode("utf-8", "surrogateescape"))
        for source in sources
        for found in _DEFINITION.finditer(source.text)
    ]


def _overlap(one: Diagnostic, other: Diagnostic) -> bool:
    mine, its = one.at.span, other.at.span
    return mine.source is its.source and mine.start < its.end and its.start < mine.end


def _position(span: Span) -> tuple[int, ...]:
    """Where a place comes in the order of reading, includes spliced in."""
    inner: tuple[int, ...] = (span.start,)
    while span.source.included_at is not None:
        span = span.source.included_at
        inner = (span.start, *inner)
    return inner


def _first_refusal(
    earlier: Sequence[Diagnostic],
    syntax: Sequence[Diagnostic],
    blamed: Sequence[tuple[tree.Statement, Diagnostic]],
) -> Diagnostic | None:
    """What fdm would have stopped at: the first statement with a fault, and in it the first that fdm checks."""
    for found in earlier:
        if found.refuses:
            return found
    candidates = [(_position(found.at.span), found) for found in syntax if found.refuses]
    candidates += [(_position(statement.span), found) for statement, found in blamed if found.refuses]
    return min(candidates, key=lambda each: each[0])[1] if candidates else None
