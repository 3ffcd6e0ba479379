"""Single lines of the log: what goes, what stays, what must not be seen. Samples are the daemons' own."""

from __future__ import annotations

import pytest

from rulesmith.container.fetching import Fetching
from rulesmith.container.lines import Reading, whose

PLAIN = Reading()


def _texts(pipe: str, line: str, reading: Reading = PLAIN) -> list[str]:
    fetching = Fetching(0) if pipe.startswith("fetch:") else None
    return [each.text for each in reading.lines(pipe, line.encode(), fetching, 0.0)]


@pytest.mark.parametrize(
    ("pipe", "line", "text"),
    [
        (
            "dovecot",
            "Nov 22 17:00:00 master: Info: Dovecot v2.4.1-4 (7d8c0bc3ab) starting up for imap, lmtp",
            "master: Info: Dovecot v2.4.1-4 (7d8c0bc3ab) starting up for imap, lmtp",
        ),
        (
            "dovecot",
            "Nov  2 07:00:00 imap-login: Info: Login: user=<a b>, method=PLAIN, rip=10.0.0.1",
            "imap-login: Info: Login: user=<a b>, method=PLAIN, rip=10.0.0.1",
        ),
        (
            "rspamd",
            "2026-11-22 17:00:00 #14(main) <xw6jjq>; main; main: rspamd 3.12.1 is starting now, build id: release",
            "main: main; main: rspamd 3.12.1 is starting now, build id: release",
        ),
        (
            "rspamd",
            "2026-11-22 17:00:00.123 #17(normal) rspamd_redis_connected: cannot connect",
            "normal: rspamd_redis_connected: cannot connect",
        ),
        (
            "redis",
            "8:M 22 Nov 2026 17:00:00.123 * Ready to accept connections unix",
            "Ready to accept connections unix",
        ),
        ("redis", "8:signal-handler (1795368963) Received SIGTERM", "8:signal-handler (1795368963) Received SIGTERM"),
        ("keeper", "user@example.com: fdm.conf:3:1: error", "user@example.com: fdm.conf:3:1: error"),
        (
            "fetch:u:0",
            "Nov 22 17:00:00 lda(user@example.com)<12><AbC>: Info: msgid=<1@x>: saved mail to INBOX",
            "lda(user@example.com)<12><AbC>: Info: msgid=<1@x>: saved mail to INBOX",
        ),
        (
            "queue",
            "stdin: /usr/libexec/dovecot/deliver -d a: Nov 22 18:51:51 lda(a)<2><>: Error: no socket",
            "stdin: /usr/libexec/dovecot/deliver -d a: lda(a)<2><>: Error: no socket",
        ),
        ("fetch:u:0", "stdin: scan: rspamd does not answer", "stdin: scan: rspamd does not answer"),
        ("queue", "1795.1.2: cannot be read: Input/output error", "1795.1.2: cannot be read: Input/output error"),
    ],
)
def test_a_line_without_the_services_own_time(pipe: str, line: str, text: str) -> None:
    assert _texts(pipe, line) == [text]


