"""What reading a configuration asks of the world: files, shell commands, macros of the command line."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class CommandError(Exception):
    """A `$( )` or `%( )` command failed; the text is fdm's ("COMMAND: command returned 1")."""


class SyntaxWorld(Protocol):
    """Everything that parsing needs and a text cannot give. All texts are UTF-8 with surrogateescape."""

    @property
    def macros(self) -> Mapping[str, str | int]:
        """The macros of `-D`, names with their sigil; they win over every definition in the file."""

    def expand_include(self, path: str) -> list[str]:
        """The names to open for `include "PATH"`, to be tried in order; none for an invalid (empty) path.

        fdm.conf(5): tags and `~` are replaced, then the path is tried as it is (from the working directory)
        and then in the directory of the main file; never beside the including file.
        """

    def read(self, path: str) -> bytes:
        """The octets of a file; a directory is empty. Raises OSError."""

    def run(self, command: str, name: str) -> str | None:
        """The standard output of `/bin/sh -c COMMAND` as it came; None where commands are not to be run.

        `name` is the file that holds the command: each line the command writes to standard error is a
        warning `NAME: COMMAND: LINE`. Raises CommandError.
        """

    def warn(self, text: str) -> None:
        """Say something that does not stop the reading."""


class MemoryWorld:
    """A world of nothing but what it is given: for tests, and for texts that have no file."""

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        macros: Mapping[str, str | int] | None = None,
        commands: Callable[[str], str | None] | None = None,
    ) -> None:
        self.files = {} if files is None else files
        self.macros = {} if macros is None else macros
        self.commands = commands
        self.warnings: list[str] = []

    def expand_include(self, path: str) -> list[str]:
        return [path, f"./{path}"] if path else []

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from None

    def run(self, command: str, name: str) -> str | None:
        del name  # no warnings: these commands have no standard error
        return None if self.commands is None else self.commands(command)

    def warn(self, text: str) -> None:
        self.warnings.append(text)
