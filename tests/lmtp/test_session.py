"""The conversation: what the RFCs ask for, and that a message is what was sent, wherever it is cut."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rulesmith.lmtp import session
from rulesmith.lmtp.events import Reply
from rulesmith.lmtp.session import Session
from tests.lmtp.client import ENVELOPE, HELLO, Talk


def test_a_message_is_answered_once_for_each_recipient() -> None:
    talk = Talk(answers=False)
    talk.say(ENVELOPE + b"RCPT TO:<other@example.com>\r\nDATA\r\n")
    assert talk.codes == [250, 250, 250, 250, 354]
    talk.say(b"Subject: x\r\n\r\nbody\r\n.\r\n")
    assert talk.messages == [
        (b"a@example.org", (b"user@example.com", b"other@example.com"), b"Subject: x\n\nbody\n"),
    ]
    assert talk.session.waits
    talk.answer(b"250 2.0.0 done", b"451 4.3.0 not now")
    assert talk.codes[5:] == [250, 451]


def test_lhlo_lists_what_the_server_can() -> None:
    lines = Talk(maximum=1000).say(HELLO).said.split(b"\r\n")
    assert lines == [
        b"250-here", b"250-PIPELINING", b"250-8BITMIME", b"250-ENHANCEDSTATUSCODES", b"250 SIZE 2000", b"",
    ]  # fmt: skip


def test_the_greeting_names_the_protocol() -> None:
    [greeting] = Session(b"here", 0, lambda _: None).greeting()
    assert greeting == Reply(b"220 here LMTP rulesmith\r\n")


TABLE = [
    # said, the codes of the replies
    (b"EHLO x\r\n", [500]),
    (b"HELO x\r\n", [500]),
    (b"LHLO\r\n", [501]),
    (b"lhlo x\r\n", [250]),
    (b"MAIL FROM:<a@x>\r\n", [451]),
    (HELLO + b"RCPT TO:<user@example.com>\r\n", [250, 451]),
    (HELLO + b"DATA\r\n", [250, 503]),
    (HELLO + b"MAIL FROM:<>\r\n", [250, 250]),
    (HELLO + b"MAIL FROM:<a@x>\r\nMAIL FROM:<b@x>\r\n", [250, 250, 451]),
    (HELLO + b"MAIL FROM:<a@x> SIZE=10 BODY=8BITMIME\r\n", [250, 250]),
    (HELLO + b"MAIL FROM:<a@x> SIZE=2000\r\n", [250, 250]),
    (HELLO + b"MAIL FROM:<a@x> SIZE=2001\r\n", [250, 452]),
    (HELLO + b"MAIL FROM:<a@x> SIZE=x\r\n", [250, 451]),
    (HELLO + b"MAIL FROM:<a@x> RET=FULL\r\n", [250, 451]),
    (HELLO + b"MAIL FROM:a@x\r\n", [250, 451]),
    (HELLO + b"MAIL TO:<a@x>\r\n", [250, 451]),
    (HELLO + b"mail from: <a@x>\r\n", [250, 250]),
    (HELLO + b"MAIL FROM:<@relay,@other:a@x>\r\n", [250, 250]),
    (HELLO + b'MAIL FROM:<"a>b"@x>\r\n', [250, 250]),
    (ENVELOPE + b"RCPT TO:<nobody@example.com>\r\n", [250, 250, 250, 450]),
    (ENVELOPE + b"RCPT TO:<>\r\n", [250, 250, 250, 451]),
    (ENVELOPE + b"RCPT TO:<user@example.com> NOTIFY=NEVER\r\n", [250, 250, 250, 451]),
    (ENVELOPE + b"RSET\r\nDATA\r\n", [250, 250, 250, 250, 503]),
    (ENVELOPE + b"LHLO again\r\nDATA\r\n", [250, 250, 250, 250, 503]),
    (b"NOOP\r\nHELP\r\nVRFY user\r\nQUIT\r\n", [250, 214, 252, 221]),
    (b"XYZZY\r\n", [500]),
    (b"\r\n", [500]),
    (b"NOOP\n", [250]),
    (HELLO + b"XYZZY\r\nEHLO x\r\nLHLO\r\n\r\nMAIL\tFROM:<a@x>\r\n", [250, 451, 451, 451, 451, 451]),
    (
        ENVELOPE + b"RCPT\tTO:<user@example.com>\r\nHELO x\r\nBDAT 5 LAST\r\nLHLO\r\n",
        [250, 250, 250, 451, 451, 451, 451],
    ),
]


@pytest.mark.parametrize(("said", "codes"), TABLE, ids=[repr(each[-40:]) for each, _ in TABLE])
def test_each_command_has_its_reply(said: bytes, codes: list[int]) -> None:
    assert Talk(maximum=1000).say(said).codes == codes


@pytest.mark.parametrize("said", [said for said, _ in TABLE])
def test_where_each_octet_comes_alone_the_replies_are_the_same(said: bytes) -> None:
    assert Talk(maximum=1000).say(said, step=1).said == Talk(maximum=1000).say(said).said


@pytest.mark.parametrize(("said", "codes"), TABLE)
def test_no_sender_and_no_recipient_is_refused_for_good(said: bytes, codes: list[int]) -> None:
    lines = said.removesuffix(b"\r\n").split(b"\r\n")
    if len(lines) == len(codes):
        for line, code in zip(lines, codes, strict=True):
            assert code < 500 or line[:4].upper() not in (b"MAIL", b"RCPT")


# What clients say, and what they should not.
SAID = b"""LHLO c|EHLO c|HELO c|LHLO|MAIL FROM:<a@x>|MAIL FROM:<>|MAIL\tFROM:<a@x>|MAIL FROM:<a@x> SIZE=99999|MAIL|RCPT|
RCPT TO:<user@example.com>|RCPT TO:<nobody@x>|RCPT TO:<>|RCPT\tTO:<a@x>|RSET|NOOP|HELP|VRFY a|DATA|DATA x|data| DATA|
BDAT 5 LAST|STARTTLS|AUTH PLAIN|X|.|..|text|QUIT|\0|\xff|"""
LINES_SAID = st.lists(st.sampled_from([*SAID.replace(b"\n", b"").split(b"|"), b"x" * 5000]), max_size=40)


@given(LINES_SAID)
def test_after_lhlo_nothing_is_refused_for_good_but_data_without_recipients(lines: list[bytes]) -> None:
    talk = Talk(maximum=1000).say(HELLO)
    for line in lines:
        said = len(talk.codes)
        had = talk.session.has_recipients
        in_message = talk.session.in_message
        talk.say(line + b"\r\n")
        for code in talk.codes[said:]:
            assert code < 500 or (code, had, in_message, line[:4].upper()) == (503, False, False, b"DATA")


@given(LINES_SAID, st.data())
def test_octets_in_any_pieces_give_the_same_replies_and_events(lines: list[bytes], data: st.DataObject) -> None:
    octets = HELLO + b"\r\n".join(lines) + b"\r\n"
    whole = Talk(maximum=1000).say(octets)
    talk = Talk(maximum=1000)
    while octets:
        count = data.draw(st.integers(1, min(len(octets), 2000)))
        talk.say(octets[:count])
        octets = octets[count:]
    assert (talk.said, talk.messages, talk.discarded, talk.closed) == (
        whole.said,
        whole.messages,
        whole.discarded,
        whole.closed,
    )


def test_a_message_is_as_large_as_the_rules_see_it() -> None:
    """On the wire each line has one octet more, and SIZE is of that."""
    for count, code in ((100, 250), (101, 452)):
        text = (b"x" + b"\r\n") * 50 + b"x" * (count - 100)
        size = len(text) + 2 * bool(count - 100)
        end = b"" if text.endswith(b"\r\n") else b"\r\n"
        said = ENVELOPE.replace(b"org>", b"org> SIZE=%d" % size) + b"DATA\r\n" + text + end + b".\r\n"
        assert Talk(maximum=100).say(said).codes == [250, 250, 250, 354, code]


def test_who_never_comes_to_a_message_is_sent_away() -> None:
    talk = Talk()
    for _ in range(3):
        # A message in between, and the count begins anew.
        talk.say(ENVELOPE + b"NOOP\r\n" * 9000 + b"DATA\r\nx\r\n.\r\n")
        assert talk.codes[-1] == 250
    for line in (b"NOOP", b"RSET", b"LHLO c", b"VRFY a", b"HELP"):
        talk = Talk().say((line + b"\r\n") * 20_000)
        assert (talk.closed, len(talk.codes), talk.codes[-1]) == (True, 10_001, 421)


def test_the_time_for_many_commands_is_that_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come at once: the buffer is not copied for each of them."""
    monkeypatch.setattr(session, "LMTP_LINES", 10**9)
    begin = time.process_time()
    for _ in range(100):
        Talk().session.feed(b"NOOP\r\n" * 1000)
    few = time.process_time() - begin
    begin = time.process_time()
    Talk().session.feed(b"NOOP\r\n" * 100_000)
    # Copied, it would be a hundred times as long.
    assert time.process_time() - begin < 10 * few + 1


