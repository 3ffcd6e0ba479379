"""Parameters of a structured field: `text/plain; charset=utf-8; name="a;b.txt"` (RFC 2045, 5.1; RFC 2231).

What fdm reads is read as fdm reads it: names of parameters are lower case, there are no blanks around `=`, an
unquoted value keeps its trailing blanks, and nothing between quotes is unescaped. Only the end of a quoted value
is found better, so that it may contain `;` and have blanks behind it. One that is not closed does not count.
"""

from __future__ import annotations

from rulesmith.mail import header


def parse(field: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """What stands before the first `;` or fold, and the parameters; of two with the same name the first counts."""
    kind = header.line_text(field.lstrip(header.SPACE).partition(b";")[0].partition(b"\n")[0] + b"\n")
    field = header.line_text(header.unfold(field))
    first = field.partition(b";")[0]
    given: dict[bytes, bytes] = {}
    at, end = len(first) + 1, len(field)
    may_close = True
    while at < end:
        stop = field.find(b";", at)
        stop = end if stop < 0 else stop
        name, equals, value = field[at:stop].partition(b"=")
        if value[:1] == b'"':
            start = at + len(name) + 2
            # Where one quote is not closed, none behind it is: no need to look again.
            close, behind = _closing(field, start) if may_close else (-1, stop)
            may_close = close >= 0
            if may_close:
                value, stop = field[start:close], behind
            else:
                equals = b""
        if equals:
            given.setdefault(name.lstrip(header.SPACE), value)
        at = stop + 1
    return kind, given


def _closing(field: bytes, at: int) -> tuple[int, int]:
    """The first quote that has only blanks between it and a `;` or the end, and where that is; or (-1, -1)."""
    at = field.find(b'"', at)
    while at >= 0:
        behind = at + 1
        while field[behind : behind + 1] in (b" ", b"\t"):
            behind += 1
        if behind == len(field) or field[behind] == 59:
            return at, behind
        at = field.find(b'"', behind)
    return -1, -1


def value(given: dict[bytes, bytes], name: bytes) -> bytes | None:
    """The value of a parameter, also where RFC 2231 writes it encoded (`name*`) or in pieces (`name*0`, `name*1*`).

    Encoded octets are decoded; their character set is not looked at.
    """
    plain = given.get(name)
    if plain is not None:
        return plain
    whole = given.get(name + b"*")
    if whole is not None:
        return _decoded(_without_charset(whole))
    pieces: list[bytes] = []
    while True:
        section = b"%s*%d" % (name, len(pieces))
        encoded = given.get(section + b"*")
        if encoded is not None:
            pieces.append(_decoded(encoded if pieces else _without_charset(encoded)))
        elif section in given:
            pieces.append(given[section])
        else:
            return b"".join(pieces) if pieces else None


def _without_charset(text: bytes) -> bytes:
    """What follows `charset'language'`; all of it where that is missing."""
    return text.split(b"'", 2)[2] if text.count(b"'") >= 2 else text


def _decoded(text: bytes) -> bytes:
    first, *rest = text.split(b"%")
    out = [first]
    for piece in rest:
        try:
            out += (bytes((int(piece[:2], 16),)), piece[2:])
        except ValueError:
            out += (b"%", piece)
    return b"".join(out)
