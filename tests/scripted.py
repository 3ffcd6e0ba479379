"""A server that says what it is told to, and notes what it hears: for what no well-kept server can be made to do."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

CLOSE = None  # instead of a reply: hang up
SILENCE = b""  # instead of a reply: say nothing, wait for the client to go
TLS = "TLS"  # instead of the next line: go on encrypted


class Heard(list[bytes]):
    """What the client said: lines without their ends, literals and message data as they came."""

    port = 0


@contextlib.contextmanager
def server(
    replies: Sequence[bytes | str | None], path: Path | None = None, context: ssl.SSLContext | None = None
) -> Iterator[Heard]:
    """Serve one connection: the first reply is the greeting, each other answers a line.

    After `354` all data up to the lone dot is heard as one; after `+` a literal, where one was announced. After a
    reply that is torn there is nobody any more.
    """
    listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    listener.bind(str(path) if path else ("127.0.0.1", 0))
    listener.listen()
    heard = Heard()
    if not path:
        heard.port = listener.getsockname()[1]
    thread = threading.Thread(target=_serve, args=(listener, list(replies), heard, context))
    thread.start()
    try:
        yield heard
    finally:
        # Wakes a server that nobody has come to.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        listener.close()
    assert not thread.is_alive()


def _serve(
    listener: socket.socket, replies: list[bytes | str | None], heard: Heard, context: ssl.SSLContext | None
) -> None:
    with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
        client = stack.enter_context(listener.accept()[0])
        stream = stack.enter_context(client.makefile("rb"))
        for reply, following in zip(replies, [*replies[1:], SILENCE], strict=True):
            if reply is CLOSE:
                return
            if isinstance(reply, str):
                assert context
                client = stack.enter_context(context.wrap_socket(client, server_side=True))
                stream = stack.enter_context(client.makefile("rb"))
                continue
            client.sendall(reply)
            if reply and not reply.endswith(b"\n"):
                return
            if following is TLS:
                continue
            if reply.startswith(b"354"):
                heard.append(b"".join(iter(stream.readline, b".\r\n")))
                continue
            announced = re.search(rb"\{(\d+)\}$", heard[-1]) if heard else None
            if reply.startswith(b"+") and announced:
                heard.append(stream.read(int(announced[1])))
            line = stream.readline()
            if not line:
                return
            heard.append(line.removesuffix(b"\r\n"))
        # Whatever else comes is heard too, to the end.
        heard.extend(line.removesuffix(b"\r\n") for line in stream)
