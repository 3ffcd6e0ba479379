"""Why a regexp does not match a message: how far it gets, what the header has, what small change would do."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rulesmith.explain.facts import text as shown_text
from rulesmith.explain.reach import ANCHORS, SEARCHED, Reach, reach
from rulesmith.mail import header, words
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower, parse
from rulesmith.regexp.search import search
from rulesmith.regexp.tree import (
    NOTHING,
    Anchor,
    Atomic,
    BackReference,
    Choice,
    Conditional,
    Group,
    Look,
    Parsed,
    Repeat,
    Sequence,
    Set,
)  # fmt: skip

if TYPE_CHECKING:
    from rulesmith.mail.message import Message
    from rulesmith.program import Pattern
    from rulesmith.regexp.tree import Node

_NAMES = re.compile(rb"\^?\(?(?:\?:)?([A-Za-z][A-Za-z0-9-]*(?:\|[A-Za-z][A-Za-z0-9-]*)*)\)?:")
_ANY = Set((1 << 256) - 1)
_LISTED = 10
_AROUND = 60
_AREAS = {"any": "the whole message", "headers": "the headers", "body": "the body"}


@dataclass(frozen=True)
class Miss:
    """The nearest miss of a regexp.

    `before`, `reached` and `after` are the line it is in: what the regexp has matched is in the middle. `missing` is
    the shortest text that would have completed it, `wanted` says what was expected next. `fields` are those that the
    regexp is about, `absent` the names of those that the message does not have. `hints` are changes with which it
    would match.
    """

    before: bytes
    reached: bytes
    after: bytes
    missing: bytes
    wanted: str
    rough: bool
    cut: bool
    fields: list[str]
    absent: list[str]
    hints: list[str]


def nearest(message: Message, area: str, pattern: Pattern) -> Miss | None:
    """The nearest miss of a regexp in an area of the message; None where nothing can be said about it."""
    view = message.view(area)
    found = in_text(view, pattern)
    if found is None:
        return None
    fields, absent = _fields(message, pattern[0]) if area != "body" else ([], [])
    return replace(found, fields=fields, absent=absent, hints=[*found.hints, *_elsewhere(message, area, pattern)])


def in_text(view: bytes, pattern: Pattern) -> Miss | None:
    """The nearest miss of a regexp in a text."""
    source, code, _, _, dialect, case, _ = pattern
    if code is None:
        return None
    parsed = parse(source, case, dialect)
    root = _regular(parsed.root)
    rough = root != parsed.root
    posix = dialect == "posix"
    found = reach(Parsed(root, parsed.groups, parsed.in_order), posix, view)
    if found is None or found.complete:
        return None
    start = view.rfind(b"\n", 0, found.end) + 1
    begin = max(start, found.start) if found.start < found.end else found.end
    end = view.find(b"\n", found.end)
    line_end = len(view) if end < 0 else end
    return Miss(
        before=view[max(start, begin - _AROUND) : begin],
        reached=view[begin : found.end],
        after=view[found.end : min(line_end, found.end + _AROUND)].rstrip(b"\r"),
        missing=found.missing,
        wanted=_wanted(found),
        rough=rough,
        cut=len(view) > SEARCHED,
        fields=[],
        absent=[],
        hints=_changes(view, pattern, root, parsed, posix),
    )


def _wanted(found: Reach) -> str:
    if found.anchor is not None:
        place = ANCHORS[found.anchor]
        return f"{place} (then {shown_text(found.missing)!r})" if found.missing else place
    return repr(shown_text(found.missing))


def _regular(node: Node) -> Node:
    """The node without what only looks at its surroundings or at captures: a little more would match it."""
    if isinstance(node, Look):
        return NOTHING
    if isinstance(node, Atomic):
        return _regular(node.item)
    if isinstance(node, BackReference):
        return Repeat(_ANY, 0, None)
    if isinstance(node, Conditional):
        return Choice((_regular(node.yes), _regular(node.no)))
    if isinstance(node, Sequence):
        return Sequence(tuple(_regular(each) for each in node.items))
    if isinstance(node, Choice):
        return Choice(tuple(_regular(each) for each in node.branches))
    if isinstance(node, Repeat):
        return node.but(item=_regular(node.item), possessive=False)
    return node.but(item=_regular(node.item)) if isinstance(node, Group) else node


def _without_anchors(node: Node) -> Node:
    if isinstance(node, Anchor):
        return NOTHING
    if isinstance(node, Sequence):
        return Sequence(tuple(_without_anchors(each) for each in node.items))
    if isinstance(node, Choice):
        return Choice(tuple(_without_anchors(each) for each in node.branches))
    if isinstance(node, (Repeat, Group)):
        return node.but(item=_without_anchors(node.item))
    return node


def _changes(view: bytes, pattern: Pattern, root: Node, parsed: Parsed, posix: bool) -> list[str]:
    source, _, _, _, dialect, case, _ = pattern
    hints = []
    if case and search(lower(source, False, dialect), view, view.lower()) is not None:
        hints.append("it would match without `case`")
    bare = _without_anchors(root)
    if bare != root:
        free = reach(Parsed(bare, parsed.groups, parsed.in_order), posix, view)
        if free is not None and free.complete and free.end > free.start:
            hints.append(
                f"without its anchors (such as ^ and $) it would match {shown_text(view[free.start : free.end])!r}"
            )
    return hints


def _elsewhere(message: Message, area: str, pattern: Pattern) -> list[str]:
    """Where else it would match: in another area, or in what the headers say when they are decoded."""
    source, _, _, _, dialect, case, _ = pattern
    other = {"headers": "body", "body": "headers"}.get(area)
    hints = []
    if other is not None and search(pattern, message.view(other), message.folded(other)) is not None:
        hints.append(f"it would match in {_AREAS[other]}")
    if area != "body":
        head = header.unfold(message.raw[: message.body_at])
        decoded = b"".join(_decoded(line) for line in head.splitlines(keepends=True))
        if decoded != head and search(pattern, decoded, decoded.lower()) is not None:
            hints.append("it would match the decoded header, but rules see it as it was sent, encoded")
    try:
        doubled = source.replace(b"\\\\", b"\\")
        if doubled != source and search(lower(doubled, case, dialect), message.view(area), message.folded(area)):
            hints.append(
                f'it would match as "{shown_text(doubled)}": a backslash is doubled between double quotes only'
            )
    except RegexpError:
        return hints
    return hints


def _decoded(line: bytes) -> bytes:
    if b"=?" not in line:
        return line
    return words.readable(line.rstrip(b"\r\n")).encode("utf-8", "surrogateescape") + b"\n"


def _fields(message: Message, source: bytes) -> tuple[list[str], list[str]]:
    """The fields of the names that the regexp begins with, and the names that the message does not have."""
    named = _NAMES.match(source)
    if named is None:
        return [], []
    names = [name.lower() for name in named[1].split(b"|")]
    found: list[str] = []
    seen: set[bytes] = set()
    for line in header.unfold(message.raw[: message.body_at]).splitlines():
        name, colon, value = line.partition(b":")
        if colon and name.lower() in names:
            seen.add(name.lower())
            decoded = f"   (decoded: {words.cut(words.readable(value.strip()), 200)})" if b"=?" in value else ""
            found.append(shown_text(line) + decoded)
    if len(found) > _LISTED:
        found = [*found[:_LISTED], f"… {len(found) - _LISTED} more"]
    written = named[1].split(b"|")
    return found, [name.decode() for name in written if name.lower() not in seen]
