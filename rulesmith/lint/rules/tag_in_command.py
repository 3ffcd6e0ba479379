"""Text of a mail on a shell's command line.

What it does: looks at commands (`exec`, `pipe`, `rewrite`, and the conditions) with tags whose value can come from a
mail: submatches, `message_id`, `command0` to `command9`, and tags that are set from them. A warning where such a value
stands outside of quotes; an error where what keeps it from being read as commands is not stripped from it, because
`strip-characters` leaves it out or because `%:1` or `%[:tag]` before it turned stripping off.

Why is this bad: whoever sends the mail writes a part of the command. Outside of quotes blanks make more arguments,
`-rf` is an option and `#` ends the command.

Example:

    match "^Subject: (.*)" in headers action exec "notify-send %1"

Use instead: single quotes around the value, `exec "notify-send -- '%1'"`; the default `strip-characters` takes quotes
out of the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.strings import commands
from rulesmith.lint.tags import Tags, tag_shown, tag_span
from rulesmith.template import compile_template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Text

NAME = "tag-in-command"
SEVERITY = Severity.WARNING

# What ends each kind of quoting, or has a meaning inside it (POSIX shell, 2.2). CR, LF and NUL are always stripped.
_DANGEROUS = {"": b"\\$`;|&<>\"'", '"': b'\\$`"', "'": b"'"}


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such tag."""
    tags = Tags(compiled)
    strip = compiled.lowered.settings["strip-characters"]
    for text in commands(compiled):
        if text.value is not None:
            yield from _in_command(text, tags, strip)


def _in_command(text: Text, tags: Tags, strip: bytes) -> Iterator[Finding]:
    template = compile_template(encode(text.value or ""))
    if isinstance(template, bytes):
        return
    quote = ""
    stripping = True
    behind = 0
    for part in template[1]:
        if isinstance(part, bytes):
            quote = _after(part, quote)
            continue
        name, strips, *frees = part
        stripping = stripping and strips and not any(frees)
        if not tags.is_foreign(name):
            continue
        span = tag_span(text, name, behind)
        behind = span.end if span is not text.span else behind
        left = bytes(octet for octet in _DANGEROUS[quote] if not stripping or octet not in strip)
        if left:
            why = "no characters are stripped from it" if not stripping else f"{left.decode()} is not stripped from it"
            yield Finding(
                span,
                f"{tag_shown(name)} is text of the mail, and {why}: the shell can read it as commands",
                help=f"{tag_shown(name)} in single quotes, and the default strip-characters",
                severity=Severity.ERROR,
            )
        elif not quote:
            yield Finding(
                span,
                f"{tag_shown(name)} is text of the mail, unquoted: it can be several words, an option or a comment",
                help=f"'{tag_shown(name)}'",
            )


def _after(text: bytes, quote: str) -> str:
    """The quoting in force behind a piece of a command."""
    at = 0
    while at < len(text):
        octet = chr(text[at])
        if octet == "\\" and quote != "'":
            at += 1
        elif octet in ("'", '"'):
            quote = octet if not quote else ("" if octet == quote else quote)
        at += 1
    return quote
