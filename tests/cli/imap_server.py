"""An IMAP server with one folder, which notes what it is asked: for what a dry run may ask, and what it may not."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

PASSWORD = "s3cret"


class Asked(list[str]):
    """The commands, without their tags."""

    port = 0


@contextlib.contextmanager
def imap_server(messages: list[bytes]) -> Iterator[Asked]:
    """Serve one connection. UIDs are 11, 12, …"""
    listener = socket.create_server(("127.0.0.1", 0))
    asked = Asked()
    asked.port = listener.getsockname()[1]
    thread = threading.Thread(target=_serve, args=(listener, messages, asked))
    thread.start()
    try:
        yield asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)
        listener.close()
    assert not thread.is_alive()


def _serve(listener: socket.socket, messages: list[bytes], asked: Asked) -> None:
    with contextlib.suppress(OSError), listener.accept()[0] as client, client.makefile("rb") as stream:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        for line in stream:
            tag, _, command = line.decode().strip().partition(" ")
            asked.append(command)
            answer, result = _answer(command, messages)
            client.sendall(answer + f"{tag} {result}\r\n".encode())


def _answer(command: str, messages: list[bytes]) -> tuple[bytes, str]:
    word = command.upper()
    if word.startswith("CAPABILITY"):
        return b"* CAPABILITY IMAP4rev1\r\n", "OK done"
    if word.startswith("LOGIN"):
        return b"", "OK logged in" if PASSWORD in command else "NO [AUTHENTICATIONFAILED] Authentication failed."
    if word.startswith("EXAMINE"):
        return f"* {len(messages)} EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n".encode(), "OK [READ-ONLY] done"
    if word.startswith("UID SEARCH"):
        return b"* SEARCH " + b" ".join(b"%d" % (11 + at) for at in range(len(messages))) + b"\r\n", "OK done"
    if word.startswith("UID FETCH"):
        wanted = [int(each) - 11 for each in word.split()[2].split(",")]
        parts = [
            b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n" % (at + 1, at + 11, len(messages[at]), messages[at])
            for at in wanted
        ]
        return b"".join(parts), "OK done"
    return b"", "OK done"
