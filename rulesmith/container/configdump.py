"""What fetchmail itself makes of a fetchmailrc: `fetchmail --configdump`, which prints Python source."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rulesmith.container.passwd import Refused
from rulesmith.container.rc_words import Kind, words

if TYPE_CHECKING:
    from rulesmith.container.places import Places

Record = dict[str, Any]

PATIENCE = 20  # seconds


@dataclass(frozen=True)
class Dump:
    """A file with its `defaults` worked in."""

    settings: Record
    # Each with its `users`.
    servers: list[Record]


def dump(places: Places, user: str, text: str, own_idfile: bool = False) -> Dump:
    """Let fetchmail read a file as it will when it runs. Raises Refused with what it says against it.

    With `own_idfile` it also looks at the file of UIDs that the text names.
    """
    argv = [*places.fetchmail, "--configdump", "--nodetach", "--nosyslog", "-f", "-"]
    argv += ["--pidfile", str(places.home(user) / "configdump.pid")]
    argv += [] if own_idfile else ["--idfile", "/dev/null"]
    try:
        done = subprocess.run(
            argv,
            input=plain(text).encode("ascii"),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=environment(places, user),
            cwd="/",
            **as_mail(places),
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"fetchmailrc: fetchmail has not read it within {PATIENCE} seconds") from None
    if done.returncode:
        said = _without_secrets(done.stderr.decode(errors="backslashreplace")).splitlines()
        raise Refused(*(said or [f"fetchmailrc: fetchmail --configdump ended with {done.returncode}"]))
    return read(done.stdout.decode("latin-1"))


_STOPPED = re.compile(r"(fetchmailrc:[0-9]+: [a-z ]+ at )(.*)", re.DOTALL)


def _without_secrets(said: str) -> str:
    """What fetchmail says of a file: the word at which it does not go on may be a piece of a password."""
    found = _STOPPED.search(said.replace("fetchmail:-:", "fetchmailrc:"))
    if not found:
        return said
    word = found[2].strip()
    of_the_language = [each.kind for each in words(word)] not in ([Kind.STRING], [Kind.NUMBER]) and word.isalpha()
    shown = word if of_the_language or word == "end of input" else "a word that is not shown, as it may be secret"
    return found.string[: found.start()] + found[1] + shown


def environment(places: Places, user: str) -> dict[str, str]:
    """What fetchmail and what it starts see, and what a check sees too."""
    home = str(places.home(user))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RSPAMD_PASSWORD")}
    return kept | {"HOME": home, "FETCHMAILHOME": home, "USER": places.mail_name, "LOGNAME": places.mail_name}


def as_mail(places: Places) -> dict[str, Any]:
    """Arguments for subprocess: nothing of a user's is ever run by root."""
    if os.geteuid() != 0:
        return {}
    return {"user": places.mail.uid, "group": places.mail.gid, "extra_groups": []}


def plain(text: str) -> str:
    """The same file with every octet above ASCII, and every Q, as Q and two digits: they survive being printed.

    fetchmail 6.4 prints what lies somewhere in its memory for such an octet.
    """
    made = []
    done = 0
    for word in words(text):
        if word.kind is Kind.STRING:
            made += [_PLAIN_SOURCE.sub(_coded, text[done : word.start])]
            made += [_ESCAPES.sub(_coded_escape, text[word.start : word.end])]
            done = word.end
    return "".join(made) + _PLAIN_SOURCE.sub(_coded, text[done:])


# Letters outside of strings, and inside them, with the escapes of fetchmail's strings.
_PLAIN_SOURCE = re.compile(r"[Q\x80-\xff]")
_ESCAPES = re.compile(
    r"\\(?:[xX](?P<hexadecimal>[0-9a-fA-F]{1,2})|(?P<octal>0[0-7]{0,2})|(?P<decimal>[1-9][0-9]{0,2})|(?s:.))"
    r"|[Q\x80-\xff]"
)
_CODED = re.compile("Q([0-9a-f]{2})")
_BASES = {"hexadecimal": 16, "octal": 8, "decimal": 10}


def _coded(found: re.Match[str]) -> str:
    return f"Q{ord(found[0]):02x}"


def _coded_escape(found: re.Match[str]) -> str:
    if found.lastgroup is None:
        return _PLAIN_SOURCE.sub(_coded, found[0])
    value = int(found[found.lastgroup], _BASES[found.lastgroup]) & 0xFF
    return f"Q{value:02x}" if value >= 0x80 or value == ord("Q") else found[0]


def _decoded(value: Any) -> Any:
    """The octets again, in all strings of what was printed."""
    if isinstance(value, str):
        return _CODED.sub(lambda found: chr(int(found[1], 16)), value)
    if isinstance(value, list):
        return [_decoded(each) for each in value]
    return {key: _decoded(each) for key, each in value.items()} if isinstance(value, dict) else value


def read(printed: str) -> Dump:
    """What was printed. Raises Refused where it is no Python after all."""
    lines = [_mended(line) for line in printed.splitlines()]
    try:
        source = ast.parse("\n".join(lines))
        value = next(
            statement.value
            for statement in source.body
            if isinstance(statement, ast.Assign)
            and isinstance(statement.targets[0], ast.Name)
            and statement.targets[0].id == "fetchmailrc"
        )
        settings = _decoded(ast.literal_eval(_Truth().visit(value)))
    except (SyntaxError, ValueError, StopIteration) as error:
        raise Refused(f"fetchmailrc: what fetchmail --configdump prints cannot be read: {error}") from None
    servers = settings.pop("servers")
    return Dump(settings, servers)


def _mended(line: str) -> str:
    """Local names are printed without care for quotation marks; as we only compare them, the text itself will do."""
    name, colon, value = line.strip().partition(":")
    return f"{name}: {value.removesuffix(',')!r}," if name == "'localnames'" and colon else line


class _Truth(ast.NodeTransformer):
    """TRUE and FALSE are variables that the first line printed sets to 1 and 0."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in ("TRUE", "FALSE"):
            return ast.copy_location(ast.Constant(node.id == "TRUE"), node)
        return node
