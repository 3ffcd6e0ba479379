"""Strings with tags: `%h`, `%[tag]`, `%0` to `%9` (fdm.conf(5), TAGS AND STRING REPLACEMENT).

A template is compiled once to octets, or to (raw, parts) where something must be filled in. Each part is octets
or (name, strips): the tag's name, or a digit for a submatch, and whether `strip-characters` are removed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

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
    parts: list[bytes | tuple[bytes, bool]] = []
    text = bytearray()
    strips = True
    at, end = 0, len(raw)

    def put(name: bytes) -> None:
        if text:
            parts.append(bytes(text))
            text.clear()
        parts.append((name, strips))

    while at < end:
        mark = raw.find(b"%", at)
        if mark < 0:
            text += raw[at:]
            break
        text += raw[at:mark]
        sign = raw[mark + 1 : mark + 2]
        at = mark + 2
        if sign == b"%":
            text += b"%"
        elif sign == b"[":
            close = raw.find(b"]", at)
            if close < 0:
                text += b"%["
                continue
            name = raw[at:close]
            if name[:1] == b":":
                # From here on nothing is stripped, not only from this value (fdm does the same).
                strips = False
                name = name[1:]
            if name:
                put(name)
            at = close + 1
        elif sign == b":":
            following = raw[at : at + 1]
            at += 1
            if following.isdigit():
                parts.append(bytes(text))
                text.clear()
                parts.append((b":" + following, strips))
            else:
                text += following
        elif sign.isdigit():
            put(sign)
        elif sign in ALIASES:
            put(ALIASES[sign])
    if text:
        parts.append(bytes(text))
    return raw, tuple(parts)


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
    sticky = False
    for part in template[1]:
        if isinstance(part, bytes):
            out.append(part)
            continue
        name, strips = part
        if name[:1] == b":" and len(name) == 2:
            index = name[1] - 48
            if index >= len(captures):
                continue
            # `%:1` turns stripping off for the rest, but only if there is such a submatch.
            sticky = True
            value = captures[index]
        elif len(name) == 1 and name.isdigit():
            index = name[0] - 48
            value = captures[index] if index < len(captures) else b""
        else:
            value = tags.get(name, b"")
        remove = (strip if strips and not sticky else b"") + (BREAKS if breaks else b"")
        out.append(value.translate(None, remove) if remove else value)
    return b"".join(out)


def expand_home(path: bytes, home: bytes, home_of: Callable[[bytes], bytes | None]) -> bytes | None:
    """`~`, `~/x`, `~name` and `~name/x` at the start of a path or command; leading white space goes.

    None where the named user does not exist: fdm then cuts the string at its first slash and writes
    to a file called `~name`, which helps nobody.
    """
    path = path.lstrip(b" \t\n\v\f\r")
    if path[:1] != b"~":
        return path
    name, slash, rest = path[1:].partition(b"/")
    where = home_of(name) if name else home
    return None if where is None else where + slash + rest
