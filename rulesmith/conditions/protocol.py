"""What the module of a condition or an action offers to the compiler (for readers and mypy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rulesmith.program import Template
    from rulesmith.source import Span
    from rulesmith.syntax.tree import Decimal, Number, Phrase, Regexp, Server, Text


class Lowering(Protocol):
    """The help that `lower` gets: everything it needs to turn literals into a program.

    `empty` is fdm's text for an empty value, where fdm refuses one.
    """

    def template(self, text: Text, empty: str | None = None) -> Template:
        """A string that is expanded for each message."""

    def run_path(self, text: Text, empty: str) -> Template:
        """The same for a path or command, whose `~` is expanded for each message as well."""

    def load_text(self, text: Text, empty: str | None = None) -> bytes:
        """A string whose tags are replaced now."""

    def load_path(self, text: Text, empty: str | None = None) -> bytes:
        """A path whose tags and `~` are replaced now."""

    def listed(self, texts: tuple[Text, ...], empty: str | None) -> tuple[Template, ...]:
        """A string or a list of strings; in a list fdm accepts no empty one."""

    def number(self, number: Number) -> Any:
        """A number, or its unknown."""

    def score(self, number: Number | Decimal) -> Any:
        """A number that may have decimals, or its unknown."""

    def pattern(self, regexp: Regexp) -> Any:
        """A regexp, its tags replaced now, or its unknown."""

    def server(self, server: Server, service: str) -> tuple[bytes, bytes]:
        """Host and port; `service` is the port where none is written."""

    def login(
        self, user: Text | None, password: Text | None, host: bytes, span: Span, needed: bool
    ) -> tuple[bytes | None, bytes | None]:
        """User and password; what is not written comes from .netrc, and must where `needed`."""

    def error(self, name: str, at: Any, message: str, *, hint: str | None = None, fdm: str | None = None) -> None:
        """Report a fault; with `fdm`, the text of fdm for it, no program is made."""


class Word(Protocol):
    """The compile-time half of a module of the vocabulary."""

    def lower(self, phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
        """The arguments of the phrase in the shape that program.py lists."""

    def explain(self, args: tuple[Any, ...]) -> bytes:
        """The phrase in the words of `fdm -nvv`."""
