"""The settings that fdm does not have: what they accept, what they come to, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from rulesmith.compiler.compile import Compiled, compile_text
from rulesmith.compiler.dump import dump
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.syntax.parser import parse
from rulesmith.syntax.printer import print_config
from rulesmith.syntax.world import MemoryWorld

DEFER = ("defer", 7200)
FAILURES = {"unreachable": DEFER, "timeout": DEFER, "error": DEFER, "oversized": ("deliver", None)}


def compiled(text: str) -> Compiled:
    return compile_text("conf", text, Imagined(Holdings()))


def settings(text: str) -> dict[str, Any]:
    found = compiled(text).program
    assert found is not None
    return found[0]


def test_nothing_is_queued_or_scanned_that_is_not_asked_for() -> None:
    usual = settings("")
    assert (usual["queue"], usual["journal"], usual["scan"], usual["scan-maximum-size"]) == (None, None, None, 50 << 20)
    assert (usual["queue-tries"], usual["queue-time"], usual["problem-mailbox"]) == (20, 86400, b"Problem")
    assert (usual["dovecot"], usual["dovecot-folders"]) == (None, False)
    assert (usual["scan-timeout"], usual["scan-failure"], usual["trusted-hops"]) == (10, FAILURES, ())


ACCEPTED = [
    ('set queue "/var/spool/q"', "queue", b"/var/spool/q"),
    ('set queue "~/q"', "queue", b"/home/user/q"),
    ('set queue "/q" set queue ""', "queue", None),
    ('set journal "%h/j"', "journal", b"/home/user/j"),
    ('set problem-mailbox "Spam/Odd"', "problem-mailbox", b"Spam/Odd"),
    ('set problem-mailbox "~/Maildir/.Problem"', "problem-mailbox", b"~/Maildir/.Problem"),
    ('set problem-mailbox ""', "problem-mailbox", b""),
    ("set queue-tries 3", "queue-tries", 3),
    ("set queue-time 2 days", "queue-time", 2 * 86400),
    ('set scan "http://127.0.0.1:11333"', "scan", b"http://127.0.0.1:11333"),
    ('set scan "http://[::1]:11333/"', "scan", b"http://[::1]:11333"),
    ('set scan "http://rspamd"', "scan", b"http://rspamd"),
    ('set scan "unix:/run/rspamd/worker.sock"', "scan", b"unix:/run/rspamd/worker.sock"),
    ('set scan "unix:/s" set scan ""', "scan", None),
    ("set scan-timeout 1 minute", "scan-timeout", 60),
    ("set scan-maximum-size 5M", "scan-maximum-size", 5 << 20),
    ("set scan-failure deliver", "scan-failure", dict.fromkeys(FAILURES, ("deliver", None))),
    ("set scan-failure oversized defer", "scan-failure", FAILURES | {"oversized": ("defer", None)}),
    ("set scan-failure timeout defer", "scan-failure", FAILURES | {"timeout": ("defer", None)}),
    ("set scan-failure error defer 5 minutes", "scan-failure", FAILURES | {"error": ("defer", 300)}),
    (
        "set scan-failure error deliver set scan-failure defer 2 hours",
        "scan-failure",
        dict.fromkeys(FAILURES, ("defer", 7200)),
    ),
    ('set trusted-hops "192.0.2.1"', "trusted-hops", ((None, (b"192.0.2.1",)),)),
    (
        'set trusted-hops { "2001:db8::/32" "*.example.com" } set trusted-hops account "g*" "10.0.0.0/8"',
        "trusted-hops",
        ((None, (b"2001:db8::/32", b"*.example.com")), (b"g*", (b"10.0.0.0/8",))),
    ),
    (
        'account "a" stdin set trusted-hops account "a" "one" set trusted-hops account "a" "two"',
        "trusted-hops",
        ((b"a", (b"two",)),),
    ),
    ('set dovecot "/run/dovecot/lmtp"', "dovecot", b"/run/dovecot/lmtp"),
    ('set dovecot "~/lmtp"', "dovecot", b"/home/user/lmtp"),
    ('set dovecot "/s" set dovecot ""', "dovecot", None),
    ("set dovecot-folders set dovecot-folders", "dovecot-folders", True),
]


@pytest.mark.parametrize(("text", "option", "value"), ACCEPTED)
def test_a_setting_comes_to_its_value(text: str, option: str, value: object) -> None:
    assert settings(text)[option] == value


@pytest.mark.parametrize("text", [text for text, _, _ in ACCEPTED])
def test_a_setting_survives_being_printed(text: str) -> None:
    config, findings = parse("conf", text, MemoryWorld())
    assert not findings
    assert parse("conf", print_config(config), MemoryWorld())[0] == config


REFUSED = [
    ('set queue "q"', "the queue needs an absolute path: it must be the same folder wherever a run is started"),
    ('set journal "../j"', "the journal needs an absolute path: it must be the same folder wherever a run is started"),
    ('set problem-mailbox "-rf"', "a folder that begins with `-` would be an option to the delivery agent"),
    ('set problem-mailbox "a\\nb"', "the name of a mailbox has no control characters"),
    ("set queue-tries 0", "each message is tried at least once: queue-tries cannot be 0"),
    ("set queue-tries 1000001", "queue-tries is at most 1000000"),
    ('set scan "https://host:1"', "this is not the address of a spam scanner"),
    ('set scan "http://host:65536"', "this is not the address of a spam scanner"),
    ('set scan "http://host:1/checkv2"', "this is not the address of a spam scanner"),
    ('set scan "unix:relative"', "this is not the address of a spam scanner"),
    ("set scan-timeout 0", "with a scan-timeout of 0 every scan would fail"),
    ("set scan-timeout 2 hours", "scan-timeout is at most 3600 seconds"),
    ("set scan-maximum-size 0", "with a scan-maximum-size of 0 nothing would be scanned"),
    ("set scan-failure defer 0", "to defer for no time is to deliver: write `deliver`"),
    ('set trusted-hops "10.0.0.0/33"', '"10.0.0.0/33" is no address, network or host name'),
    ('set trusted-hops "10.0.0.0/255.0.0.0"', '"10.0.0.0/255.0.0.0" is no address, network or host name'),
    ('set trusted-hops { "a b" }', '"a b" is no address, network or host name'),
    ('set dovecot "lmtp"', "the socket of Dovecot's LMTP server needs an absolute path"),
    (f'set dovecot "/{"s" * 107}"', "the path of a socket has at most 107 octets, and this has 108"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_a_setting_that_cannot_be_is_refused_with_one_sentence(text: str, message: str) -> None:
    found = compiled(text)
    assert found.program is None
    assert [each.message for each in found.diagnostics] == [message]


def test_hops_of_an_account_that_nobody_has_are_reported() -> None:
    (found,) = compiled('set trusted-hops account "stdni" "h" account "stdin" stdin').diagnostics
    assert (found.name, found.help) == ("unknown-account", 'did you mean "stdin"?')


def test_a_value_that_a_command_gives_is_not_guessed() -> None:
    found = compiled("set queue $(x) set scan $(y) set queue-tries %(z) set dovecot $(w)")
    assert [each.name for each in found.diagnostics] == ["unknown-value"] * 4
    assert found.program is not None
    names = ("queue", "scan", "queue-tries", "dovecot")
    assert [found.program[0][name] for name in names] == [None, None, 20, None]


def options_line(text: str) -> str:
    return dump(compiled(text), b"user")[-1][1].decode()


def test_what_is_not_set_is_not_shown() -> None:
    assert options_line("").endswith("""strip-characters="\\<>$%^&*|{}[]\"'`;\"""")


