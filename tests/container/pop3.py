"""A POP3 server with as little as fetchmail needs."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self


class Mailbox:
    """Listens on a port while its `with` lasts; nothing is ever deleted in it.

    `times` counts how often each message was handed out, `sessions` how many sessions came to an ordered end after
    they were given the list of all messages; `asked` is set when somebody has asked for that list.
    """

    def __init__(self, *messages: bytes, host: str = "127.0.0.1") -> None:
        self.asked = threading.Event()
        self.sessions = 0
        self.times: list[int] = []
        self._messages: list[bytes] = []
        for message in messages:
            self.add(message)
        box = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                # Who has come sees what was there then.
                there = box._messages[:]
                listed = False
                self.wfile.write(b"+OK\r\n")
                for line in self.rfile:
                    word, *rest = line.upper().split()
                    listed |= word == b"UIDL"
                    self.wfile.write(box._answer(there, word, rest))
                    if word == b"QUIT":
                        box.sessions += listed
                        return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """fetchmail hangs up when it likes."""

        self._server = Server((host, 0), Session)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def add(self, message: bytes) -> None:
        """One more; its lines end with CR LF, and none begins with a dot."""
        self.times.append(0)
        self._messages.append(message)

    @property
    def fetched(self) -> int:
        """How often a message was handed out."""
        return sum(self.times)

    def _answer(self, there: list[bytes], word: bytes, rest: list[bytes]) -> bytes:
        if word == b"STAT":
            return b"+OK %d %d\r\n" % (len(there), sum(map(len, there)))
        if word == b"LIST" and rest:
            return b"+OK %s %d\r\n" % (rest[0], len(there[int(rest[0]) - 1]))
        if word == b"LIST":
            return b"+OK\r\n%s.\r\n" % b"".join(b"%d %d\r\n" % (at, len(each)) for at, each in enumerate(there, 1))
        if word == b"UIDL" and rest:
            return b"+OK %s message-%s\r\n" % (rest[0], rest[0])
        if word == b"UIDL":
            self.asked.set()
            return b"+OK\r\n%s.\r\n" % b"".join(b"%d message-%d\r\n" % (at, at) for at in range(1, len(there) + 1))
        if word in (b"RETR", b"TOP"):
            self.times[int(rest[0]) - 1] += 1
            return b"+OK\r\n" + there[int(rest[0]) - 1] + b".\r\n"
        return b"-ERR\r\n" if word in (b"CAPA", b"LAST") else b"+OK\r\n"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
