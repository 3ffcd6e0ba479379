"""The `imap` and `imaps` actions on a scripted server; tests/chain has them on the real Dovecot."""

from __future__ import annotations

import base64
import ssl
import string
from collections.abc import Sequence
from pathlib import Path

import pytest

from rulesmith.delivery import imap
from rulesmith.effects import Failure
from tests.certificates import Authority
from tests.scripted import CLOSE, SILENCE, TLS, server
from tests.worlds import USER, a_world

MESSAGE = b"Subject: a\n\nbody\n"
WIRE = b"Subject: a\r\n\r\nbody"
HELLO = b"* OK hi\r\n"
GO_ON = b"+ go\r\n"
BYE = b"* BYE\r\n"


def offers(*words: str, tag: int = 1) -> bytes:
    return f"* CAPABILITY IMAP4rev1 {' '.join(words)}\r\n{tag} OK done\r\n".encode()


def ok(tag: int) -> bytes:
    return b"%d OK done\r\n" % tag


def send(
    port: int,
    *flags: str,
    user: bytes = b"me",
    password: bytes = b"secret",
    folder: bytes = b"INBOX",
    message: bytes = MESSAGE,
    kind: str = "imap",
    timeout: float = 30,
) -> None:
    args = (b"127.0.0.1", b"%d" % port, user, password, folder, flags, kind)
    assert imap.deliver(args, message, USER, a_world(timeout=timeout)) == {}


def refuse(replies: Sequence[bytes | str | None], text: str, *flags: str, timeout: float = 30) -> list[bytes]:
    """Send to a server with these replies and expect this failure; what the server heard."""
    with server(replies) as heard, pytest.raises(Failure) as failure:
        send(heard.port, *flags, timeout=timeout)
    assert failure.value.text == text
    return heard