def wire(message: bytes) -> bytes:
    """A message as a client sends it."""
    return message.replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")


DOTS = b".\n..\n.a\n\n.\nlast line.\n"


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5])
def test_dots_at_the_begin_of_lines_arrive_as_they_were(step: int) -> None:
    talk = Talk().say(ENVELOPE + b"DATA\r\n." + wire(DOTS) + b".\r\n", step)
    assert [text for _, _, text in talk.messages] == [DOTS]


LINES = st.lists(st.sampled_from([b"a", b".", b"..", b".a", b"", b"\xff\0", b"x\ry", b"\r"]), max_size=6)


@given(LINES, st.data())
def test_a_message_is_what_was_sent_wherever_it_is_cut(lines: list[bytes], data: st.DataObject) -> None:
    # A bare CR before the line's end would be a part of it.
    message = b"".join(line + b"\n" for line in lines if not line.endswith(b"\r"))
    octets = ENVELOPE + b"DATA\r\n" + b"".join(
        (b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in message.split(b"\n")[:-1]
    ) + b".\r\nNOOP\r\n"  # fmt: skip
    talk = Talk()
    while octets:
        count = data.draw(st.integers(1, len(octets)))
        talk.say(octets[:count])
        octets = octets[count:]
    assert [text for _, _, text in talk.messages] == [message]
    assert talk.codes == [250, 250, 250, 354, 250, 250]


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r", b"\r\n. \r\n"])
def test_nothing_but_cr_lf_dot_cr_lf_ends_a_message(end: bytes) -> None:
    talk = Talk().say(ENVELOPE + b"DATA\r\nSubject: one" + end + b"MAIL FROM:<second@x>\r\n")
    assert talk.messages == []
    talk.say(b".\r\n")
    assert len(talk.messages) == 1
    assert b"MAIL FROM:<second@x>\n" in talk.messages[0][2]


def test_what_is_pipelined_behind_a_message_waits_for_its_answer() -> None:
    talk = Talk(answers=False)
    rest = b"MAIL FROM:<b@x>\r\nRCPT TO:<other@example.com>\r\nDATA\r\ntwo\r\n.\r\nQUIT\r\n"
    talk.say(ENVELOPE + b"DATA\r\none\r\n.\r\n" + rest)
    assert talk.codes == [250, 250, 250, 354]
    talk.answer(b"250 2.0.0 done")
    assert talk.codes == [250, 250, 250, 354, 250, 250, 250, 354]
    talk.answer(b"451 4.3.0 not now")
    assert talk.codes[8:] == [451, 221]
    assert talk.closed
    assert [text for _, _, text in talk.messages] == [b"one\n", b"two\n"]


def test_a_message_that_is_too_big_is_read_to_its_end_and_asked_for_again() -> None:
    talk = Talk(maximum=100).say(ENVELOPE + b"DATA\r\n" + b"x" * 60 + b"\r\n")
    assert talk.discarded == 0
    talk.say((b"y" * 60 + b"\r\n") * 3 + b".\r\nNOOP\r\n")
    assert (talk.messages, talk.discarded) == ([], 1)
    assert talk.codes == [250, 250, 250, 354, 452, 250]
    # Neither its end nor its size is left over for the next one.
    talk.say(ENVELOPE + b"DATA\r\n" + b"x" * 99 + b"\r\n.\r\n")
    assert [len(text) for _, _, text in talk.messages] == [100]


def test_an_empty_message_is_a_message_of_no_octets() -> None:
    assert [text for _, _, text in Talk().say(ENVELOPE + b"DATA\r\n.\r\n").messages] == [b""]


@pytest.mark.parametrize("step", [0, 1000])
def test_a_line_without_end_is_not_kept(step: int) -> None:
    talk = Talk().say(b"MAIL FROM:<" + b"a" * 100_000, step)
    assert len(talk.session._buffer) <= 5096
    assert talk.say(b">\r\nNOOP\r\n").codes == [451, 250]


def test_a_line_in_a_message_may_be_as_long_as_it_likes() -> None:
    talk = Talk().say(ENVELOPE + b"DATA\r\n" + b"x" * 1_000_000 + b"\r\n.\r\n", 65536)
    assert [len(text) for _, _, text in talk.messages] == [1_000_001]


def test_after_too_much_nonsense_nobody_listens() -> None:
    talk = Talk().say(b"\0\xff\r\n" * 1000)
    assert talk.closed
    assert talk.codes == [500] * 19 + [421]
    assert talk.say(ENVELOPE).codes[-1] == 421


def test_there_may_be_so_many_recipients_and_no_more() -> None:
    talk = Talk().say(ENVELOPE + b"RCPT TO:<user@example.com>\r\n" * 5000 + b"DATA\r\nx\r\n.\r\n")
    assert talk.codes.count(452) == 4901
    assert len(talk.messages[0][1]) == 100
    assert talk.codes[-100:] == [250] * 100
