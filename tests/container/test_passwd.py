"""What a user's passwd file becomes for Dovecot."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rulesmith.container.passwd import Refused, line, password, write
from rulesmith.container.places import Places


def hidden(text: str) -> str:
    return "{PLAIN.B64}" + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("{PLAIN}password\n", hidden("password")),
        ("  {PLAIN}password \r\n\n", hidden("password")),
        ("\ufeff{plain}a:b", hidden("a:b")),
        ("{PLAIN}pa ss  wo:rd", hidden("pa ss  wo:rd")),
        ('{PLAIN}it\'s "a\\b"', hidden('it\'s "a\\b"')),
        ("{CLEARTEXT}ü", hidden("ü")),
        ("{PLAIN}{PLAIN}", hidden("{PLAIN}")),
        ("{PLAIN.B64}cGFzcw==", "{PLAIN.B64}cGFzcw=="),
        ("$6$pu01GtapWT3f.i0N$Vf9Bu.JC8YpJ/x\n", "$6$pu01GtapWT3f.i0N$Vf9Bu.JC8YpJ/x"),
        ("{SHA512-CRYPT}$6$a$b", "{SHA512-CRYPT}$6$a$b"),
        ("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y", "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y"),
        ("*", "*"),
    ],
)
def test_a_password_is_kept_as_it_is(content: str, field: str) -> None:
    assert password(content.encode()) == field


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "passwd: it is empty, and nobody can log in without a password"),
        (b" \r\n\n", "passwd: it is empty, and nobody can log in without a password"),
        (b"{PLAIN}\n", "passwd: there is no password after {PLAIN}"),
        (b"one\ntwo\n", "passwd: it has several lines; one password is one line"),
        (b"{SHA}a:b", "passwd: there is a colon in it, which only {PLAIN} passwords may have"),
        (b"user:$6$a$b", "passwd: there is a colon in it, which only {PLAIN} passwords may have"),
        (b"{PLAIN}a\0b", "passwd: there is a control character in the password"),
        (b"{PLAIN}\xff", "passwd: it is not UTF-8 text"),
    ],
)
def test_what_cannot_be_used_is_refused_without_being_shown(content: bytes, why: str) -> None:
    with pytest.raises(Refused) as refused:
        password(content)
    assert refused.value.lines == (why,)


def test_a_line_is_found_under_the_name_that_dovecot_looks_for() -> None:
    assert line("User@Example.COM", "x") == "user@example.com:x::::::\n"
    assert line("Ünï", "x") == "Ünï:x::::::\n"


def test_the_list_is_replaced_in_one_step(tmp_path: Path) -> None:
    places = Places(passwd=tmp_path / "passwd")
    assert write(places, ["b\n", "a\n"])
    before = places.passwd.stat().st_ino
    assert places.passwd.read_text() == "a\nb\n"
    assert not write(places, ["a\n", "b\n"])
    assert places.passwd.stat().st_ino == before
    with places.passwd.open() as old:
        assert write(places, ["c\n"])
        assert old.read() == "a\nb\n"
    assert [path.name for path in tmp_path.iterdir()] == ["passwd"]
