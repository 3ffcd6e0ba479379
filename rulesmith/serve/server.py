"""The sockets around the sessions, and what happens in time: too slow, too many, the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

from rulesmith.limits import LMTP_CONNECTIONS, SERVE_GRACE
from rulesmith.serve.connection import Connection
from rulesmith.serve.pool import Pool
from rulesmith.serve.recipients import look_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.serve.line import Line
    from rulesmith.serve.recipients import Recipient
    from rulesmith.serve.settings import Settings

# Seconds between two looks at the clock for everybody.
_LOOK = 1.0
# Seconds for the last answers to be read.
_LAST_WORDS = 0.1
_BACKLOG = 128


class Server:
    """Serves until SIGTERM or SIGINT; `run` gives the exit status."""

    def __init__(self, settings: Settings, listener: socket.socket, nursery: Line) -> None:
        self.settings = settings
        self.name = os.fsencode(socket.gethostname())
        self._listener = listener
        self._nursery = nursery
        self._connections: set[Connection] = set()
        self._told: dict[str, str] = {}
        self._changed = asyncio.Event()
        self.time = time.monotonic  # the loop's, too

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        self.pool = Pool(self._nursery, self.settings.workers, self._note, self._say, self._changed.set)
        self._stop: asyncio.Future[str] = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, number.name)
        serving = await loop.create_unix_server(lambda: Connection(self), sock=self._listener, backlog=_BACKLOG)
        self._say(f"serving {self.settings.socket}")
        if self.settings.ready >= 0:
            os.write(self.settings.ready, b"\n")
            os.close(self.settings.ready)
        self.pool.broken.add_done_callback(lambda _: self._ask_to_stop("the end of the workers"))
        looks = loop.create_task(self._look())
        reason = await self._stop
        self._say(f"caught {reason}. stopping")
        looks.cancel()
        serving.close()
        await self._leave()
        return int(self.pool.broken.done())

    def look_up(self, address: bytes) -> Recipient | None:
        """Whom an address means."""
        return look_up(self.settings, address)

    def admit(self, connection: Connection) -> bool:
        """A new client; False where there are too many."""
        if len(self._connections) >= LMTP_CONNECTIONS:
            return False
        self._connections.add(connection)
        return True

    def leave(self, connection: Connection) -> None:
        """A client is gone."""
        self._connections.discard(connection)
        self._changed.set()

    def _ask_to_stop(self, reason: str) -> None:
        if not self._stop.done():
            self._stop.set_result(reason)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            now = self.time()
            self.pool.look()
            for connection in list(self._connections):
                connection.look(now)

    async def _leave(self) -> None:
        """Messages under way come to a safe point, and their clients hear what became of them."""
        until = self.time() + SERVE_GRACE
        for connection in list(self._connections):
            connection.end()
        self.pool.stop()
        await self._until(lambda: not self.pool.busy, until)
        self.pool.kill()
        # The last answers are still to be written.
        await self._until(lambda: not self._connections, until + _LAST_WORDS)

    async def _until(self, reached: Callable[[], bool], latest: float) -> None:
        while not reached() and self.time() < latest:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), latest - self.time())

    def _note(self, who: str, text: str) -> None:
        """What a worker has to say of a configuration, and another one may say too."""
        before = self._told.get(who, "")
        if text == before:
            return
        self._told[who] = text
        self._say(text or f"{who}: the configuration is in order again")

    @staticmethod
    def _say(text: str) -> None:
        try:
            os.write(2, text.encode("utf-8", "surrogateescape") + b"\n")
        except OSError:
            # A closed or full standard error must not decide what becomes of the mail.
            return


def serve(settings: Settings, listener: socket.socket, nursery: Line) -> int:
    """Serve; the exit status."""
    return asyncio.run(Server(settings, listener, nursery).run())
