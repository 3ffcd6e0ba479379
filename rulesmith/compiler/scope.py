"""The names in force while statements are lowered, and the help that the vocabulary gets (conditions/protocol.py)."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from rulesmith.compiler.netrc import NetrcError, look_up
from rulesmith.compiler.places import place_in
from rulesmith.compiler.replace import Replacement, UnknownUser
from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.program import UNKNOWN
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower as lower_regexp
from rulesmith.source import Span
from rulesmith.syntax.tree import Decimal, MacroDefinition, Number, Regexp, Server, Text
from rulesmith.template import compile_template

if TYPE_CHECKING:
    from rulesmith.compiler.environment import Environment
    from rulesmith.program import Pattern, Template

# What fdm says about an empty value, and what we say.
_EMPTY = {
    "empty string in list": "a string of this list is empty",
    "invalid account name": "an account needs a name",
    "invalid action name": "an action needs a name",
    "invalid cache": "a cache needs a path",
    "invalid command": "there is no command",
    "invalid folder": "a folder needs a name",
    "invalid group": "a group needs a name",
    "invalid header": "a header field needs a name",
    "invalid host": "a server needs a host name",
    "invalid key": "a key cannot be empty",
    "invalid pass": "the password is empty",
    "invalid path": "a path cannot be empty",
    "invalid pipe command": "there is no command",
    "invalid port": "the port is empty",
    "invalid string": "there is nothing to compare with",
    "invalid tag": "a tag needs a name",
    "invalid user": "a user needs a name",
}
_LARGEST_PORT = 65535
_BLANKS = " \t\n\v\f\r"


def encode(text: str) -> bytes:
    """The octets of the file that a piece of its text stands for."""
    return text.encode("utf-8", "surrogateescape")


def written(text: Text) -> bytes:
    """A string as it stands in the file; for values that are not known."""
    return encode(" + ".join(piece.written for piece in text.pieces))


# Control characters, as they would be written in a string.
_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), 127)}


def one_line(text: str) -> str:
    """A sentence that quotes a configuration, fit to be shown: no line breaks, no octets that are no text."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").translate(_CONTROLS)


