"""The checks of `--online` have pages of bad and good forms as well, each below a block that says what the machine has.

```machine
folders: / /home       the folders that are there, and so on; a kind that is not named cannot be told
writable: /home
programs: deliver
users: me
mailboxes: me/Lists
sockets: /run/dovecot/lmtp
dovecot: alike folders  what doveconf says: the same settings for both ways, and a detail is a folder; `divides`: a part
                        of a name may be a detail
```
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from rulesmith import lint
from rulesmith.lint.table import ONLINE
from tests.lint.spec import ACCOUNT, FOLDER, STDIN, compiled

_BLOCK = re.compile(r"^```(machine|fdm)([a-z ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"(?:[ \t]*# <- [a-z-]+(?::[^#\n]*)?)+$", re.MULTILINE)
_MARK = re.compile(r"# <- ([a-z-]+)(?:: ([^#\n]*[^#\s]))?")


@dataclass(frozen=True)
class Described:
    """A machine that is what a block says."""

    has: dict[str, frozenset[str]]

    def _is(self, kind: str, name: str) -> bool | None:
        return name in self.has[kind] if kind in self.has else None

    def program(self, name: str) -> bool | None:
        return self._is("programs", name)

    def folder(self, path: bytes) -> bool | None:
        return self._is("folders", path.decode())

    def writable(self, path: bytes) -> bool | None:
        return self._is("writable", path.decode())

    def mail_user(self, name: str) -> bool | None:
        return self._is("users", name)

    def mailbox(self, user: str, name: str) -> bool | None:
        return self._is("mailboxes", f"{user}/{name}")

    def socket(self, path: bytes) -> bool | None:
        return self._is("sockets", path.decode())

    def delivers_alike(self) -> bool | None:
        return self._is("dovecot", "alike")

    def divides_names(self) -> bool | None:
        return self._is("dovecot", "divides")

    def has_folders(self) -> bool | None:
        return self._is("dovecot", "folders")


@dataclass(frozen=True)
class Form:
    name: str
    line: int
    text: str
    machine: Described

    @property
    def marks(self) -> list[tuple[int, str, str | None]]:
        lines = enumerate(self.text.splitlines(), start=1)
        return [(number, mark[1], mark[2]) for number, line in lines for mark in _MARK.finditer(line)]


def _machine(text: str) -> Described:
    lines = (line.partition(": ") for line in text.splitlines())
    return Described({kind: frozenset(names.split()) for kind, _, names in lines})


def _forms(path: Path) -> list[Form]:
    found, machine = [], Described({})
    text = path.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        if block[1] == "machine":
            machine = _machine(block[3])
            continue
        head = STDIN if "stdin" in block[2] else ACCOUNT
        line = text.count("\n", 0, block.start()) + 1
        found.append(Form(path.stem, line, head + block[3], machine))
    return found


FORMS = [form for path in sorted((FOLDER / "online").glob("*.md")) for form in _forms(path)]


@pytest.mark.parametrize("form", FORMS, ids=[f"{form.name}:{form.line}" for form in FORMS])
def test_a_form_is_reported_where_it_is_marked_and_nowhere_else(form: Form) -> None:
    config = compiled(_MARKS.sub("", form.text))
    assert config.refusal is None, config.refusal
    found = lint.findings(config, None, form.machine)
    told = [(each.at.span.line, each.name, each.at.span.text) for each in found if each.name in ONLINE]
    assert [each[:2] for each in told] == [mark[:2] for mark in form.marks], [each.message for each in found]
    for (_, _, text), (_, _, marked) in zip(told, form.marks, strict=True):
        assert marked is None or text == marked


@pytest.mark.parametrize("form", [form for form in FORMS if form.marks], ids=lambda form: f"{form.name}:{form.line}")
def test_nothing_is_reported_of_a_machine_that_cannot_tell(form: Form) -> None:
    found = lint.findings(compiled(_MARKS.sub("", form.text)), None, Described({}))
    assert not [each.name for each in found if each.name in ONLINE]


@pytest.mark.parametrize("name", ONLINE)
def test_a_check_has_bad_and_good_forms(name: str) -> None:
    own = [form for form in FORMS if form.name == name]
    assert any(form.marks for form in own)
    assert any(not form.marks for form in own)
