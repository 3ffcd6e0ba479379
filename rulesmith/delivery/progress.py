"""How far a message has come: which of its deliveries are done, how often it was tried, what stopped it.

One file a message, in the journal or beside its entry in the queue, where the entry itself holds the records of a try
that has not failed (entry.py). It is a text file, one record a line: the CRC-32 of the rest of the line, a word, its
values with `%xx` for what is not printable. A record is written with one write and synced; a line that is torn or
damaged ends the file, and a later record goes where it began.

    rulesmith-progress VERSION
    begin WHEN             the arrival: tags made of the time are the same at every try
    try WHEN               a further try begins; without a `fail` behind it, it was killed
    done STEP WHAT TAG VALUE …   a delivery that shall not be made again, and the tags it set
    cache PATH KEY BEFORE  a key is about to be added or removed; BEFORE is 1 if it was there
    fail WHEN CAUSE BESIDE WHAT REASON   how a try ended; BESIDE is 1 where CAUSE let others through
    tries NUMBER SINCE     stands for so many failed tries (a long record is written anew)

STEP is a digest of what a delivery does, and its number among equal ones: after a change of the configuration
what is really the same is still known.
"""

from __future__ import annotations

import fcntl
import posix
import zlib

from rulesmith.delivery import folders
from rulesmith.delivery.plan import describe, step_name
from rulesmith.effects import DELIVER
from rulesmith.limits import PROGRESS_FAILURES, PROGRESS_TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

VERSION = b"1"
_MAGIC = b"rulesmith-progress"
_PLAIN = b"!\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"


class Unreadable(Exception):
    """The file is of another version: what it says is not known."""


def pack(*values: bytes) -> bytes:
    """One line for a record."""
    text = b" ".join(values)
    if text.translate(None, _PLAIN) != b" " * (len(values) - 1):
        text = b" ".join([_quoted(value) if value.translate(None, _PLAIN) else value for value in values])
    return b"%08x %s\n" % (zlib.crc32(text), text)


def unpack(line: bytes) -> list[bytes] | None:
    """The values of a line without its LF; None where it is torn or damaged."""
    check, _, text = line.partition(b" ")
    if check != b"%08x" % zlib.crc32(text):
        return None
    values = text.split(b" ")
    return [_unquoted(value) for value in values] if b"%" in text else values


def _quoted(value: bytes) -> bytes:
    return b"".join([b"%c" % octet if octet in _PLAIN else b"%%%02x" % octet for octet in value])


def _unquoted(value: bytes) -> bytes:
    first, *rest = value.split(b"%")
    return first + b"".join([bytes((int(part[:2], 16),)) + part[2:] for part in rest])