@pytest.mark.parametrize(
    ("pipe", "line"),
    [
        (
            "rspamd",
            "2026-11-22 17:00:00 #17(normal) <a1b2c3>; task; rspamd_task_write_log: id: <1@x>, from: <>, (default:",
        ),
        (
            "dovecot",
            (
                "Nov 22 18:46:04 imap-login: Info: Login aborted: Logged out (no auth attempts in 0 secs) (x):"
                " user=<>, rip=127.0.0.1, lip=127.0.0.1, secured, session=<0k0cDeFgqMN/AAAB>"
            ),
        ),
        ("dovecot", "Nov 22 18:46:04 auth(#nobody): Info: passwd-file: unknown user"),
        ("dovecot", "Nov 22 18:46:04 lmtp(129): Info: Disconnect from local: Logged out (state=GREETING)"),
        ("fetch:u:0", "stdin: got message 1: size 245, body 200"),
        ("fetch:u:0", "stdin: message 1 delivered (rule 0, pipe) in 0.021 seconds"),
        ("fetch:u:0", "stdin: deleting message 1"),
        ("queue", "stdin: keeping message 1"),
        ("queue", "stdin: fetching error. aborted"),
        ("fetch:u:0", "stdin: the message stays in the queue (1.2.3): deliver -d a: command returned 75"),
        ("fetch:u:0", "stdin: /usr/libexec/dovecot/deliver -d a: command returned 75"),
        ("fetch:u:0", "version is: fdm 2.2 (rulesmith 0.1.0), started at: Sun Nov 22 18:51:36 2026"),
        ("fetch:u:0", " #"),
        ("queue", "stdin: 1 messages processed (0 kept) in 0.021 seconds (average 0.021)"),
        ("fetch:u:0", "stdin: /usr/libexec/dovecot/deliver: lda(a)<1><b>: Info: msgid=<1@x>: saved mail to INBOX"),
        ("fetch:u:0", "fetchmail: IMAP> A0001 CAPABILITY"),
        ("fetch:u:0", "fetchmail: sleeping at Sun Nov 22 17:36:03 2026 for 60 seconds"),
        ("fetch:u:0", " (6 body octets)fetchmail: IMAP< )"),
        ("dovecot", ""),
    ],
)
def test_what_each_mail_repeats_is_left_out_unless_details_are_asked_for(pipe: str, line: str) -> None:
    assert _texts(pipe, line) == []
    if line:
        assert _texts(pipe, line, Reading(details=True)) != []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('fetchmail: IMAP> A0002 LOGIN "user" "hunter2"', "fetchmail: IMAP> A0002 LOGIN …"),
        ("fetchmail: IMAP> dXNlckBleGFtcGxlLmNvbSBmYzBi", "fetchmail: IMAP> …"),
        ("fetchmail: IMAP< + PDY4Mjk2MjY4ODA1", "fetchmail: IMAP< + …"),
        ("fetchmail: POP3> PASS hunter2", "fetchmail: POP3> PASS …"),
        ("fetchmail:fetchmailrc:3: syntax error at hunter2", "fetchmail:fetchmailrc:3: syntax error at …"),
    ],
)
def test_details_hold_no_login(line: str, shown: str) -> None:
    assert _texts("fetch:u:0", line, Reading(details=True))[0] == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("curl: https://me:hunter2@example.org/x failed", "curl: https://me:…@example.org/x failed"),
        ("given password: hunter2", "given password: …"),
        ("password = 'hunter 2' x", "password = … x"),
        ("u: passwd: in use", "u: passwd: in use"),
        ("auth: Info: passwd-file(u): Password mismatch", "auth: Info: passwd-file(u): Password mismatch"),
    ],
)
def test_no_line_shows_a_password(line: str, shown: str) -> None:
    assert _texts("dovecot", line) == [shown]


@pytest.mark.parametrize(
    "before",
    [
        "reading message u@host:1 of 2 (51 octets)",
        "reading message u@host:1 of 2 (45 header octets) #",
        " (6 body octets) *",
        " #",
        " not flushed",
    ],
)
def test_two_lines_that_ran_into_one_are_two(before: str) -> None:
    mail = '{"mail":1,"user":"u","id":"<1@x>","from":"a@b","subject":"s","outcome":"delivered","rules":[]}'
    assert _texts("fetch:u:0", before + mail) == ['<1@x> from a@b "s" → delivered: no rule matched']


def test_in_private_addresses_go_but_the_user_stays() -> None:
    (line,) = Reading(private=True).lines("fetch:user@example.com:0", b"no connection for x@y.z", Fetching(0), 0.0)
    assert (line.user, line.text) == ("user@example.com", "no connection for …")


def test_in_private_the_keeper_still_says_whose_files_it_means() -> None:
    line = "user@example.com: fetchmail waits for mail of me@provider.example at mail.provider.example"
    assert _texts("keeper", line, Reading(private=True)) == [
        "user@example.com: fetchmail waits for mail of … at mail.provider.example"
    ]


@pytest.mark.parametrize(
    ("pipe", "parts"),
    [
        ("fetch:a=20b=3Ac:12", ("fetch", "a b:c", "12")),
        ("fetch:gr=C3=BC=C3=9Fe:0", ("fetch", "grüße", "0")),
        ("redis", ("redis", "", "")),
    ],
)
def test_whose_pipe_it_is(pipe: str, parts: tuple[str, str, str]) -> None:
    assert whose(pipe) == parts


def test_a_message_that_is_refused_is_found_behind_dots_too() -> None:
    # fetchmail 6.4.39 writes a blank there, 6.4.37 does not.
    line = "reading message u@host:2 of 3 (51 header octets) fetchmail: incorrect header line found - see manpage"
    (text,) = _texts("fetch:u:0", line)
    assert "fetchmail refuses message 2 of 3" in text
