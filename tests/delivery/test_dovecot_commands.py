"""Which commands Dovecot's LMTP server can do the work of, and what it makes of a message."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rulesmith.delivery.dovecot import changes, sender_of, target

D = b"/usr/libexec/dovecot/deliver"


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (D + b" -d user@example.com", (b"user@example.com", b"")),
        (D + b" -d user@example.com -m Received", (b"user@example.com", b"Received")),
        (D + b" -m Received -d user@example.com ", (b"user@example.com", b"Received")),
        (b"/usr/lib/dovecot/dovecot-lda -d user", (b"user", b"")),
        (D + b" -d 'user@example.com' -m \"Lists.py\"", (b"user@example.com", b"Lists.py")),
        (D + b" -d user@example.com -m Lists/py", (b"user@example.com", b"Lists/py")),
        (b"deliver -d user", None),
        (b"/usr/bin/deliver -d user", None),
        (D, None),
        (D + b" -m Received", None),
        (D + b" -d User@example.com", None),
        (D + b" -d user+x@example.com", None),
        (D + b" -d user -d other", None),
        (D + b" -d user -m 'a b'", None),
        (D + b' -d user -m "it\'s"', None),
        (D + b" -d user -m a..b", None),
        (D + b" -d user -m .a", None),
        (D + b" -d user -m ''", None),
        (D + b" -d user -m \xc3\xa4", None),
        (D + b" -d user -m $FOLDER", None),
        (D + b' -d user -m "$FOLDER"', None),
        (D + b" -d user -m `id`", None),
        (D + b" -d user -e", None),
        (D + b" -d user -f a@x", None),
        (D + b" -d user; true", None),
        (D + b" -d user || true", None),
        (D + b" -d user >/dev/null", None),
        (D + b" -d user\ntrue", None),
        (b"cat | " + D + b" -d user", None),
    ],
)
def test_only_a_plain_delivery_goes_there(command: bytes, found: tuple[bytes, bytes] | None) -> None:
    assert target(command) == found


_COMMAND = re.compile(
    rb"[ \t]*/usr/(?:libexec|lib)/dovecot/(?:deliver|dovecot-lda)"
    rb"((?:[ \t]+-[dm][ \t]+(?:[\w@.%+=:,/-]+|'[^'\n]*'|\"[^\"\\$`\n]*\"))+)[ \t]*",
    re.ASCII,
)
_OPTION = re.compile(rb"-([dm])[ \t]+(?:'([^']*)'|\"([^\"]*)\"|([^ \t]+))")
_USER = re.compile(rb"[a-z0-9][a-z0-9._-]*(?:@[a-z0-9.-]+)?")
_FOLDER = re.compile(rb"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")


def by_regexp(command: bytes) -> tuple[bytes, bytes] | None:
    """What `target` says, by regexps."""
    found = _COMMAND.fullmatch(command)
    if found is None:
        return None
    values: dict[bytes, bytes] = {}
    for option, single, double, plain in _OPTION.findall(found[1]):
        if option in values:
            return None
        values[option] = single or double or plain
    user, folder = values.get(b"d", b""), values.get(b"m", b"")
    if not _USER.fullmatch(user) or not (b"m" not in values or _FOLDER.fullmatch(folder)):
        return None
    return user, folder


_BLANK = st.sampled_from([b" ", b"\t", b"  "])
_SIGN = st.sampled_from([b"a", b"Z", b"0", b"_", *(bytes([octet]) for octet in b"-.@+/%=:,'\"\\$`;|&~*\n\r \t\0\xe4")])
_PROGRAM = st.sampled_from([D, b"/usr/lib/dovecot/dovecot-lda", b" " + D])
_USERS = st.sampled_from([b"user", b"user@example.com", b"u.s_e-r@h"])
_FOLDERS = st.sampled_from([b"Received", b"a.b", b"A/b-c_d", b"-m"])
_QUOTES = st.sampled_from([b"%s", b"'%s'", b'"%s"'])


@st.composite
def commands_nearly_right(draw: st.DrawFn) -> bytes:
    """Right ones, with a sign more, less or changed here and there."""
    options = [(b"-d", draw(_USERS)), (b"-m", draw(_FOLDERS))][: draw(st.integers(0, 2))]
    if draw(st.booleans()):
        options.reverse()
    words = (draw(_BLANK) + flag + draw(_BLANK) + draw(_QUOTES) % value for flag, value in options)
    line = draw(_PROGRAM) + b"".join(words) + draw(st.sampled_from([b"", b"\t"]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.one_of(st.just(b""), _SIGN)) + line[at + draw(st.integers(0, 1)) :]
    return line


@given(st.one_of(commands_nearly_right(), st.binary()))
@example(D + b" -d 'user'-m a")
@example(D + b" -d user'x'")
@example(D + b" -d -m -m -d")
@example(D + b" -d '-m a'")
@example(D + b" -m 'a\tb' -d user")
@example(D + b" -d user -m")
@example(D + b" -d ")
def test_a_command_is_read_as_a_regexp_would_read_it(command: bytes) -> None:
    assert target(command) == by_regexp(command)


_BEGIN = re.compile(rb"[!-9;-~]+:")
_SENDER = re.compile(rb"<([A-Za-z0-9.!#$&*+/=?^_{}~-]+@[A-Za-z0-9.-]+)>")


@given(st.one_of(st.binary(), st.text("aA-: \t\n\r\x00\x1f!~\x7f").map(str.encode)))
def test_a_message_begins_as_a_regexp_would_say(raw: bytes) -> None:
    assert changes(raw + b"\n") == (not _BEGIN.match(raw + b"\n") or b"\r" in raw or b"\0" in raw)


@given(st.text('aZ0.@<> !+~-"(\t\x0b\x7f\xe4').map(lambda text: text.encode("latin-1")))
@example(b"<a@b>")
@example(b" <a@b>\t")
@example(b"<a@b@c>")
@example(b"<>")
@example(b"<@b>")
@example(b"<")
def test_a_sender_is_read_as_a_regexp_would_read_it(value: bytes) -> None:
    found = _SENDER.fullmatch(value.strip())
    assert sender_of(b"Return-Path: " + value + b"\n\nx\n") == (found[1] if found else b"")