def test_what_is_set_is_shown_behind_what_fdm_shows() -> None:
    text = (
        'set queue "/q" set queue-tries 5 set scan "unix:/s" set scan-failure error deliver\n'
        'set trusted-hops { "a" "b" } set trusted-hops account "x" "c" account "x" stdin\n'
        'set dovecot-folders set dovecot "/d"'
    )
    assert options_line(text).partition('`;", ')[2] == (
        'queue="/q", queue-tries=5, scan="unix:/s", '
        "scan-failure=unreachable defer 7200 timeout defer 7200 error deliver oversized deliver, "
        'trusted-hops={ "a" "b" } account "x" { "c" }, dovecot="/d", dovecot-folders'
    )


@pytest.mark.parametrize("word", ["spam", "queue", "score", "scan", "deliver", "error"])
def test_a_text_that_lacks_its_quotes_is_told_as_fdm_tells_it(word: str) -> None:
    for text, at in ((f"match all action {word}", 17), (f"match all action maildir {word}/x", 25)):
        (found,) = parse("conf", text, MemoryWorld())[1]
        assert (found.name, found.fdm, found.at.span.start) == ("unknown-word", f"unknown token: {word}", at)
        assert found.help is not None
        assert found.help.startswith("put a text in quotes")


def test_a_forgotten_quote_is_still_found() -> None:
    text = 'match "^X: yes in headers action "a"\nmatch all action "{}"\nmatch all action drop\n'
    told = [
        [(found.name, found.at.span.start) for found in parse("conf", text.format(word), MemoryWorld())[1]]
        for word in ("spam", "spom")
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("text", ["set timeout 5.5", "match size > 5.5 action drop", "match age < -5 action drop"])
def test_decimals_and_signs_are_for_scores_alone(text: str) -> None:
    (found, *_) = parse("conf", text, MemoryWorld())[1]
    assert found.fdm in ("unexpected character: .", "unknown token: -5")
