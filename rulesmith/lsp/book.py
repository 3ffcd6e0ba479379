"""The configurations that open files belong to, compiled when they are asked for and kept until something changes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rulesmith.compiler.compile import compile_config
from rulesmith.compiler.site import dialect_of, read_site
from rulesmith.lint import findings
from rulesmith.lsp.desk import Desk, EditedMachine
from rulesmith.lsp.mentions import mentions
from rulesmith.source import Source
from rulesmith.syntax.lexer import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.diagnostics.model import Diagnostic
    from rulesmith.lsp.mentions import Mention
    from rulesmith.syntax.word import Word

# Where the configuration that includes a file is looked for: beside it and one folder up, among so many files.
_MOST_FILES = 50
_MOST_OCTETS = 256 * 1024


@dataclass
class Reading:
    """One configuration as it is now, read by `machine`; everything that is asked of it is worked out once."""

    path: str
    machine: EditedMachine

    @cached_property
    def compiled(self) -> Compiled:
        return compile_config(self.path, self.machine)

    def compile(self) -> None:
        """Work out what most questions need."""
        _ = self.sources

    @cached_property
    def findings(self) -> list[Diagnostic]:
        """What `rulesmith check` finds."""
        site = read_site(self.machine)
        if site.path is not None and os.path.abspath(site.path) == self.path:
            return list(site.diagnostics)
        return findings(self.compiled)

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The texts by path; a file that is included twice stands for both."""
        found: dict[str, Source] = {}
        for source in self.compiled.config.sources:
            found.setdefault(os.path.abspath(source.name), source)
        return found

    @cached_property
    def words(self) -> dict[str, list[Word]]:
        """The words of each file."""
        main = self.sources[self.path]
        found: dict[str, list[Word]] = {path: [] for path in self.sources}
        taken: dict[str, Source] = {}
        for word in read(Source(main.name, main.text), EditedMachine(self.path, self.machine.texts)).words:
            path = os.path.abspath(word.source.name)
            if taken.setdefault(path, word.source) is word.source:
                found.setdefault(path, []).append(word)
        return found

    @cached_property
    def mentions(self) -> list[Mention]:
        """Every name with its place."""
        return mentions(self)

    @property
    def dialect(self) -> str:
        return dialect_of(self.compiled.config, self.compiled.site.settings["regexp-dialect"])


class Book:
    """All that is known of what the editor has open."""

    def __init__(self) -> None:
        self.desk = Desk()
        self._readings: dict[str, Reading] = {}
        self._mains: dict[str, str] = {}

    def edited(self) -> None:
        """A text has changed."""
        self._readings.clear()

    def rearranged(self) -> None:
        """Files were opened, closed or saved: what belongs to what may have changed."""
        self._readings.clear()
        self._mains.clear()

    def reading(self, path: str) -> Reading:
        """The configuration of this main file. Its parts raise OSError if it is not open and cannot be read."""
        if path not in self._readings:
            self._readings[path] = Reading(path, EditedMachine(path, dict(self.desk.texts)))
        return self._readings[path]

    def main(self, path: str) -> str:
        """The configuration that a file is read with: one that includes it, else the file itself."""
        if path not in self._mains:
            self._mains[path] = next(self._including(path), path)
        return self._mains[path]

    def _including(self, path: str) -> Iterator[str]:
        """Configurations that include a file, but not the parts of larger ones."""
        name = os.path.basename(path)
        candidates = dict.fromkeys([*self.desk.texts, *_neighbours(path)])
        found = [each for each in candidates
                 if each != path and self._mentions(each, name) and path in self.reading(each).sources]  # fmt: skip
        for each in found:
            if not any(each in self.reading(other).sources for other in found if other != each):
                yield each

    def _mentions(self, path: str, name: str) -> bool:
        text = self.desk.text(path)
        return "include" in text and name in text


def _neighbours(path: str) -> Iterator[str]:
    """The files that may be the configuration of a part."""
    folder = os.path.dirname(path)
    for place in dict.fromkeys((folder, os.path.dirname(folder))):
        try:
            names = sorted(os.listdir(place))
        except OSError:  # a folder that cannot be read has no configuration to offer
            continue
        for name in [name for name in names if name.endswith(".conf")][:_MOST_FILES]:
            file = os.path.join(place, name)
            if os.path.isfile(file) and os.path.getsize(file) <= _MOST_OCTETS:
                yield file
