"""Programs of configurations, kept as long as what they were made of is as it was.

A changed configuration is compiled in another process, which takes the compiler's memory with it when it ends. Where
it has an error, the last program that was right goes on: the one that this worker has, else the one that was stored.
"""

from __future__ import annotations

import _signal
import marshal
import os
import time

from rulesmith.delivery import program_file, program_store
from rulesmith.load import site_file
from rulesmith.log import Log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.options import Options
    from rulesmith.program import Program

    User = tuple[bytes, int, int, bytes]
    Stamp = dict[str, Any]

# So many programs in the memory of each worker.
_KEPT = 8
# Seconds for which a configuration that has an error, and is as it was, is not compiled again: what it includes may
# have changed.
_PATIENCE = 10.0


class Programs:
    """Those that a worker has. `note` gets what there is to say: who, and a text."""

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note
        self._kept: dict[Any, tuple[Stamp | None, Program]] = {}
        self._refused: dict[Any, tuple[Any, float, dict[str, Any]]] = {}

    def load(self, path: str, options: Options, me: User) -> tuple[Program | None, dict[str, Any]]:
        """The program to run, None where there is none; and the settings that hold."""
        key = program_file.Key(path, me, options.macros, options.user, site_file())
        values = key.values()
        program, settings = self._load(key, values, options)
        if options.scan is not None:
            settings["scan"] = options.scan or None
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return program, settings

    def _load(self, key: program_file.Key, values: Any, options: Options) -> tuple[Program | None, dict[str, Any]]:
        known = self._kept.pop(values, None)
        if known is not None:
            # The one used last is the last to be forgotten.
            self._kept[values] = known
            if known[0] is not None and program_file.holds(known[0], key.me):
                return known[1], known[1][0]
        stored = program_file.kept(key, whole=True)
        if stored is not None and program_file.holds(stored[0], key.me):
            return self._new(values, stored[0], stored[1], list(stored[2]))
        state = _state_of(key)
        refused = self._refused.get(values)
        if refused is None or refused[0] != state or time.monotonic() - refused[1] > _PATIENCE:
            stamp, program, settings, said = _compiled(key, options)
            if program is not None:
                self._refused.pop(values, None)
                return self._new(values, stamp, program, said)
            last = "the last one that was right goes on" if known or stored else "mail waits until it is right"
            self._note(key.path, "\n".join([*said, f"{key.path}: the configuration cannot be used; {last}"]))
            refused = self._refused[values] = (state, time.monotonic(), settings)
        if known is not None:
            return known[1], known[1][0]
        if stored is not None:
            self._kept[values] = (None, stored[1])
            return stored[1], stored[1][0]
        return None, refused[2]

    def _new(
        self, values: Any, stamp: Stamp | None, program: Program, said: list[str]
    ) -> tuple[Program, dict[str, Any]]:
        self._kept[values] = (stamp, program)
        self._note(values[4], "\n".join(said))
        return program, program[0]


def _state_of(key: program_file.Key) -> Any:
    """Another one when somebody has written the configuration, or the site's."""
    found = []
    for path in (key.path, key.site):
        try:
            status = os.stat(path or "")
        except OSError as error:
            found.append((error.errno, 0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
    return found


class _Said(Log):
    """A log that keeps what is said."""

    __slots__ = ("lines",)

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def warn(self, text: str) -> None:
        self.lines.append(text)


def _compiled(
    key: program_file.Key, options: Options
) -> tuple[Stamp | None, Program | None, dict[str, Any], list[str]]:
    """The stamp, None where the program must not be used again; the program, None where the configuration has an
    error; the settings; and what was said. Raises OSError where no process can be started."""
    listen, tell = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(listen)
            _compile(key, options, tell)
        except Exception:  # noqa: BLE001
            import traceback  # a fault of ours, which is told in full

            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(tell)
    try:
        with open(listen, "rb") as stream:
            octets = stream.read()
    except BaseException:
        os.kill(pid, _signal.SIGKILL)
        raise
    finally:
        status = os.waitpid(pid, 0)[1]
    if not octets:
        raise OSError(0, f"the compiler has ended with {os.waitstatus_to_exitcode(status)}")
    found: tuple[Any, Any, Any, Any] = marshal.loads(octets)  # noqa: S302  (our own child wrote it)
    return found


def _compile(key: program_file.Key, options: Options, tell: int) -> None:
    """In a process of its own."""
    for number in (_signal.SIGTERM, _signal.SIGINT):
        _signal.signal(number, _signal.SIG_DFL)
    from rulesmith.fresh import fresh_program  # the compiler and all

    log = _Said()
    compiled, settings = fresh_program(key.path, options, log, key.me, key.site)
    stamp = program = None
    if compiled is not None and compiled.program is not None:
        program, settings = compiled.program, compiled.program[0]
        if compiled.facts.unstable is None:
            stamp = compiled.facts.stamp()
            program_store.store(key, stamp, program, compiled.standing)
    octets = memoryview(marshal.dumps((stamp, program, settings, log.lines)))
    while octets:
        octets = octets[os.write(tell, octets) :]
    os._exit(0)
