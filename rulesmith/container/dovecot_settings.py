"""Own settings of Dovecot that were written for version 2.3: named with file and line, and with what to write instead.

2.4 has other names for many of them and refuses the whole configuration; some it accepts and takes for something else:
`%u` is two letters now, and every login fails. A configuration like that is not used, but the image's own.
"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.container.dovecot_names import GONE, PARTS_OF_LOCATION, RENAMED, VARIABLES
from rulesmith.diagnostics.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

CHECK = ("doveconf", "-F", "-c")
_SETTING = re.compile(r"([A-Za-z_][\w.]*)\s*(?:=\s*(.*)|(\S.*)?\{\s*)$")
_VARIABLE = re.compile(r"%(?!%|\{)(?:[-0-9.]*)([LUETMRHNX]*)([a-zA-Z$])")
_REFERENCE = re.compile(r"(?:^|[\s,{(:=])\$(?!SET:|ENV:)(\w+)")
# strftime's, which have not changed.
_TIMES = frozenset({"log_timestamp"})
_MODIFIERS = {"L": " | lower", "U": " | upper"}


class Finding(NamedTuple):
    """`what` is wrong in a line, and what to write `instead`; `grave`: Dovecot takes it, and mail or logins fail."""

    line: int
    what: str
    instead: str
    grave: bool = False


def findings(text: str) -> Iterator[Finding]:
    """What in a file means nothing to Dovecot 2.4, or something else than before."""
    sections: list[str] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _without_comment(raw)
        if line == "}":
            del sections[-1:]
            continue
        found = _SETTING.match(line)
        if not found:
            continue
        name, value, title = found[1], found[2], (found[3] or "").strip()
        if value is None:
            for what, instead in _section(name, title):
                yield Finding(number, what, instead)
            sections.append(name)
            continue
        value = _unquoted(value)
        for what, instead in _setting(sections[-1] if sections else "", name, value):
            yield Finding(number, what, instead)
        for what, instead in _values(name, value):
            yield Finding(number, what, instead, not _of_logs(name))


def _section(name: str, title: str) -> Iterator[tuple[str, str]]:
    if name == "plugin":
        yield "`plugin {` is gone", "the settings in it by themselves, outside of any section, with their new names"
    elif name in ("passdb", "userdb", "dict") and not title:
        yield f"`{name} {{` needs a name", f"`{name} passwd-file {{`, and in it `passwd_file_path = FILE` for `args`"


def _setting(inside: str, name: str, value: str) -> Iterator[tuple[str, str]]:
    """For a setting in the section `inside`."""
    if name == "mail_location" or (name == "location" and inside == "namespace"):
        yield f"`{name}` is gone", location(value)
    elif name == "disable_plaintext_auth":
        yield f"`{name}` is gone", f"`auth_allow_cleartext = {'yes' if value == 'no' else 'no'}`"
    elif name in ("driver", "args", "override_fields", "default_fields") and inside in ("passdb", "userdb"):
        yield f"`{name}` in `{inside}` is gone", _OF_DATABASES[name]
    elif name == "address" and inside == "inet_listener":
        yield "`address` is gone", f"`listen = {value}`"
    elif name in RENAMED:
        new = RENAMED[name]
        yield f"`{name}` is gone", f"`{new} = {value.removeprefix('<').strip() if new.endswith('_file') else value}`"
    elif name in GONE:
        yield f"`{name}` is gone", GONE[name]
    elif re.fullmatch(r"imapsieve_mailbox\d+_\w+", name):
        yield (
            f"`{name}` is gone",
            "`mailbox NAME {` with `sieve_script ANY {` in it, as in learning.conf",
        )
    elif re.fullmatch(r"sieve_(before|after|default|global|dir)\d*|sieve", name):
        yield f"`{name}` is gone", "`sieve_script ANY {` with `type = …` and `path = …` in it"
    elif re.fullmatch(r"(quota|acl|fts|quota_rule|quota_warning)\d*", name) and inside != "mail_plugins":
        yield f"`{name}` is gone", f"`{name.rstrip('0123456789')} NAME {{` with its settings in it"
    elif name.endswith("_file") and value.startswith("<"):
        yield f"`{name}` takes a path", f"`{name} = {value[1:].strip()}`"


_OF_DATABASES = {
    "driver": "its value as the name of the section: `passdb passwd-file {`",
    "args": "`passwd_file_path = FILE`, and for `scheme=X` `default_password_scheme = X`",
    "override_fields": "`fields {` with a line for each field",
    "default_fields": "`fields {` with a line for each field",
}


def _of_logs(name: str) -> bool:
    """Whether it only words log lines."""
    return "log" in name or name in ("deliver_log_format", "imap_logout_format", "login_greeting")


def _values(name: str, value: str) -> Iterator[tuple[str, str]]:
    """Variables and references as they were."""
    if name in _TIMES:
        return
    for found in _VARIABLE.finditer(value):
        modifiers, letter = found.groups()
        new = VARIABLES.get(letter)
        if new is None:
            continue
        applied = "".join(_MODIFIERS.get(sign, "") for sign in modifiers)
        yield f"`{found[0]}` is taken for these very letters", f"`%{{{new}{applied}}}`"
    for found in _REFERENCE.finditer(value):
        if name in ("mail_plugins", "protocols"):
            others = [word for word in value.replace(",", " ").split() if not word.startswith("$")]
            lines = " ".join(f"{word} = yes" for word in others)
            yield f"`${found[1]}` is taken for a name", f"`{name} {{`, a line `{lines or 'NAME = yes'}` for each, `}}`"
        else:
            yield f"`${found[1]}` is taken for these very letters", f"`$SET:{found[1]}`"


def location(value: str) -> str:
    """mail_location's parts, each a setting by now."""
    driver, _, rest = value.partition(":")
    path, *options = rest.split(":")
    lines = [f"`mail_driver = {driver}`"] if driver else []
    lines += [f"`mail_path = {path}`"] if path else []
    for option in options:
        key, _, given = option.partition("=")
        lines.append(
            f"`{PARTS_OF_LOCATION[key]} = {given}`" if key in PARTS_OF_LOCATION else f"a setting for `{option}`"
        )
    return ", ".join(lines) or "`mail_driver = maildir`, `mail_path = ~/Maildir`"


