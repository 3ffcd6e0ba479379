"""What the editor has open, over the files of this machine."""

from __future__ import annotations

import os
import stat as modes
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from rulesmith.cli.settings import invoker
from rulesmith.compiler.world import Machine
from rulesmith.load import site_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rulesmith.compiler.facts import Stat

_NEW_FILE = modes.S_IFREG | 0o600


class EditedMachine(Machine):
    """This machine, with the texts of the editor in place of files. Commands are never run."""

    def __init__(self, path: str, texts: Mapping[str, str]) -> None:
        super().__init__(path, invoker(home_from_environment=False), run_commands=False, site=site_file())
        self.texts = texts
        self._main = os.path.abspath(path)

    def open(self, path: bytes) -> tuple[bytes, Stat, int, str | None]:
        text = self.texts.get(os.path.abspath(os.fsdecode(path)))
        if text is None:
            try:
                return super().open(path)
            except FileNotFoundError:
                if os.path.abspath(os.fsdecode(path)) != self._main:
                    raise
                text = ""  # closed before it was ever saved; the editor may still ask about it
        try:
            mode = os.stat(path).st_mode
        except OSError:  # not saved yet
            mode = _NEW_FILE
        return text.encode("utf-8", "surrogateescape"), (0, 0, len(text), 0), mode, "it is being edited"


class Desk:
    """The open texts by absolute path, and the editor's own spelling of their addresses."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._uris: dict[str, str] = {}

    def path(self, uri: str) -> str:
        """The path of an address; one that is no file's gets a path that no file has."""
        parts = urlsplit(uri)
        path = os.fsdecode(unquote_to_bytes(parts.path)) if parts.scheme == "file" else uri
        path = os.path.abspath(path)
        self._uris.setdefault(path, uri)
        return path

    def uri(self, path: str) -> str:
        """The address of a path."""
        return self._uris.get(path) or "file://" + quote(os.fsencode(path))

    def text(self, path: str) -> str:
        """The text of a file, as far as it can be read."""
        if path in self.texts:
            return self.texts[path]
        try:
            with open(path, "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
        except OSError:  # what is not there has no text
            return ""
