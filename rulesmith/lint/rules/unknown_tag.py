"""A tag that nothing sets.

What it does: reports `%[name]` and `tagged "name"` when neither fdm nor any `tag` item of the configuration sets a tag
of that name.

Why is this bad: an unknown tag is empty, silently. `maildir "~/old/%[mail_yaer]"` delivers to `~/old/`.

Example:

    action "old" maildir "~/old/%[mail_yaer]"

Use instead: `%[mail_year]`; for text that only looks like a tag, `%%[mail_yaer]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.diagnostics.suggest import did_you_mean
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import phrases, templates
from rulesmith.lint.tags import FROM_MAIL, OURS, Tags, names_in, tag_span
from rulesmith.mail import glob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled

NAME = "unknown-tag"
SEVERITY = Severity.WARNING


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each string with such a tag."""
    tags = Tags(compiled)
    known = sorted(name.decode("utf-8", "backslashreplace") for name in OURS | FROM_MAIL | tags.set)
    for text in templates(compiled):
        for name in [] if text.value is None else names_in(encode(text.value)):
            if isinstance(name, bytes) and not tags.is_known(name):
                shown = name.decode("utf-8", "backslashreplace")
                yield Finding(tag_span(text, name), f'nothing sets a tag "{shown}"', help=did_you_mean(shown, known))
    for phrase, is_condition in phrases(compiled):
        if is_condition and phrase.word == "tagged":
            (text,) = phrase.args
            if text.value and "%" not in text.value and not _any(encode(text.value), tags):
                yield Finding(text.span, f'nothing sets a tag "{text.value}"', help=did_you_mean(text.value, known))


def _any(pattern: bytes, tags: Tags) -> bool:
    return tags.open or any(glob.matches(pattern, name) for name in OURS | FROM_MAIL | tags.set)