def _without_comment(line: str) -> str:
    """Outside of quotes, from a # at a word's beginning."""
    quote = ""
    for place, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote and line[place - 1] != "\\" else quote
        elif sign in "\"'":
            quote = sign
        elif sign == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place].strip()
    return line.strip()


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def not_read(brought: Sequence[Path], folder: Path) -> Iterator[Path]:
    """Files that look like a configuration, but which no configuration includes."""
    includes: list[str] = []
    for path in (folder / "dovecot.conf", *brought):
        if path.is_file():
            includes += re.findall(r"^\s*!include(?:_try)?\s+(\S+)", _text(path), re.MULTILINE)
    for path in brought:
        if path.suffix != ".conf" or path == folder / "dovecot.conf":
            continue
        relative = path.relative_to(folder)
        if not any(path.match(each) if each.startswith("/") else relative.match(each) for each in includes):
            yield path


def settle(
    brought: Sequence[Path],
    folder: Path,
    put_back: Callable[[Sequence[Path]], None],
    say: Callable[[str], None],
    report: Path,
    check: Sequence[str] = CHECK,
) -> None:
    """Look at the own files in Dovecot's folder; where they cannot be used, `put_back` brings the image's own.

    What was found is said; and written into `report`, for health, where they are not used.
    """
    report.unlink(missing_ok=True)
    mine = [path for path in brought if path.is_relative_to(folder)]
    if not mine:
        return
    said = []
    unusable = False
    for path in mine:
        if path.suffix != ".conf" or not path.is_file():
            continue
        text = _text(path)
        if path == folder / "dovecot.conf" and "dovecot_config_version" not in text:
            said.append(
                f"{_shown(path)}: this is a whole configuration of Dovecot 2.3; keep your own settings in local.conf"
            )
        for found in findings(text):
            unusable = unusable or found.grave
            said.append(f"{_shown(path)}:{found.line}: {found.what} in Dovecot 2.4; write {found.instead}")
    said += [
        f"{_shown(path)}: nothing includes this file; what is in local.conf is read" for path in not_read(mine, folder)
    ]
    refusal = _refusal(folder, check)
    if refusal:
        said.append(f"Dovecot refuses it: {refusal}")
    if refusal or unusable:
        put_back(mine)
        said.append("Dovecot runs with the image's own configuration until that is repaired")
        report.write_text(json.dumps({"problems": said}))
    for sentence in said:
        say(sentence)


def _refusal(folder: Path, check: Sequence[str]) -> str:
    """What Dovecot itself says against its configuration."""
    asked = subprocess.run([*check, folder / "dovecot.conf"], capture_output=True, check=False)
    if asked.returncode == 0:
        return ""
    words = asked.stderr.decode("utf-8", "surrogateescape").strip().split("\n")[-1]
    words = words.removeprefix("doveconf: Fatal: ").replace(str(folder), f"/config{folder}")
    return printable(words) or f"doveconf ends with {asked.returncode}"


def _text(path: Path) -> str:
    return path.read_text("utf-8", "surrogateescape")


def _shown(path: Path) -> str:
    """Where the administrator has it."""
    return printable(f"/config{path}")


def problems(report: Path) -> list[str]:
    """What the last start has written down, where own settings could not be used."""
    try:
        found: list[str] = json.loads(report.read_text())["problems"]
    except FileNotFoundError:
        return []
    return found
