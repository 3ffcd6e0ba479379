"""Where workers come from: a small process that has loaded what they need, and nothing of the server.

It starts one for each request and sends back their end of a line, or no process number and no line where it cannot. It
ends with the server, however that ends, and with it the workers: as after SIGTERM, so that each delivery under way is
made and written down, or neither.
"""

from __future__ import annotations

import _signal
import gc
import os
import select
import time

from rulesmith.limits import SERVE_GRACE
from rulesmith.log import Log
from rulesmith.serve import line, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from rulesmith.serve.line import Line
    from rulesmith.serve.settings import Settings

NEW, BORN = "new", "born"
# Milliseconds between two looks for workers that have ended.
_LOOK = 1000
_PAUSE = 0.01


def start(settings: Settings) -> tuple[Line, int]:
    """The server's line to its nursery, and the nursery's process number."""
    ours, theirs = line.pair()
    pid = os.fork()
    if not pid:
        try:
            ours.close()
            if settings.ready >= 0:
                os.close(settings.ready)
            for number in (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP):
                # A service manager may tell everybody; the server says what is to be done.
                _signal.signal(number, _signal.SIG_IGN)
            _run(theirs, settings)
        except Exception:  # noqa: BLE001
            _say_fault()
        finally:
            os._exit(1)
    theirs.close()
    return ours, pid


def _run(server: Line, settings: Settings) -> NoReturn:
    worker.prepare()
    # A collection writes into all that it looks at, and what is written is not shared with the workers any more.
    gc.freeze()
    children: set[int] = set()
    poll = select.poll()
    poll.register(server.socket.fileno(), select.POLLIN)
    while True:
        if poll.poll(_LOOK):
            heard = server.hear()
            if heard is None:
                _end(children)
            assert heard[0] == (NEW,)
            try:
                children.add(_bear(server, settings))
            except OSError as error:
                Log().warn(f"no worker can be started: {error.strerror}")
                _say(server, BORN, None)
        _bury(children)


def _bear(server: Line, settings: Settings) -> int:
    """Raises OSError."""
    ours, theirs = line.pair()
    try:
        pid = os.fork()
        if not pid:
            try:
                ours.close()
                server.close()
                worker.work(theirs, settings)
            except Exception:  # noqa: BLE001
                _say_fault()
            finally:
                os._exit(1)
        _say(server, BORN, pid, descriptor=ours.socket.fileno())
    finally:
        ours.close()
        theirs.close()
    return pid


def _say(server: Line, *words: Any, descriptor: int = -1) -> None:
    try:
        server.say(*words, descriptor=descriptor)
    except OSError:
        # The server has just ended, which the next look shows.
        return


def _say_fault() -> None:
    """A fault of ours is told in full."""
    import traceback  # never loaded in a healthy run

    for each in traceback.format_exc().splitlines():
        Log().warn(each)


def _bury(children: set[int]) -> None:
    while children:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        children.discard(pid)


def _signal_all(children: set[int], number: int) -> None:
    # Who has ended is not buried yet, so the number is still his.
    for pid in children:
        os.kill(pid, number)


def _end(children: set[int]) -> NoReturn:
    """Nobody is left to hear an answer."""
    until = time.monotonic() + SERVE_GRACE
    _signal_all(children, _signal.SIGTERM)
    while children and time.monotonic() < until:
        _bury(children)
        time.sleep(_PAUSE)
    _signal_all(children, _signal.SIGKILL)
    os._exit(0)
