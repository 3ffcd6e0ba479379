"""The `smtp` action: aiosmtpd takes the messages, a scripted server does what it would not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from rulesmith.delivery import smtp
from rulesmith.effects import Failure
from tests.scripted import CLOSE, SILENCE, server
from tests.worlds import USER, a_world

MESSAGE = b"Subject: a\n\nbody\n"
OK = b"250 ok\r\n"
# Greeting, HELO, MAIL, RCPT, DATA, the data, QUIT.
WILLING = (b"220 hi\r\n", OK, OK, OK, b"354 go\r\n", b"250 taken\r\n", b"221 bye\r\n")


class Box:
    """Keeps what aiosmtpd hands over."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.hello: list[str | None] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names, and its order of arguments
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.refuse.get(address, "250 OK")

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        self.hello.append(session.host_name)
        return "250 OK"


@contextlib.contextmanager
def mail_server(box: Box) -> Iterator[int]:
    """aiosmtpd in a thread; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.new_event_loop()
    running = loop.run_until_complete(
        loop.create_server(lambda: SMTP(box, loop=loop, hostname="test", enable_SMTPUTF8=True), sock=listener)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def end() -> None:
        running.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield listener.getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def send(
    port: int,
    message: bytes = MESSAGE,
    sender: bytes | None = b"from@example.org",
    recipient: bytes | None = b"to@example.org",
    **settings: Any,
) -> None:
    args = (b"127.0.0.1", b"%d" % port, sender, recipient)
    assert smtp.deliver(args, message, USER, a_world(**settings)) == {}


@pytest.fixture(scope="module")
def _server() -> Iterator[tuple[Box, int]]:
    box = Box()
    with mail_server(box) as port:
        yield box, port


@pytest.fixture
def box(_server: tuple[Box, int]) -> Box:
    _server[0].__init__()  # type: ignore[misc]
    return _server[0]


@pytest.fixture
def port(_server: tuple[Box, int]) -> int:
    return _server[1]


class TestWithAServer:
    def test_sender_and_recipient_make_the_envelope(self, box: Box, port: int) -> None:
        send(port)
        [envelope] = box.envelopes
        assert (envelope.mail_from, envelope.rcpt_tos) == ("from@example.org", ["to@example.org"])
        assert box.hello == [a_world().fqdn().decode()]

    def test_both_are_the_user_at_this_host_by_default(self, box: Box, port: int) -> None:
        send(port, sender=None, recipient=None)
        [envelope] = box.envelopes
        here = "someone@" + a_world().fqdn().decode()
        assert (envelope.mail_from, envelope.rcpt_tos) == (here, [here])

    def test_an_empty_sender_is_the_null_sender(self, box: Box, port: int) -> None:
        send(port, sender=b"")
        assert box.envelopes[0].mail_from == "<>"

    @pytest.mark.parametrize(
        "message",
        [
            MESSAGE,
            b".\n",
            b".leading\n..two\n.\n\n.\n",
            b"8 bit: \xff\xfe\x80\0\n",
            b"a lone \r and a tab\t\n",
            b"\n\n\n",
            b"x" * 900 + b"\n",
            b"".join(b"line %d\n" % number for number in range(20000)),
        ],
        ids=["plain", "a-dot", "dots", "8-bit", "lone-cr", "empty-lines", "long-line", "many-lines"],
    )
    def test_every_octet_arrives_and_each_lf_is_a_line_end(self, box: Box, port: int, message: bytes) -> None:
        send(port, message)
        assert box.envelopes[0].content == message.replace(b"\n", b"\r\n")

    def test_a_missing_last_line_feed_is_no_loss(self, box: Box, port: int) -> None:
        send(port, MESSAGE + b"last")
        assert box.envelopes[0].content == MESSAGE.replace(b"\n", b"\r\n") + b"last\r\n"

    @pytest.mark.parametrize("refusal", ["550 no such user", "450 later"])
    def test_a_refused_recipient_is_a_failure_and_nothing_is_sent(self, box: Box, port: int, refusal: str) -> None:
        box.refuse["to@example.org"] = refusal
        with pytest.raises(Failure, match=f"^unexpected response: {refusal}$"):
            send(port)
        assert box.envelopes == []


class TestDialogue:
    def test_is_the_one_of_fdm(self) -> None:
        with server(WILLING) as heard:
            send(heard.port)
        hello = b"HELO " + a_world().fqdn()
        envelope = [b"MAIL FROM:<from@example.org>", b"RCPT TO:<to@example.org>"]
        assert heard == [hello, *envelope, b"DATA", b"Subject: a\r\n\r\nbody\r\n", b"QUIT"]

    def test_a_crlf_message_keeps_its_cr_as_with_fdm(self) -> None:
        with server(WILLING) as heard:
            send(heard.port, b"Subject: a\r\n\r\n.b\r\n")
        assert heard[4] == b"Subject: a\r\r\n\r\r\n..b\r\r\n"

    def test_a_recipient_from_the_mail_cannot_say_a_command_of_its_own(self) -> None:
        with server(WILLING) as heard:
            send(heard.port, sender=b"a\r\nRSET\0", recipient=b"b>\r\nRCPT TO:<c")
        assert heard[1:3] == [b"MAIL FROM:<aRSET>", b"RCPT TO:<b>RCPT TO:<c>"]

    @pytest.mark.parametrize("step", range(6))
    @pytest.mark.parametrize("text", ["421 closing", "554 no", "299 what", "25", "", "2500 x", "hello"])
    def test_any_other_code_is_a_failure_with_the_text_of_the_server(self, step: int, text: str) -> None:
        replies = [*WILLING[:step], text.encode() + b"\r\n", *WILLING[step + 1 :]]
        with server(replies) as heard, pytest.raises(Failure, match=f"^unexpected response: {text}$"):
            send(heard.port)

    @pytest.mark.parametrize("step", range(6))
    def test_a_reply_may_have_several_lines(self, step: int) -> None:
        code = WILLING[step][:3]
        replies = [*WILLING[:step], code + b"-one\r\n" + code + b"-two\n" + code + b"\r\n", *WILLING[step + 1 :]]
        with server(replies) as heard:
            send(heard.port)
        assert heard[-1] == b"QUIT"

    @pytest.mark.parametrize("step", range(6))
    def test_the_first_line_of_a_long_refusal_is_shown(self, step: int) -> None:
        with (
            server([*WILLING[:step], b"554-first\r\n554 second\r\n"]) as heard,
            pytest.raises(Failure, match=r"^unexpected response: 554-first$"),
        ):
            send(heard.port)

    def test_a_reply_that_does_not_end_is_a_failure(self) -> None:
        with server([b"220-x\r\n" * 1000]) as heard, pytest.raises(Failure, match=r"^unexpected response: 220-x$"):
            send(heard.port)

    def test_a_line_that_does_not_end_is_a_failure(self) -> None:
        with server([b"2" * 200_000]) as heard, pytest.raises(Failure, match=r"^line too long$"):
            send(heard.port)

    @pytest.mark.parametrize("step", range(6))
    def test_a_server_that_hangs_up_is_a_failure(self, step: int) -> None:
        with (
            server([*WILLING[:step], CLOSE]) as heard,
            pytest.raises(Failure, match=r"^connection unexpectedly closed$"),
        ):
            send(heard.port)

    @pytest.mark.parametrize("step", range(6))
    def test_a_server_that_falls_silent_is_a_failure_at_the_time_limit(self, step: int) -> None:
        with (
            server([*WILLING[:step], SILENCE]) as heard,
            pytest.raises(Failure, match=r"^io: poll: Connection timed out$"),
        ):
            send(heard.port, timeout=0.05)

    def test_a_server_that_takes_no_data_is_a_failure_at_the_time_limit(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # It says all it has to say at once, and then never reads.
            def speak() -> None:
                client = listener.accept()[0]
                client.sendall(b"".join(WILLING[:5]))
                done.wait(30)
                client.close()

            done = threading.Event()
            thread = threading.Thread(target=speak)
            thread.start()
            try:
                with pytest.raises(Failure, match=r"^io: poll: Connection timed out$"):
                    send(listener.getsockname()[1], b"x\n" * 10_000_000, timeout=0.2)
            finally:
                done.set()
                thread.join()

    @pytest.mark.parametrize(
        "farewell", [CLOSE, b"421 closing\r\n", b"\xff\r\n"], ids=["hangs-up", "refuses", "babbles"]
    )
    def test_once_taken_the_message_is_delivered_whatever_follows(self, farewell: bytes | None) -> None:
        with server([*WILLING[:6], farewell]) as heard:
            send(heard.port)
        assert heard[-1] == b"QUIT"

    def test_once_taken_a_silent_farewell_costs_no_more_than_the_time_limit(self) -> None:
        with server([*WILLING[:6], SILENCE]) as heard:
            send(heard.port, timeout=2)


class TestNoDialogue:
    def test_an_empty_recipient_is_a_failure_in_the_words_of_fdm(self) -> None:
        with pytest.raises(Failure, match=r"^stdin: empty to$"):
            send(1, recipient=b"")

    def test_nobody_listens(self) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            with pytest.raises(Failure, match=r"^connect: Connection refused$"):
                send(holder.getsockname()[1])

    def test_a_service_without_a_number(self) -> None:
        with pytest.raises(Failure, match=r"^Servname not supported"):
            smtp.deliver((b"127.0.0.1", b"no-such-service", b"", b"to"), MESSAGE, USER, a_world())

    def test_a_host_without_an_address(self) -> None:
        with pytest.raises(Failure, match=r"^(Name or service not known|Temporary failure in name resolution)$"):
            smtp.deliver((b"no-such-host.invalid", b"25", b"", b"to"), MESSAGE, USER, a_world())
