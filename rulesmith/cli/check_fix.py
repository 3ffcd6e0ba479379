"""`rulesmith check --fix` and `--diff`: fixes made in memory, looked at, and only then written."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from rulesmith.lint.fixes import ROUNDS, apply_fixes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.diagnostics.model import Diagnostic

    Check = Callable[[dict[str, str]], list[Diagnostic]]


class UnsafeFix(Exception):
    """After the fixes the configuration would be refused."""


def fixed_texts(found: list[Diagnostic], check: Check) -> tuple[dict[str, str], list[Diagnostic], int]:
    """The new texts by file, what is left to say about them, and how many findings were put right.

    `check` checks the configuration as it would be with other texts in place of files. Raises UnsafeFix.
    """
    refused = {each.name for each in found if each.refuses}
    texts: dict[str, str] = {}
    count = 0
    for _ in range(ROUNDS):
        changed, done = apply_fixes(found)
        if not done:
            break
        texts |= changed
        count += len(done)
        found = check(texts)
        if {each.name for each in found if each.refuses} - refused:
            raise UnsafeFix
    return texts, found, count


def difference(path: str, old: str, new: str) -> str:
    """A unified diff, as patch(1) takes it."""
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), path, path)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
