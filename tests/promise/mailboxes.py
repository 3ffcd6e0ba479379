"""An LMTP server that counts what it stores, and takes its time where it is told to refuse or to be gone."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Mailboxes:
    """`stored` counts the messages of each recipient; `full` are those that get none; `torn` says that the next
    transaction has one answer only, after which the connection is closed. `transactions` has the recipients of each."""

    def __init__(self) -> None:
        self.stored: Counter[str] = Counter()
        self.full: set[str] = set()
        self.torn = False
        self.transactions: list[tuple[str, ...]] = []

    def take(self, recipients: tuple[str, ...]) -> Iterator[bytes]:
        """One transaction whose message is here: an answer for each recipient."""
        self.transactions.append(recipients)
        torn, self.torn = self.torn, False
        for recipient in recipients:
            if recipient in self.full:
                yield b"452 4.2.2 full\r\n"
            else:
                self.stored[recipient] += 1
                yield b"250 2.0.0 stored\r\n"
            if torn:
                return


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
                answers = list(mailboxes.take(tuple(recipients)))
                self.wfile.write(b"".join(answers))
                if len(answers) < len(recipients):
                    return
                recipients.clear()

    with socketserver.ThreadingUnixStreamServer(str(path), Client) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield mailboxes
        finally:
            server.shutdown()
            thread.join()
