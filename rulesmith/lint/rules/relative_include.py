"""An include that depends on where fdm is started.

What it does: notes `include` with a relative path.

Why is this bad: the file is looked for in the working directory first, then beside the main configuration, never beside
the file that includes it. Cron and mail servers start elsewhere than a terminal, and another file of that name may be
there.

Example:

    include "rules.conf"

Use instead: the whole path, or `%h/.fdm/rules.conf`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "relative-include"
SEVERITY = Severity.NOTE


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such include."""
    for source in compiled.config.sources:
        at = source.included_at
        if at is None:
            continue
        written = at.text.strip().removeprefix("include").strip().strip("\"'")
        if written[:1] not in ("/", "~", "%", "$"):
            yield Finding(at, "this file is looked for in the working directory first", help="the whole path, or %h/…")
