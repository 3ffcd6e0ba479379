"""The `maildir` account: every message in `cur`, then every one in `new` (fdm.conf(5), appendix of the dialect).

A source has the shape that the door expects: `messages()` yields (raw, tags, dispose), and the door calls
`dispose(drop)` for each message before it asks for the next; `finish()` ends the account. Whoever stops early or
fails to call `dispose` keeps the mail: only `dispose(True)` lets a message go.
"""

from __future__ import annotations

import os
import stat

from rulesmith.delivery import folders
from rulesmith.effects import Failure
from rulesmith.sources import paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rulesmith.delivery.world import World

    Fetched = tuple[bytes, dict[bytes, bytes], Callable[[bool], None]]


class Source:
    """The maildirs that some patterns (glob(3)) name."""

    __slots__ = ("_patterns", "_world")

    def __init__(self, patterns: tuple[bytes, ...], world: World) -> None:
        self._patterns = patterns
        self._world = world

    def messages(self) -> Iterator[Fetched]:
        """Each message with its tags. A dropped one is unlinked at once.

        fdm unlinks them when their folder is done: what ends it before that, an empty file will do, has everything
        delivered again at the next run, and at each one after it.

        Raises Failure in fdm's words: nothing found, not readable, empty or too big.
        """
        for folder in self._folders():
            dropped: list[bytes] = []
            try:
                for path, size in _files(folder):
                    dispose = _disposer(path, dropped)
                    if size > self._world.settings["maximum-size"]:
                        refuse_size(size, self._world)
                        dispose(True)
                        continue
                    raw = _read(path)
                    if raw is None:
                        continue
                    if not raw:
                        raise Failure("empty message")
                    yield raw, _tags(folder), dispose
            finally:
                if dropped:
                    folders.sync_folder(folder)

    def count(self) -> int:
        """The number of messages, for `poll`. Raises Failure."""
        return sum(1 for folder in self._folders() for _ in _files(folder))

    def finish(self) -> None:
        """Nothing is left to do."""

    def _folders(self) -> list[bytes]:
        found = []
        for pattern in self._patterns:
            for path in paths.expand(pattern):
                pair = [path + b"/cur", path + b"/new"]
                if all(self._usable(folder) for folder in pair):
                    found += pair
        if not found:
            raise Failure("no maildirs found")
        return found

    def _usable(self, folder: bytes) -> bool:
        try:
            # The dot makes anything but a folder an error with the system's own text.
            os.stat(folder + b"/.")
        except OSError as error:
            self._world.warn(folder + b": " + (error.strerror or "").encode())
            return False
        return True


def refuse_size(size: int, world: World) -> None:
    """A message over `maximum-size`: with `delete-oversized` it goes, else the account stops (Failure)."""
    text = f"message too big: {size} bytes"
    if not world.settings["delete-oversized"]:
        raise Failure(text)
    world.warn(text.encode())


def _files(folder: bytes) -> Iterator[tuple[bytes, int]]:
    """Regular files with their sizes, in the order of the folder, as it is now: later arrivals wait."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise folders.refusal(folder, error, "opendir") from None
    for name in names:
        path = folder + b"/" + name
        try:
            found = os.stat(path)
        except FileNotFoundError:
            # A mail reader renamed it meanwhile, or a link leads nowhere.
            continue
        except OSError as error:
            raise folders.refusal(path, error, "stat") from None
        if stat.S_ISREG(found.st_mode):
            yield path, found.st_size


def _read(path: bytes) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise folders.refusal(path, error, "open") from None


def _tags(folder: bytes) -> dict[bytes, bytes]:
    path = folders.parent_of(folder)
    name = folders.name_of(path)
    return {b"source": name, b"maildir": name, b"maildir_path": path, b"maildir_file": folder}


def _disposer(path: bytes, dropped: list[bytes]) -> Callable[[bool], None]:
    def dispose(drop: bool) -> None:
        if not drop:
            return
        try:
            os.unlink(path)
        except FileNotFoundError:
            # Somebody else removed it: it is as gone as it should be.
            return
        except OSError as error:
            raise folders.refusal(path, error, "unlink") from None
        dropped.append(path)

    return dispose