class Scope:
    """What lowering knows at one place of the configuration.

    `replacement` holds what parse-time tags depend on. `found` are the diagnostics so far, in fdm's order:
    within a statement, the first with `fdm` is the one that fdm would stop at. `decided` are the options whose
    first setting counts and that have been set.
    """

    def __init__(self, environment: Environment, dialect: str = "pcre") -> None:
        self.environment = environment
        self.replacement = Replacement(environment, environment.default_user)
        self.dialect = dialect
        self.found: list[Diagnostic] = []
        self.macros: dict[str, Span] = {}
        self.decided: set[str] = set() if environment.default_user is None else {"default-user"}

    # Findings.

    def error(
        self,
        name: str,
        at: Any,
        message: str,
        *,
        hint: str | None = None,
        fdm: str | None = None,
        also: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Report a fault at a node of the tree or a span. With `fdm`, fdm's text for it, no program is made."""
        span: Span = at if isinstance(at, Span) else at.span
        also += self._origins(at)
        notes = tuple(one_line(note) for note in notes)
        hint = None if hint is None else one_line(hint)
        self.found.append(Diagnostic(name, severity, one_line(message), Label(span), also, notes, hint, fdm))

    def out_of_range(self, at: Any, message: str, fdm: str) -> None:
        """Report a setting that cannot be so."""
        self.error("setting-out-of-range", at, message, fdm=fdm)

    def unknown(self, at: Any, text: str) -> None:
        """Say that a value that matters is not known, because its command was not run."""
        message = f"the value of {text} is not known: the command was not run"
        self.error("unknown-value", at, message, severity=Severity.NOTE, hint="--run-commands")

    def _origins(self, at: Any) -> tuple[Label, ...]:
        """The other places that a reader must see: the macros of a string, the include of its file."""
        labels = []
        if isinstance(at, Text):
            for piece in at.pieces:
                where = self.macros.get("$" + piece.written.strip("${}")) if piece.kind == "macro" else None
                if where is not None:
                    labels.append(Label(where, "the macro is defined here"))
        span: Span = at if isinstance(at, Span) else at.span
        if span.source.included_at is not None:
            labels.append(Label(span.source.included_at, "included here"))
        return tuple(labels)

    def define(self, macro: MacroDefinition) -> None:
        self.macros[macro.name] = macro.span

    # Strings.

    def _check_empty(self, value: str | bytes, at: Text, empty: str | None) -> None:
        if not value and empty is not None:
            notes = () if not at.value else ("its tags have no value while the configuration is read",)
            self.error("empty-value", at, _EMPTY[empty], fdm=empty, notes=notes)

    def template(self, text: Text, empty: str | None = None) -> Template:
        """A string that is expanded for each message; `empty` is fdm's text where it may not be empty."""
        if text.value is None:
            return written(text), UNKNOWN  # type: ignore[return-value]  # program.py, UNKNOWN
        self._check_empty(text.value, text, empty)
        return compile_template(encode(text.value))

    def run_path(self, text: Text, empty: str) -> Template:
        """The same for a path or command; a `~name` that is already certain must exist."""
        template = self.template(text, empty)
        start = (text.value or "").lstrip(_BLANKS)
        if start[:1] == "~":
            name = start[1:].partition("/")[0]
            name = name.split(None, 1)[0] if name.strip() else ""
            if name and "%" not in name and self.environment.find_user(encode(name)) is None:
                self._unknown_home(text, name)
        return template

    def load_text(self, text: Text, empty: str | None = None) -> bytes:
        """A string whose tags are replaced now."""
        if text.value is None:
            return written(text)
        value = self.replacement.text(encode(text.value))
        self._check_empty(value, text, empty)
        return value

    def verbatim(self, text: Text) -> bytes:
        """A string whose tags are never replaced; a note where it is not known."""
        if text.value is None:
            self.unknown(text, text.span.text)
            return written(text)
        return encode(text.value)

    def load_path(self, text: Text, empty: str | None = None) -> bytes:
        """A path whose tags and `~` are replaced now."""
        if text.value is None:
            return written(text)
        try:
            value = self.replacement.path(encode(text.value))
        except UnknownUser as error:
            self._unknown_home(text, str(error))
            return b"~" + error.name
        self._check_empty(value, text, empty)
        return value

    def _unknown_home(self, text: Text, name: str) -> None:
        self.error(
            "unknown-home",
            text,
            f'there is no user "{name}", so ~{name} is nobody\'s home',
            notes=(f"fdm would write to a file called ~{name} in the working directory",),
            fdm=f"unknown user: {name}",
        )

    def listed(self, texts: tuple[Text, ...], empty: str | None) -> tuple[Template, ...]:
        """A string (which `empty` refuses if it is empty) or a list of strings, of which none may be empty."""
        if self.is_list(texts):
            empty = "empty string in list"
        return tuple(self.template(text, empty) for text in texts)

    def load_listed(self, texts: tuple[Text, ...], empty: str) -> tuple[bytes, ...]:
        """The same for strings whose tags are replaced now."""
        if self.is_list(texts):
            empty = "empty string in list"
        return tuple(self.load_text(text, empty) for text in texts)

    def is_list(self, texts: tuple[Text, ...]) -> bool:
        """Whether the strings stand in braces."""
        if len(texts) != 1:
            return bool(texts)
        span = texts[0].span
        return span.source.text[: span.start].rstrip(_BLANKS)[-1:] == "{"

    # Other literals.

    def number(self, number: Number) -> Any:
        """A number, or its unknown."""
        return (encode(number.written), UNKNOWN) if number.value is None else number.value

    def score(self, number: Number | Decimal) -> Any:
        """A number that may have decimals, or its unknown."""
        return number.value if isinstance(number, Decimal) else self.number(number)

    def known(self, number: Number) -> int | None:
        """The value of a number; a note where it is not known."""
        if number.value is None:
            self.unknown(number, number.written)
        return number.value

    def pattern(self, regexp: Regexp) -> Pattern:
        """A regexp, its tags replaced now, or its unknown."""
        text = regexp.text
        if text.value is None:
            return written(text), UNKNOWN
        source = self.load_text(text)
        try:
            return lower_regexp(source, regexp.case, "posix" if self.dialect == "posix" else "pcre")
        except RegexpError as error:
            span = None if error.offset is None else place_in(text, error.offset)
            notes: tuple[str, ...] = ()
            if span is None and error.offset is not None:
                shown = source.decode("utf-8", "backslashreplace")
                notes = (f"at octet {error.offset + 1} of the regexp {shown!r}",)
            name = "invalid-regexp" if error.refused else "unsupported-regexp"
            self.error(name, text if span is None else span, error.message, fdm=error.fdm, notes=notes)
            return source, None, 0, b"", self.dialect, regexp.case

    # Servers.

    def server(self, server: Server, service: str) -> tuple[bytes, bytes]:
        """Host and port; `service` is the port where none is written."""
        port = encode(service)
        if isinstance(server.port, Text):
            port = self.load_text(server.port, "invalid port")
        elif server.port is not None and server.port.value is None:
            port = encode(server.port.written)
        elif server.port is not None:
            value = server.port.value or 0
            port = b"%d" % value
            if not 0 < value <= _LARGEST_PORT:
                self.error("port-out-of-range", server.port, f"ports go from 1 to {_LARGEST_PORT}", fdm="invalid port")
        return self.load_text(server.host, "invalid host"), port

    def login(
        self, user: Text | None, password: Text | None, host: bytes, span: Span, needed: bool
    ) -> tuple[bytes | None, bytes | None]:
        """User and password; what is not written comes from .netrc, and must where `needed`."""
        name = None if user is None else self.load_text(user, "invalid user")
        secret = None if password is None else self.load_text(password, "invalid pass")
        if name is not None and secret is not None:
            return name, secret
        path = self.environment.me[3] + b"/.netrc"
        shown = os.fsdecode(path)
        try:
            content, exposed = self.environment.read_private(path)
        except OSError as error:
            text = f"{shown}: {os.strerror(error.errno or errno.ENOENT)}"
            self._no_login(span, text, needed)
            return name, secret
        if exposed:
            self._no_login(span, f"{shown}: world readable or writable", needed)
            return name, secret
        try:
            found_name, found_secret = look_up(content, host, name)
        except NetrcError as error:
            text = str(error)
            if text != "error reading .netrc":
                self.environment.warn(text)
            self._no_login(span, "error reading .netrc", needed)
            return name, secret
        name = found_name
        secret = found_secret if secret is None else secret
        where = host.decode("utf-8", "surrogateescape")
        if name is None:
            self._no_login(span, f'can\'t find user for "{where}" in .netrc', needed)
        elif secret is None:
            self._no_login(span, f'can\'t find pass for "{where}" in .netrc', needed)
        return name, secret

    def _no_login(self, span: Span, text: str, needed: bool) -> None:
        if needed:
            self.error("no-login", span, f"user or password is not given here: {text}", fdm=text)
        else:
            self.environment.warn(text)
