"""What can be done about findings at a place: their fixes, and comments that allow them."""

from __future__ import annotations

import os
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from lsprotocol import types

from rulesmith.lint.fixes import apply_fixes
from rulesmith.lsp.positions import Lines, is_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.lsp.book import Reading
    from rulesmith.lsp.desk import Desk

_ALLOW = re.compile(r"#[ \t]*rulesmith:[ \t]*allow\(([^)\n]*)\)")
_FIX_ALL = "source.fixAll"


class Fixes:
    """The changes to one configuration, in the units of the editor."""

    def __init__(self, reading: Reading, desk: Desk, encoding: str) -> None:
        self.reading = reading
        self.desk = desk
        self.encoding = encoding

    def actions(self, path: str, start: int, end: int, only: Iterable[str] | None) -> Iterator[types.CodeAction]:
        """What is offered for a range of a file; `only` are the kinds that are wanted."""
        wanted = tuple(only or ("quickfix", _FIX_ALL))
        if any("quickfix".startswith(kind) for kind in wanted):
            for each in self.reading.findings:
                span = each.at.span
                if os.path.abspath(span.source.name) == path and span.start <= end and start <= span.end:
                    yield from self._fix(each)
                    yield from self._allow(each)
        if any(_FIX_ALL.startswith(kind) for kind in wanted):
            yield from self._fix_all()

    def _fix(self, finding: Diagnostic) -> Iterator[types.CodeAction]:
        if finding.fix is None or not all(is_text(edit.text) for edit in finding.fix.edits):
            return
        changes: dict[str, list[types.TextEdit]] = {}
        for edit in finding.fix.edits:
            path = os.path.abspath(edit.span.source.name)
            where = Lines(edit.span.source.text, self.encoding).range(edit.span.start, edit.span.end)
            changes.setdefault(self.desk.uri(path), []).append(types.TextEdit(where, edit.text))
        yield types.CodeAction(
            shown(finding.fix.title),
            kind=types.CodeActionKind.QuickFix,
            is_preferred=True,
            edit=types.WorkspaceEdit(changes=changes),
        )

    def _allow(self, finding: Diagnostic) -> Iterator[types.CodeAction]:
        """A comment at the end of the line, or above it where the line has another one."""
        if finding.refuses or finding.name == "unused-allow":
            return
        source = finding.at.span.source
        path = os.path.abspath(source.name)
        lines = Lines(source.text, self.encoding)
        begin, end = lines.line_start(finding.at.span.start), lines.line_end(finding.at.span.start)
        there = _ALLOW.search(source.text, begin, end)
        comment = self._comment(path, begin, end)
        if there is not None and comment is not None and there.start() >= comment:
            at, text = there.end(1), f", {finding.name}"
        elif comment is None and not self._in_word(path, end):
            at, text = end, f"  # rulesmith: allow({finding.name})"
        elif not self._in_word(path, begin):
            indent = source.text[begin : begin + len(source.text[begin:end]) - len(source.text[begin:end].lstrip())]
            at, text = begin, f"{indent}# rulesmith: allow({finding.name})\n"
        else:
            return
        edit = types.TextEdit(lines.range(at, at), text)
        yield types.CodeAction(
            f"allow {finding.name} here",
            kind=types.CodeActionKind.QuickFix,
            edit=types.WorkspaceEdit(changes={self.desk.uri(path): [edit]}),
        )

    def _comment(self, path: str, begin: int, end: int) -> int | None:
        """Where the comment of a line begins: the first `#` that is in no word."""
        text = self.reading.sources[path].text
        marks = (at for at in range(begin, end) if text[at] == "#" and not self._in_word(path, at))
        return next(marks, None)

    def _in_word(self, path: str, at: int) -> bool:
        return any(word.start < at < word.end for word in self.reading.words.get(path, ()))

    def _fix_all(self) -> Iterator[types.CodeAction]:
        texts, done = apply_fixes(self.reading.findings)
        if not done:
            return
        changes = {}
        for name, text in texts.items():
            path = os.path.abspath(name)
            old = self.reading.sources[path].text
            edits = line_edits(old, text, self.encoding)
            if not all(is_text(edit.new_text) for edit in edits):
                return
            changes[self.desk.uri(path)] = edits
        yield types.CodeAction(
            "put everything right that rulesmith can", kind=_FIX_ALL, edit=types.WorkspaceEdit(changes=changes)
        )


def line_edits(old: str, new: str, encoding: str) -> list[types.TextEdit]:
    """The lines that differ, so that an editor keeps its place in all others."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = [0]
    for line in before:
        starts.append(starts[-1] + len(line))
    lines = Lines(old, encoding)
    edits = []
    for kind, one, two, three, four in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            where = lines.range(starts[one], starts[two])
            edits.append(types.TextEdit(where, "".join(after[three:four])))
    return edits
