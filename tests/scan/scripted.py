"""An rspamd that answers what it is told to, and keeps what it was asked."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

Answer = Callable[[socket.socket], None]


class Asked:
    """The last request: its head, its body, its connection; `url` is where to ask."""

    url = ""
    client: socket.socket | None = None
    over = False  # the test is: who has come until now is sent away
    head = b""
    body = b""

    def field(self, name: str) -> list[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [value.strip() for key, _, value in (line.partition(":") for line in lines) if key == name]


def ok(body: bytes, *fields: bytes, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join([*head, b"", body])


def says(data: bytes) -> Answer:
    return lambda client: client.sendall(data)


def drips(data: bytes, pause: float) -> Answer:
    """One octet after the other, until the other side has had enough."""

    def answer(client: socket.socket) -> None:
        for octet in data:
            client.sendall(bytes([octet]))
            time.sleep(pause)

    return answer


def waits(client: socket.socket) -> None:
    """Say nothing until the client goes, or the test ends: who leaves unread octets behind is not seen to go."""
    gone = select.poll()
    gone.register(client, select.POLLRDHUP)
    gone.poll()


def resets(client: socket.socket) -> None:
    """Hang up in the rudest way."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@contextlib.contextmanager
def rspamd(answer: Answer, reads: bool = True) -> Iterator[Asked]:
    """Serve connections, one after the other; without `reads` the request's body stays unread."""
    asked = Asked()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        asked.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=_serve, args=(listener, answer, reads, asked))
        thread.start()
        try:
            yield asked
        finally:
            # Before it is looked for: either we find the connection or the server finds this.
            asked.over = True
            # Wakes a server that nobody comes to any more.
            listener.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                if asked.client:
                    asked.client.shutdown(socket.SHUT_RDWR)
            thread.join(30)
    assert not thread.is_alive()


def _serve(listener: socket.socket, answer: Answer, reads: bool, asked: Asked) -> None:
    with contextlib.suppress(OSError):
        while True:
            client = asked.client = listener.accept()[0]
            with client, client.makefile("rb") as stream, contextlib.suppress(OSError):
                if asked.over:
                    return
                head = b"".join(iter(lambda: _line(stream), b"\r\n"))
                asked.head = head
                if reads:
                    asked.body = stream.read(int(asked.field("Content-Length")[0]))
                answer(client)


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline()
    if not line:
        raise ConnectionError("whoever came has asked nothing")
    return line
