"""This machine, but with other texts in some of its files: what a configuration would be after a change."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rulesmith.compiler.world import Machine

if TYPE_CHECKING:
    from rulesmith.compiler.facts import Stat


class Overlay(Machine):
    """`texts` are by the names under which the files are opened."""

    texts: dict[str, str]

    def open(self, path: bytes) -> tuple[bytes, Stat, int, str | None]:
        content, stat, mode, unstable = super().open(path)
        text = self.texts.get(os.fsdecode(path))
        return (content if text is None else text.encode("utf-8", "surrogateescape")), stat, mode, unstable
