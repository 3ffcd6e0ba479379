"""A POP3 server with one message: as little as fetchmail needs."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType
from typing import Self


class Mailbox:
    """Listens on a port while its `with` lasts; `fetched` counts how often the message was handed out,
    `asked` is set when somebody has asked for its UID.
    """

    def __init__(self, message: bytes, host: str = "127.0.0.1") -> None:
        self.fetched = 0
        self.asked = threading.Event()

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"+OK\r\n")
                for line in self.rfile:
                    word, *rest = line.upper().split()
                    self.wfile.write(answer(word, rest))
                    if word == b"QUIT":
                        return

        def answer(word: bytes, rest: list[bytes]) -> bytes:
            if word == b"STAT":
                return b"+OK 1 %d\r\n" % len(message)
            if word == b"LIST" and rest:
                return b"+OK 1 %d\r\n" % len(message)
            if word == b"LIST":
                return b"+OK\r\n1 %d\r\n.\r\n" % len(message)
            if word == b"UIDL":
                self.asked.set()
                return b"+OK\r\n1 the-only-one\r\n.\r\n"
            if word in (b"RETR", b"TOP"):
                self.fetched += 1
                return b"+OK\r\n" + message + b".\r\n"
            return b"-ERR\r\n" if word in (b"CAPA", b"LAST") else b"+OK\r\n"

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """fetchmail hangs up when it likes."""

        self._server = Server((host, 0), Session)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
