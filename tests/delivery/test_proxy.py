"""`set proxy`: servers reached by way of an HTTP or SOCKS5 proxy."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from rulesmith.delivery import smtp
from rulesmith.effects import Failure
from tests.worlds import USER, a_world

# What the mail server behind every proxy here says at once.
SERVER = b"554 go away\r\n"
REACHED = "unexpected response: 554 go away"


@contextlib.contextmanager
def proxy(steps: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, list[bytes]]]:
    """A proxy that reads so many octets, then answers, step by step; its port and what it has read."""
    read: list[bytes] = []

    def serve() -> None:
        with contextlib.suppress(OSError), listener.accept()[0] as client, client.makefile("rb") as stream:
            for count, answer in steps:
                read.append(stream.read(count))
                client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], read
        thread.join(30)
    assert not thread.is_alive()


def send(url: str, port: bytes = b"2525") -> str:
    """The failure that a message to mail.example meets."""
    args = (b"mail.example", port, b"", b"to@example.org")
    with pytest.raises(Failure) as failure:
        smtp.deliver(args, b"Subject: a\n\nb\n", USER, a_world(proxy=url.encode()))
    return failure.value.text


REQUEST = b"CONNECT mail.example:2525 HTTP/1.1\r\nHost: mail.example:2525\r\n\r\n"
HELLO = (3, b"\5\0")
WHERE = b"\5\1\0\3\x0cmail.example" + (2525).to_bytes(2, "big")
DONE = b"\5\0\0\1\0\0\0\0\0\0"


@pytest.mark.parametrize("end", ["", "/"])
def test_an_http_proxy_is_asked_to_connect(end: str) -> None:
    with proxy([(len(REQUEST), b"HTTP/1.1 200 yes\r\nVia: x\r\n\r\n" + SERVER)]) as (port, read):
        assert send(f"http://127.0.0.1:{port}{end}") == REACHED
    assert read == [REQUEST]


@pytest.mark.parametrize("status", ["HTTP/1.1 403 no", "HTTP/1.1 2000 yes", "hello", ""])
def test_an_http_proxy_that_refuses_is_a_failure(status: str) -> None:
    with proxy([(len(REQUEST), status.encode() + b"\r\n\r\n" + SERVER)]) as (port, _):
        assert send(f"http://127.0.0.1:{port}") == "unexpected response: " + status


@pytest.mark.parametrize("address", [b"\1\0\0\0\0", b"\4" + bytes(16), b"\3\4name"], ids=["ipv4", "ipv6", "name"])
def test_a_socks_proxy_is_given_the_name(address: bytes) -> None:
    with proxy([HELLO, (len(WHERE), b"\5\0\0" + address + b"\0\0" + SERVER)]) as (port, read):
        assert send(f"socks5://127.0.0.1:{port}") == REACHED
    assert read == [b"\5\1\0", WHERE]


def test_a_service_name_becomes_its_number() -> None:
    with proxy([HELLO, (len(WHERE), DONE + SERVER)]) as (port, read):
        assert send(f"socks5://127.0.0.1:{port}", port=b"smtp") == REACHED
    assert read[1] == WHERE[:-2] + b"\0\x19"


def test_a_service_without_a_number_is_a_failure() -> None:
    assert send("socks5://127.0.0.1:1", port=b"no-such-service") == "Servname not supported for ai_socktype"


def test_a_socks_proxy_is_given_user_and_password_where_it_wants_them() -> None:
    login = b"\1\2me\6secret"
    with proxy([(3, b"\5\2"), (len(login), b"\1\0"), (len(WHERE), DONE + SERVER)]) as (port, read):
        assert send(f"socks5://me:secret@127.0.0.1:{port}") == REACHED
    assert read == [b"\5\1\2", login, WHERE]


def test_a_socks_proxy_that_wants_no_password_is_given_none() -> None:
    with proxy([HELLO, (len(WHERE), DONE + SERVER)]) as (port, read):
        assert send(f"socks5://me:secret@127.0.0.1:{port}") == REACHED
    assert read == [b"\5\1\2", WHERE]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"\5\5\0\1", "proxy: connection refused"),
        (b"\5\x09\0\1", "proxy: error 9"),
    ],
)
def test_a_socks_proxy_that_cannot_connect_is_a_failure(answer: bytes, text: str) -> None:
    with proxy([HELLO, (len(WHERE), answer)]) as (port, _):
        assert send(f"socks5://127.0.0.1:{port}") == text


def test_a_socks_proxy_that_refuses_the_login_is_a_failure() -> None:
    with proxy([(3, b"\5\2"), (5, b"\1\1")]) as (port, _):
        assert send(f"socks5://a:b@127.0.0.1:{port}") == "proxy: login refused"
    with proxy([(3, b"\5\xff")]) as (port, _):
        assert send(f"socks5://127.0.0.1:{port}") == "proxy: no acceptable way to log in"


def test_a_name_too_long_for_socks_is_a_failure() -> None:
    with proxy([(1, b"")]) as (port, _):
        assert send(f"socks5://{'x' * 256}:b@127.0.0.1:{port}") == "proxy: name too long"


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_a_proxy_that_hangs_up_is_a_failure(scheme: str) -> None:
    with proxy([(1, b"")]) as (port, _):
        assert send(f"{scheme}://127.0.0.1:{port}") == "connection unexpectedly closed"