class TestDialogue:
    def test_is_the_one_of_fdm(self) -> None:
        with server([HELLO, offers(), ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port)
        assert heard == [
            b"1 CAPABILITY",
            b'2 LOGIN "me" "secret"',
            b'3 APPEND "INBOX" {%d}' % len(WIRE),
            WIRE,
            b"",
            b"4 LOGOUT",
        ]

    def test_who_is_known_already_does_not_log_in(self) -> None:
        with server([b"* PREAUTH hi\r\n", GO_ON, ok(1), BYE]) as heard:
            send(heard.port)
        assert heard[0] == b'1 APPEND "INBOX" {%d}' % len(WIRE)

    @pytest.mark.parametrize(
        ("message", "wire"),
        [
            (b"a\n\nb", b"a\r\n\r\nb"),
            (b"a\r\n\r\nb\r\n", b"a\r\r\n\r\r\nb\r"),
            (b"a\n\n\r b \0\xff\n\n", b"a\r\n\r\n\r b \0\xff\r\n"),
            (b"\n", b""),
        ],
        ids=["no-last-lf", "crlf", "odd-octets", "empty"],
    )
    def test_each_lf_but_the_last_becomes_a_line_end(self, message: bytes, wire: bytes) -> None:
        with server([HELLO, offers(), ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port, message=message)
        assert heard[2:4] == [b'3 APPEND "INBOX" {%d}' % len(wire), wire]

    def test_what_the_server_says_of_other_things_is_passed_over(self) -> None:
        chatter = b"* 3 EXISTS\r\n* OK still here\r\n"
        with server([HELLO, offers(), chatter + ok(2), chatter + GO_ON, chatter + ok(3), BYE]) as heard:
            send(heard.port)
        assert heard[-1] == b"4 LOGOUT"

    def test_words_that_do_not_fit_into_quotes_are_literals(self) -> None:
        replies = [HELLO, offers(), GO_ON, GO_ON, ok(2), GO_ON, GO_ON, ok(3), BYE]
        with server(replies) as heard:
            send(heard.port, user=b'm"e', password=b"s\\\xfc\n", folder=b"\xff\r\n\0x")
        assert heard[1:6] == [b"2 LOGIN {3}", b'm"e', b" {4}", b"s\\\xfc\n", b""]
        assert heard[6:9] == [b"3 APPEND {2}", b"\xffx", b" {%d}" % len(WIRE)]

    def test_once_appended_the_message_is_delivered_whatever_follows(self) -> None:
        with server([HELLO, offers(), ok(2), GO_ON, ok(3), CLOSE]) as heard:
            send(heard.port)
        assert heard[-1] == b"4 LOGOUT"


class TestLogIn:
    @pytest.mark.parametrize(
        ("flags", "first"),
        [
            ((), b"2 AUTHENTICATE CRAM-MD5"),
            (("no-cram-md5",), b"2 AUTHENTICATE PLAIN"),
            (("no-cram-md5", "no-plain"), b'2 LOGIN "me" "secret"'),
            (("no-plain", "no-login", "insecure"), b"2 AUTHENTICATE CRAM-MD5"),
            (("xoauth2",), b"2 AUTHENTICATE XOAUTH2 " + base64.b64encode(b"user=me\1auth=Bearer secret\1\1")),
        ],
    )
    def test_takes_the_best_way_that_is_allowed(self, flags: tuple[str, ...], first: bytes) -> None:
        offered = offers("AUTH=PLAIN", "auth=cram-md5", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER")
        assert refuse([HELLO, offered, b"stop\r\n"], "unexpected data: stop", *flags)[1] == first

    def test_with_cram_md5_sends_the_digest_of_the_challenge(self) -> None:
        # The example of RFC 2195.
        challenge = b"+ " + base64.b64encode(b"<1896.697170952@postoffice.reston.mci.net>") + b"\r\n"
        replies = [HELLO, offers("AUTH=CRAM-MD5"), challenge, ok(2), GO_ON, ok(3), BYE]
        with server(replies) as heard:
            send(heard.port, user=b"tim", password=b"tanstaaftanstaaf")
        assert base64.b64decode(heard[2]) == b"tim b913a602c7eda7a495b4e6e7334d3890"

    def test_with_plain_sends_user_and_password(self) -> None:
        with server([HELLO, offers("AUTH=PLAIN"), b"+\r\n", ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port)
        assert base64.b64decode(heard[2]) == b"\0me\0secret"

    def test_with_a_bearer_sends_the_token_as_rfc_7628_has_it(self) -> None:
        with server([HELLO, offers("AUTH=OAUTHBEARER", "AUTH=PLAIN"), ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port, "oauthbearer")
        command, mechanism, token = heard[1].removeprefix(b"2 ").split()
        assert (command, mechanism) == (b"AUTHENTICATE", b"OAUTHBEARER")
        expected = b"n,a=me,\1host=127.0.0.1\1port=%d\1auth=Bearer secret\1\1" % heard.port
        assert base64.b64decode(token) == expected

    def test_insecure_does_not_turn_tokens_on(self) -> None:
        with server([HELLO, offers("AUTH=OAUTHBEARER", "AUTH=XOAUTH2"), ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port, "insecure")
        assert heard[1] == b'2 LOGIN "me" "secret"'

    def test_a_token_falls_back_as_with_fdm_where_the_server_wants_none(self) -> None:
        with server([HELLO, offers("AUTH=XOAUTH2"), ok(2), GO_ON, ok(3), BYE]) as heard:
            send(heard.port, "oauthbearer")
        assert heard[1] == b'2 LOGIN "me" "secret"'

    def test_no_way_left_is_a_failure(self) -> None:
        refuse([HELLO, offers()], "no authentication methods", "no-login")

    @pytest.mark.parametrize("challenge", [b"+ ?\r\n", b"+ YQ\r\n"])
    def test_a_challenge_that_is_not_base64_is_a_failure(self, challenge: bytes) -> None:
        text = "unexpected data: " + challenge.decode().strip()
        refuse([HELLO, offers("AUTH=CRAM-MD5"), challenge], text)

    @pytest.mark.parametrize("refusal", ["2 NO bad password", "2 BAD what", "2 OKAY", "7 OK not yours", "hello", ""])
    def test_anything_but_ok_is_a_failure_with_the_text_of_the_server(self, refusal: str) -> None:
        refuse([HELLO, offers(), refusal.encode() + b"\r\n"], "unexpected data: " + refusal)

    def test_a_token_that_is_refused_by_a_challenge_is_a_failure(self) -> None:
        refuse([HELLO, offers("AUTH=XOAUTH2"), b"+ e30=\r\n"], "unexpected data: + e30=", "xoauth2")


class TestGreeting:
    @pytest.mark.parametrize("greeting", ["* BYE too busy", "1 OK hi", "220 hi", ""])
    def test_must_welcome(self, greeting: str) -> None:
        assert refuse([greeting.encode() + b"\r\n"], "unexpected data: " + greeting) == []


class TestFolder:
    MISSING = b"NO [TRYCREATE] no such folder\r\n"

    def test_is_made_where_the_server_says_so_before_the_message(self) -> None:
        replies = [HELLO, offers(), ok(2), b"3 " + self.MISSING, GO_ON, ok(4), GO_ON, ok(5), BYE]
        with server(replies) as heard:
            send(heard.port, folder=b"New")
        size = len(WIRE)
        assert heard[2:] == [
            b'3 APPEND "New" {%d}' % size,
            b"4 CREATE {3}",
            b"New",
            b"",
            b'5 APPEND "New" {%d}' % size,
            WIRE,
            b"",
            b"6 LOGOUT",
        ]

    def test_is_made_where_the_server_says_so_after_the_message(self) -> None:
        replies = [HELLO, offers(), ok(2), GO_ON, b"3 " + self.MISSING, GO_ON, ok(4), GO_ON, ok(5), BYE]
        with server(replies) as heard:
            send(heard.port, folder=b"New")
        assert heard.count(WIRE) == 2

    def test_may_have_been_made_by_another_meanwhile(self) -> None:
        exists = b"4 NO [ALREADYEXISTS] it is there\r\n"
        with server([HELLO, offers(), ok(2), b"3 " + self.MISSING, GO_ON, exists, GO_ON, ok(5), BYE]) as heard:
            send(heard.port, folder=b"New")
        assert heard[-1] == b"6 LOGOUT"

    def test_that_cannot_be_made_is_a_failure(self) -> None:
        replies = [HELLO, offers(), ok(2), b"3 " + self.MISSING, GO_ON, b"4 NO denied\r\n"]
        refuse(replies, "unexpected data: 4 NO denied")

    def test_is_made_once_only(self) -> None:
        replies = [HELLO, offers(), ok(2), b"3 " + self.MISSING, GO_ON, ok(4), b"5 " + self.MISSING]
        refuse(replies, "invalid response: 5 NO [TRYCREATE] no such folder")

    @pytest.mark.parametrize("refusal", ["3 NO over quota", "3 BAD what", "9 OK not yours", ""])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_that_does_not_take_the_message_is_a_failure(self, refusal: str, when: str) -> None:
        first = [GO_ON] if when == "after" else []
        replies = [HELLO, offers(), ok(2), *first, refusal.encode() + b"\r\n"]
        refuse(replies, "invalid response: " + refusal)


class TestTrouble:
    REPLIES = (HELLO, offers(), ok(2), GO_ON, ok(3))

    @pytest.mark.parametrize("step", range(5))
    def test_a_server_that_hangs_up_is_a_failure(self, step: int) -> None:
        refuse([*self.REPLIES[:step], CLOSE], "connection unexpectedly closed")

    @pytest.mark.parametrize("step", range(5))
    def test_a_server_that_falls_silent_is_a_failure_at_the_time_limit(self, step: int) -> None:
        refuse([*self.REPLIES[:step], SILENCE], "io: poll: Connection timed out", timeout=0.05)

    def test_a_server_that_speaks_of_other_things_for_ever_is_a_failure(self) -> None:
        refuse([HELLO, b"* 1 EXISTS\r\n" * 10001], "unexpected data: * 1 EXISTS")


class TestStartTls:
    @pytest.fixture
    def context(self, tmp_path: Path) -> ssl.SSLContext:
        pair = Authority(tmp_path).issue("good")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        return context

    def test_comes_before_the_password_and_asks_again_what_is_offered(self, context: ssl.SSLContext) -> None:
        replies: list[bytes | str | None] = [
            *(HELLO, offers("STARTTLS", "AUTH=CRAM-MD5"), ok(2), TLS, SILENCE),
            *(offers("AUTH=PLAIN", tag=3), b"+\r\n", ok(4), GO_ON, ok(5), BYE),
        ]
        with server(replies, context=context) as heard:
            send(heard.port, "starttls")
        assert heard[:4] == [b"1 CAPABILITY", b"2 STARTTLS", b"3 CAPABILITY", b"4 AUTHENTICATE PLAIN"]

    def test_that_is_not_offered_is_a_failure_and_no_password_is_sent(self) -> None:
        heard = refuse([HELLO, offers("AUTH=PLAIN")], "server doesn't support STARTTLS", "starttls")
        assert heard == [b"1 CAPABILITY"]

    def test_that_is_refused_is_a_failure_and_no_password_is_sent(self) -> None:
        heard = refuse([HELLO, offers("STARTTLS"), b"2 NO not now\r\n"], "unexpected data: 2 NO not now", "starttls")
        assert heard == [b"1 CAPABILITY", b"2 STARTTLS"]

    def test_does_not_trust_what_was_said_in_the_clear_after_it(self) -> None:
        replies = [HELLO, offers("STARTTLS"), ok(2) + offers("AUTH=PLAIN", tag=3)]
        with server(replies) as heard, pytest.raises(Failure, match=r"^unexpected data: \* CAPABILITY"):
            send(heard.port, "starttls")

    def test_a_server_that_does_not_go_on_with_tls_is_a_failure_at_the_time_limit(self) -> None:
        replies = [HELLO, offers("STARTTLS"), ok(2)]
        refuse(replies, "io: poll: Connection timed out", "starttls", timeout=0.05)

    def test_old_protocols_are_for_insecure_only(self, context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        replies: list[bytes | str | None] = [TLS, HELLO, offers(), ok(2), GO_ON, ok(3), BYE]
        with server(replies, context=context) as heard, pytest.raises(Failure, match=r"^SSL_connect: "):
            send(heard.port, kind="imaps")
        with server(replies, context=context) as heard:
            send(heard.port, "insecure", kind="imaps")
        assert heard[-1] == b"4 LOGOUT"


def test_octets_are_quoted_only_where_they_may_be() -> None:
    assert imap._quoted(string.punctuation.translate({34: None, 92: None}).encode() + b" ") != (b"",)
    for octet in b'"\\\r\n\0\x80':
        assert imap._quoted(bytes([octet])) == (bytes([octet]),)
