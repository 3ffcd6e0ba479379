"""An LMTP server that counts what it stores, and that can refuse, be gone, or see its client stopped."""

from __future__ import annotations

import os
import signal
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Mailboxes:
    """`stored` counts the messages of each recipient, `transactions` has the recipients of each.

    `full` are those that get none; `torn` says that the next transaction has one answer only, after which the
    connection is closed. `stops` is a recipient at whose turn the client gets SIGTERM, once, and who is served when the
    client has ended; `left` is set after that transaction.
    """

    def __init__(self) -> None:
        self.stored: Counter[str] = Counter()
        self.full: set[str] = set()
        self.torn = False
        self.stops = ""
        self.left = threading.Event()
        self.transactions: list[tuple[str, ...]] = []

    def take(self, recipients: tuple[str, ...], client: socket.socket) -> Iterator[bytes]:
        """One transaction whose message is here: an answer for each recipient."""
        self.transactions.append(recipients)
        torn, self.torn = self.torn, False
        left = False
        for recipient in recipients:
            if recipient == self.stops:
                self.stops = ""
                pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                os.kill(pid, signal.SIGTERM)
                left = client.recv(1) == b""
            if recipient in self.full:
                yield b"452 4.2.2 full\r\n"
            else:
                self.stored[recipient] += 1
                yield b"250 2.0.0 stored\r\n"
            if torn:
                return
        if left:
            self.left.set()


@contextmanager
def serving(path: Path) -> Iterator[Mailboxes]:
    """A server at a socket, with any number of clients, which may be killed."""
    mailboxes = Mailboxes()

    class Client(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                self._talk()
            except OSError:
                # The client was killed; what it had handed over is stored.
                return

        def _talk(self) -> None:
            recipients: list[str] = []
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"RCPT":
                    recipients.append(line.strip()[9:-1].decode())
                if word != b"DATA":
                    self.wfile.write(b"250 ok\r\n")
                    continue
                self.wfile.write(b"354 go\r\n")
                while (text := self.rfile.readline()) != b".\r\n":
                    if not text:
                        return
                answered = 0
                for answer in mailboxes.take(tuple(recipients), self.connection):
                    self._say(answer)
                    answered += 1
                if answered < len(recipients):
                    return
                recipients.clear()

        def _say(self, answer: bytes) -> None:
            try:
                self.wfile.write(answer)
            except BrokenPipeError:
                # Who does not hear it has the message all the same.
                return

    with socketserver.ThreadingUnixStreamServer(str(path), Client) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield mailboxes
        finally:
            server.shutdown()
            thread.join()
