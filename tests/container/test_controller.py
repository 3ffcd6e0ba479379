"""The password of the web interface: every form, and what is no password."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulesmith.container.accounts import Account
from rulesmith.container.controller import chosen, configuration, settle

HASH = "$2$rhpb4naqycoshygfpe6b48wwejiakk3w$zhf6bbeo4djibusp9zx7aahym8sim8dx41byyizc3kspr48wdb9y"
ME = Account(os.geteuid(), os.getegid())


@pytest.mark.parametrize(
    ("environment", "password"),
    [
        ({"RSPAMD_PASSWORD": "a b"}, "a b"),
        ({"RSPAMD_PASSWORD_ENC": HASH}, HASH),
        ({"RSPAMD_PASSWORD": "x", "RSPAMD_PASSWORD_ENC": HASH}, "x"),
        ({"RSPAMD_PASSWORD": ""}, None),
        ({}, None),
    ],
)
def test_what_counts(environment: dict[str, str], password: str | None) -> None:
    said: list[str] = []
    assert chosen(environment, said.append) == password
    assert said == []


@pytest.mark.parametrize("name", ["RSPAMD_PASSWORD", "RSPAMD_PASSWORD_ENC"])
def test_a_file_holds_it(tmp_path: Path, name: str) -> None:
    file = tmp_path / "secret"
    file.write_text(HASH + "\r\nnot this\n")
    said: list[str] = []
    assert chosen({name + "_FILE": str(file)}, said.append) == HASH
    assert said == []


def test_a_file_that_is_missing_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert chosen({"RSPAMD_PASSWORD_FILE": str(tmp_path / "none")}, said.append) is None
    assert "No such file" in said[0]


def test_a_hash_whose_dollars_compose_has_eaten_is_said() -> None:
    said: list[str] = []
    assert chosen({"RSPAMD_PASSWORD_ENC": "$rhpb"}, said.append) is None
    assert "$$" in said[0]
    assert "rhpb" not in said[0]


def test_a_password_cannot_end_its_string() -> None:
    assert configuration('a"; evil = "\\').endswith('\npassword = "a\\"; evil = \\"\\\\";\n')


def test_no_other_line_can_be_put_in() -> None:
    said: list[str] = []
    assert chosen({"RSPAMD_PASSWORD": "a\nb"}, said.append) is None
    assert "printable" in said[0]


def test_only_with_a_password_it_listens_to_the_outside(tmp_path: Path) -> None:
    target, own = tmp_path / "controller.inc", tmp_path / "own.inc"
    settle({"RSPAMD_PASSWORD": "x"}, own, target, ME, print)
    assert target.stat().st_mode & 0o777 == 0o640
    assert '"*:11334"' in target.read_text()
    settle({}, own, target, ME, print)
    assert "*" not in target.read_text()
    assert "password" not in target.read_text()
    own.write_text('# password = "a";\n')
    settle({}, own, target, ME, print)
    assert "*" not in target.read_text()
    own.write_text('a = 1;\n  password = "a";\n')
    settle({}, own, target, ME, print)
    assert '"*:11334"' in target.read_text()
    assert "password" not in target.read_text()
