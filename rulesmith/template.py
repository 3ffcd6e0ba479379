"""Strings with tags: `%h`, `%[tag]`, `%0` to `%9` (fdm.conf(5), TAGS AND STRING REPLACEMENT).

A template is compiled once to octets, or to (raw, parts) where something must be filled in. Each part is octets,
(name, strips) for a tag or (index, strips, frees) for a submatch: `strips` says whether `strip-characters` are
removed from the value, `frees` whether the submatch, if it exists, turns that off for the rest of the string.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.program import Template

ALIASES = {
    b"a": b"account",
    b"d": b"day",
    b"h": b"home",
    b"m": b"month",
    b"n": b"uid",
    b"s": b"source",
    b"t": b"action",
    b"u": b"user",
    b"y": b"year",
    b"H": b"hour",
    b"M": b"minute",
    b"Q": b"quarter",
    b"S": b"second",
    b"W": b"dayofweek",
    b"Y": b"dayofyear",
}
# What a value from the mail must never bring into a command or a header, whatever `strip-characters` says.
BREAKS = b"\r\n\0"


def compile_template(raw: bytes) -> Template:
    """Cut a string at its tags. Text without any `%` is its own template."""
    if b"%" not in raw:
        return raw
    parts: list[bytes | tuple[bytes, bool] | tuple[int, bool, bool]] = []
    strips = True
    at, end = 0, len(raw)
    while at < end:
        mark = raw.find(b"%", at)
        if mark < 0:
            _add(parts, raw[at:])
            break
        _add(parts, raw[at:mark])
        sign = raw[mark + 1 : mark + 2]
        at = mark + 2
        if sign == b"[":
            close = raw.find(b"]", at)
            if close < 0:
                _add(parts, b"%[")
                continue
            name = raw[at:close]
            at = close + 1
            if name[:1] == b":":
                # From here on nothing is stripped, not only from this value (fdm does the same).
                strips = False
                name = name[1:]
            if name:
                parts.append((name, strips))
        elif sign == b":":
            following = raw[at : at + 1]
            at += 1
            if following.isdigit():
                parts.append((int(following), strips, True))
            else:
                _add(parts, following)
        elif sign == b"%":
            _add(parts, sign)
        elif sign.isdigit():
            parts.append((int(sign), strips, False))
        elif sign in ALIASES:
            parts.append((ALIASES[sign], strips))
    return raw, tuple(parts)


def _add(parts: list[Any], text: bytes) -> None:
    """Add text to the last part where that is text too."""
    if parts and isinstance(parts[-1], bytes):
        parts[-1] += text
    elif text:
        parts.append(text)


def raw_text(template: Template) -> bytes:
    """The string as it was written, for messages."""
    return template if isinstance(template, bytes) else template[0]


def expand(
    template: Template,
    tags: dict[bytes, bytes],
    captures: tuple[bytes, ...],
    strip: bytes,
    breaks: bool = False,
) -> bytes:
    """Fill in the tags; `strip` are the octets that values lose, `breaks` whether CR, LF and NUL go as well."""
    if isinstance(template, bytes):
        return template
    out = []
    freed = False
    for part in template[1]:
        if isinstance(part, bytes):
            out.append(part)
            continue
        name, strips = part[0], part[1]
        if isinstance(name, bytes):
            value = tags.get(name, b"")
        elif name < len(captures):
            value = captures[name]
            freed = freed or part[2]
        else:
            continue
        remove = (strip if strips and not freed else b"") + (BREAKS if breaks else b"")
        out.append(value.translate(None, remove) if remove else value)
    return b"".join(out)
