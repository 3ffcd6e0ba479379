"""`# rulesmith: allow(NAME)` at the line of a finding or the line above takes the finding away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.lint.pages import known
from rulesmith.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_ALLOW = re.compile(r"#[ \t]*rulesmith:[ \t]*allow\(([a-z0-9-]+(?:[ \t]*,[ \t]*[a-z0-9-]+)*)\)")
_NAME = re.compile(r"[a-z0-9-]+")


def suppress(found: Iterable[Diagnostic], sources: Iterable[Source], unasked: Collection[str] = ()) -> list[Diagnostic]:
    """The findings that are not allowed, and one for each allowance that took nothing away.

    What refuses a configuration cannot be allowed: fdm would not start either. `unasked` are the checks that were
    not made, so that nobody knows whether their allowances are of use.
    """
    allowed: dict[tuple[int, int, str], Span] = {}
    for source in sources:
        for comment in _ALLOW.finditer(source.text):
            line = source.line_column(comment.start())[0]
            for name in _NAME.finditer(source.text, comment.start(1), comment.end(1)):
                allowed[id(source), line, name[0]] = Span(source, *name.span())
    if not allowed:
        return list(found)
    kept, used = [], set()
    for each in found:
        line = each.at.span.line
        keys = [(id(each.at.span.source), at, each.name) for at in (line, line - 1)]
        key = next((key for key in keys if key in allowed), None)
        if key is None or each.refuses:
            kept.append(each)
        else:
            used.add(key)
    for key, span in allowed.items():
        if key not in used and key[2] not in unasked:
            message, hint = f"nothing here is called {key[2]}", None
            if key[2] not in known():
                message, hint = f"no finding is called {key[2]}", did_you_mean(key[2], known())
            kept.append(Diagnostic("unused-allow", Severity.WARNING, message, Label(span), help=hint))
    return kept