class Progress:
    """The record of one message, open and locked; a file that only this process writes.

    `now` is the arrival (Unix time), `tries` how many tries have failed, `since` the earliest time of any of them (a
    clock may be set back), `last` that of the last one (both None before that). `reason`, `cause` and `what` are the
    last failure's: the sentence, which of the things outside failed, and the delivery. `stubborn` counts the failures
    in a row, up to the last, while the same cause let others through. `done` lists the descriptions of what is stored.
    `within` says that the records are behind the message in its entry; `path` is where they go when a try has failed.
    """

    __slots__ = (
        "_before",
        "_changed",
        "_damaged",
        "_descriptor",
        "_end",
        "_failures",
        "_named",
        "_seen",
        "_start",
        "_steps",
        "_trying",
        "_unwritten",
        "cause",
        "done",
        "last",
        "now",
        "path",
        "reason",
        "since",
        "stubborn",
        "tries",
        "what",
        "within",
    )

    def __init__(self, path: bytes, descriptor: int, start: int = -1) -> None:
        """Read what there is; from `start` on where the file is the entry of the message. The descriptor is ours from
        now on. Raises OSError, Unreadable."""
        self.path = path
        self.within = start >= 0
        self.now = 0
        self.tries = 0
        self.since: int | None = None
        self.last: int | None = None
        self.reason = b""
        self.cause = b""
        self.what = b""
        self.stubborn = 0
        self.done: list[bytes] = []
        self._descriptor = descriptor
        self._start = self._end = max(start, 0)
        self._unwritten = b""
        self._named = True  # the name of the file is on the disk
        self._damaged = False
        self._failures = 0
        self._trying: int | None = None
        self._steps: dict[bytes, dict[bytes, bytes]] = {}
        self._seen: dict[bytes, int] = {}  # equal steps of this run
        self._before: dict[tuple[bytes, bytes], bool] = {}
        self._changed: set[tuple[bytes, bytes]] = set()  # in this run
        self._load()

    def _load(self) -> None:
        octets = posix.pread(self._descriptor, posix.fstat(self._descriptor).st_size - self._start, self._start)
        for line in octets.split(b"\n")[:-1]:
            record = unpack(line)
            if record is None:
                self._damaged = True
                break
            if self._end == self._start and record != [_MAGIC, VERSION]:
                if self.within and record[0] == b"scan":
                    # Of a scan that is not whole nothing more can follow.
                    self._damaged = True
                    break
                raise Unreadable
            self._take(*record)
            self._end += len(line) + 1
        if self._trying is not None:
            self._was_killed(self._trying)

    def _was_killed(self, when: int) -> None:
        """A try that has left nothing but its begin."""
        self._failed(when)
        self._trying = None

    def _failed(self, when: int) -> None:
        self.tries += 1
        self.last = when
        self.since = when if self.since is None else min(self.since, when)

    def _take(self, word: bytes, *values: bytes) -> None:
        if word == b"begin":
            self.now = int(values[0])
        elif word == b"try":
            if self._trying is not None:
                self._was_killed(self._trying)
            self._trying = int(values[0])
        elif word == b"done":
            step, what, *tags = values
            self._steps[step] = dict(zip(tags[::2], tags[1::2], strict=True))
            self.done.append(what)
        elif word == b"cache":
            path, key, before = values
            self._before.setdefault((path, key), before == b"1")
        elif word == b"fail":
            when, self.cause, beside, self.what, self.reason = values
            self._failed(int(when))
            self.stubborn = self.stubborn + 1 if beside == b"1" else 0
            self._failures += 1
            self._trying = None
        elif word == b"tries":
            self.tries, self.since = int(values[0]), int(values[1])

    def begin(self, now: int, fresh: bool = False) -> None:
        """The first record of a new file, which is written with the next one. `fresh`: nor is its name on the disk."""
        self.now = now
        self._unwritten = pack(_MAGIC, VERSION) + pack(b"begin", b"%d" % now)
        self._named = not fresh

    # Each of these is on the disk when it returns, or raises OSError.

    def keep(self) -> None:
        """What has not been written yet."""
        if self._unwritten:
            self._write()

    def _write(self, *records: bytes) -> None:
        text = self._unwritten + b"".join(records)
        at = self._end
        rest = memoryview(text)
        try:
            while rest:
                written = posix.pwrite(self._descriptor, rest, at)
                at += written
                rest = rest[written:]
            posix.fsync(self._descriptor)
            if not self._named:
                folders.sync_folder(folders.parent_of(self.path))
        except OSError:
            # A torn record would hide those behind it. Where even this fails, reading stops there.
            try:
                posix.ftruncate(self._descriptor, self._end)
            except OSError:
                pass
            raise
        self._end = at
        self._unwritten = b""
        self._named = True

    def retry(self, when: int) -> None:
        """A further try begins: should it be killed, it counts all the same."""
        if self.within or self._failures > PROGRESS_FAILURES:
            self._condense()
        # Behind a torn end something else would be read as ours.
        posix.ftruncate(self._descriptor, self._end)
        self._write(pack(b"try", b"%d" % when))

    def fail(self, when: int, reason: bytes, cause: bytes = b"", what: bytes = b"", beside: bool = False) -> None:
        """The try has ended without the whole plan being done."""
        if self.within:
            self._condense()
        self.reason, self.cause, self.what = reason[:PROGRESS_TEXT], cause, what[:PROGRESS_TEXT]
        self._write(pack(b"fail", b"%d" % when, cause, b"1" if beside else b"0", self.what, self.reason))
        self._failed(when)
        self.stubborn = self.stubborn + 1 if beside else 0
        self._failures += 1

    def _condense(self) -> None:
        """Write a file anew, one record for all failed tries. The lock goes over to the new file."""
        if self.within:
            # Nothing more is written there, and the scan before our records may not be on the disk.
            posix.fsync(self._descriptor)
        records = [pack(_MAGIC, VERSION), pack(b"begin", b"%d" % self.now)]
        if self.tries:
            records += [pack(b"tries", b"%d" % (self.tries - 1), b"%d" % (self.since or self.now))]
        records += [
            pack(b"done", step, what, *[part for tag in tags.items() for part in tag])
            for (step, tags), what in zip(self._steps.items(), self.done, strict=True)
        ]
        records += [pack(b"cache", path, key, b"1" if before else b"0") for (path, key), before in self._before.items()]
        if self.last is not None:
            beside = b"1" if self.stubborn else b"0"
            records += [pack(b"fail", b"%d" % self.last, self.cause, beside, self.what, self.reason)]
        draft = self.path + b".new"
        descriptor = posix.open(
            draft, posix.O_RDWR | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            text = b"".join(records)
            folders.write_all(descriptor, text)
            posix.fsync(descriptor)
            posix.rename(draft, self.path)
            folders.sync_folder(folders.parent_of(self.path))
        except BaseException:
            posix.close(descriptor)
            raise
        posix.close(self._descriptor)
        self._descriptor, self._end, self._failures = descriptor, len(text), int(self.last is not None)
        self._start, self.within, self._unwritten, self._named = 0, False, b"", True

    def move(self, path: bytes) -> None:
        """Lie there from now on, where another lock keeps others away. Raises Failure, and is where it was."""
        try:
            descriptor = posix.open(
                path, posix.O_RDWR | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600
            )
            try:
                folders.write_all(descriptor, posix.pread(self._descriptor, self._end, 0))
                posix.fsync(descriptor)
                folders.sync_folder(folders.parent_of(path))
                self._leave()
            except OSError:
                posix.close(descriptor)
                posix.unlink(path)
                raise
        except OSError as error:
            raise folders.refusal(path, error) from None
        posix.close(self._descriptor)
        self._descriptor, self.path = descriptor, path

    def _leave(self) -> None:
        try:
            posix.unlink(self.path)
        except OSError:
            # Its folder may be closed to us. Empty it says nothing, and goes with its age.
            posix.ftruncate(self._descriptor, 0)

    def remove(self) -> None:
        """The message is done with. Raises OSError."""
        posix.unlink(self.path)

    def abandon(self) -> bool:
        """Let go of a new record of which nothing could be written; False where there is more to it."""
        if not self._unwritten or (self._named and not self.within):
            return False
        try:
            if not self.within:
                posix.unlink(self.path)
        except OSError:
            # An empty record says nothing; it goes with its age.
            pass
        self.close()
        return True

    def close(self) -> None:
        """Let go of the file; what it says stays."""
        if self._descriptor >= 0:
            posix.close(self._descriptor)
            self._descriptor = -1

    # What the steps of a run ask and tell (delivery/steps.py).

    def store(self, effect: tuple[Any, ...], answer: Any) -> None:
        """A delivery is made: never again. Raises OSError."""
        self.store_all([(effect, answer)])

    def store_all(self, made: list[tuple[tuple[Any, ...], Any]]) -> None:
        """Some deliveries are made, and written down with one write. Raises OSError."""
        steps = [
            (self._name(effect), describe(effect)[:PROGRESS_TEXT], answer if effect[0] == DELIVER else {})
            for effect, answer in made
        ]
        self._write(
            *[pack(b"done", step, what, *[part for tag in tags.items() for part in tag]) for step, what, tags in steps]
        )
        for step, what, tags in steps:
            self._steps[step] = tags
            self.done.append(what)

    def known(self, effect: tuple[Any, ...]) -> Any:
        """The answer to a step that an earlier try has made; None where it has to be made."""
        step = self._name(effect)
        tags = self._steps.get(step)
        if tags is None:
            # Counted when it is done.
            self._seen[step.partition(b".")[0]] -= 1
            return None
        return tags if effect[0] == DELIVER else (0, b"")

    def _name(self, effect: tuple[Any, ...]) -> bytes:
        name = step_name(effect)
        number = self._seen.get(name, 0)
        self._seen[name] = number + 1
        return name + b".%d" % number

    def had(self, path: bytes, key: bytes) -> bool | None:
        """Whether a cache had the key before an earlier try of this message changed that; None: ask the cache.

        Of a damaged record nobody knows what it said; better a duplicate than one that is taken for one.
        """
        return None if (path, key) in self._changed else self._before.get((path, key), False if self._damaged else None)

    def added(self) -> list[tuple[bytes, bytes]]:
        """The keys, each with its cache's path, that were not there before this message added them."""
        return [where for where, before in self._before.items() if not before]

    def will_change(self, path: bytes, key: bytes, had: Callable[[], bool]) -> None:
        """The run is about to add or remove a key. From now on a look-up tells what is there. Raises OSError.

        The record comes first: if the change came first and then we died, the retry would find the key, and
        rules that drop duplicates would drop the only copy.
        """
        if (path, key) not in self._before:
            before = had()
            self._write(pack(b"cache", path, key, b"1" if before else b"0"))
            self._before[path, key] = before
        self._changed.add((path, key))
