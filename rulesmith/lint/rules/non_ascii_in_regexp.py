"""A letter beyond ASCII in a regexp.

What it does: reports regexps with such letters, in headers and elsewhere.

Why is this bad: mail hardly ever has them as they are. In header fields they are encoded words
(`=?UTF-8?Q?Caf=C3=A9?=`), in bodies quoted-printable or base64, and nothing is decoded before matching. Where they do
stand there, they are octets: `.` is half of an `é`, and upper and lower case differ.

Example:

    match "^Subject:.*Rückgabe" in headers action "returns"

Use instead: the part of the word without them (`R.*ckgabe` does not help either where the word is encoded: match the
sender, or the list).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.searches import searches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "non-ascii-in-regexp"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such regexp."""
    for found in searches(compiled):
        if found.source.isascii():
            continue
        where = "body" if found.area == "body" else "header field"
        yield Finding(
            found.regexp.text.span,
            f"in a {where} such letters are encoded, and nothing is decoded before matching",
            help="a part of the text that is plain ASCII",
        )
