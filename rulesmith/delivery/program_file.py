"""The compiled program, kept between starts: a file that is right or is not used.

It may be used again only when the result cannot differ. So its stamp holds everything that the compiler asked of
the machine (compiler/facts.py) and what the caller gave (`Key`), and every start checks it all. Whatever does
not fit, whatever cannot be read, whatever others could have written: compile again. Nothing is migrated.
`marshal` trusts its input, hence the care about who owns the file. It is

    CRC-32 of the head, size of the head (4 octets each, big-endian)
    head, marshal: (values of the key, stamp, program, warnings)
    the packs of the program's stretches (stretches.py), in the head (where, how many octets, CRC-32)

Of thousands of rules a message needs the packs of a few, so a pack is read when it is needed.
"""

from __future__ import annotations

import marshal
import posix
import sys
import time
import zlib

from rulesmith import __version__, environment
from rulesmith.effects import Failure
from rulesmith.program import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.program import Program

    User = tuple[bytes, int, int, bytes]

OTHERS_WRITE = 0o022
# A file that is no longer is read at once.
_SHORT = 1 << 16
_LAST_STREAM = 2


class Key:
    """What a start brings along: two starts with different keys never share a program.

    `path` is the configuration as given, `me` the invoking user (its home is $HOME with -h), `macros` the
    values of -D as given, `user` that of -u, `site` the file of settings that come first. With `checked` only a
    program will do that has passed its tests.
    """

    __slots__ = ("_values", "checked", "macros", "me", "path", "site", "user")

    def __init__(
        self, path: str, me: User, macros: list[str], user: str | None, site: str | None = None, checked: bool = False
    ) -> None:
        self.path = path
        self.me = me
        self.macros = macros
        self.user = user
        self.site = site
        self.checked = checked
        self._values: tuple[Any, ...] | None = None

    def values(self) -> tuple[Any, ...]:
        """Everything that the program depends on and that is known without looking at any file. Raises OSError."""
        if self._values is None:
            self._values = (
                FORMAT,
                __version__,
                sys.implementation.cache_tag,
                posix.getcwd(),
                self.path,
                environment.variable(b"HOME"),
                self.me,
                tuple(self.macros),
                self.user,
                self.site,
                self.checked,
            )
        return self._values

    def file(self) -> bytes:
        """Where the program of this start lies. Raises OSError.

        Under $XDG_CACHE_HOME, else $HOME/.cache; the environment's HOME counts, because that is where the invoking
        user can be expected to write.
        """
        base = environment.variable(b"XDG_CACHE_HOME") or b""
        if base[:1] != b"/":
            base = environment.variable(b"HOME") or b""
            if base[:1] != b"/":
                raise FileNotFoundError("neither HOME nor XDG_CACHE_HOME is set")
            base += b"/.cache"
        octets = marshal.dumps(self.values(), 2)
        return base + b"/rulesmith/%08x%08x.program" % (zlib.crc32(octets), zlib.adler32(octets))


def load(key: Key) -> tuple[Program, tuple[str, ...]] | None:
    """The program for a start and the warnings to repeat, or None: compile."""
    found = kept(key)
    return found[1:] if found is not None and holds(found[0], key.me) else None


def kept(key: Key, whole: bool = False) -> tuple[dict[str, Any], Program, tuple[str, ...]] | None:
    """The stamp, the program and the warnings of the last start that could compile, whether or not they hold still.

    With `whole` nothing is left to be read: for a process that goes on when the file is another one.
    """
    try:
        path = key.file()
        descriptor = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK | posix.O_CLOEXEC)
        rest = Rest(path, descriptor)
        head = rest.head()
        if head is None:
            return None
        values, stamp, program, warnings = marshal.loads(head)
        if values != key.values():
            return None
        # A standard stream that is closed must stay so: the message would be read from here.
        whole = whole or descriptor <= _LAST_STREAM
        rules = with_packs(program[4], lambda places: rest.packs(places) if whole else Packs(rest, places))
        return stamp, (*program[:4], rules), warnings
    except (OSError, ValueError, EOFError, TypeError, Failure):
        return None


def with_packs(rules: tuple[Any, ...], packs: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Rules with something else in the place of the packs of each stretch."""
    return tuple(
        (None, item[1], packs(item[2]), item[3])
        if item[0] is None
        else (*item[:6], with_packs(item[6], packs), item[7])
        if item[6]
        else item
        for item in rules
    )


class Packs:
    """The packs of a stretch, read one by one; as many as there are."""

    __slots__ = ("_places", "_rest")

    def __init__(self, rest: Rest, places: tuple[tuple[int, int, int], ...]) -> None:
        self._rest = rest
        self._places = places

    def __getitem__(self, number: int) -> bytes:
        """A pack. Raises IndexError, Failure."""
        return self._rest.pack(*self._places[number])


class Rest:
    """A program file that is open until nobody needs it any more."""

    __slots__ = ("_at", "_descriptor", "_path")

    def __init__(self, path: bytes, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._at = 8  # where the packs begin

    def __del__(self) -> None:
        posix.close(self._descriptor)

    def head(self) -> memoryview | None:
        """The head, if the file is ours alone and the head is whole. Raises OSError."""
        status = posix.fstat(self._descriptor)
        if status.st_uid != posix.geteuid() or status.st_mode & OTHERS_WRITE:
            return None
        octets = posix.read(self._descriptor, _SHORT)
        size = int.from_bytes(octets[4:8], "big")
        if 8 + size > status.st_size:
            return None
        if len(octets) < 8 + size:
            octets += posix.read(self._descriptor, 8 + size - len(octets))
        head = memoryview(octets)[8 : 8 + size]
        self._at += size
        return head if len(head) == size and zlib.crc32(head).to_bytes(4, "big") == octets[:4] else None

    def packs(self, places: tuple[tuple[int, int, int], ...]) -> tuple[bytes, ...]:
        """All packs of a stretch. Raises Failure."""
        return tuple([self.pack(*place) for place in places])

    def pack(self, at: int, size: int, check: int) -> bytes:
        """One, whole. Raises Failure, after which the next start compiles."""
        try:
            found = posix.pread(self._descriptor, size, self._at + at)
        except OSError as error:
            why = error.strerror
        else:
            if len(found) == size and zlib.crc32(found) == check:
                return found
            why = "the compiled configuration is damaged"
        why = f"{environment.text_of(self._path)}: {why}"
        try:
            posix.unlink(self._path)
        except FileNotFoundError:
            pass  # another message has found it out
        except OSError as error:
            raise Failure(f"{why}, and it cannot be removed: {error.strerror}") from None
        raise Failure(f"{why}; it is made anew for the next message")


def holds(stamp: dict[str, Any], me: User) -> bool:
    """Whether everything that the compiler saw is still as it was."""
    try:
        return _holds(stamp, me)
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _holds(stamp: dict[str, Any], me: User) -> bool:
    """The same; raises what a file that is gone, or a stamp that is none, gives."""
    for path, seen in stamp["files"].items():
        status = posix.stat(path)
        if (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino) != seen:
            return False
    for path in stamp["absent"]:
        if _can_open(path):
            return False
    if stamp["tags"] and not _tags_hold(stamp["tags"]):
        return False
    if stamp["umask"] is not None:
        mask = posix.umask(0o077)
        posix.umask(mask)
        if mask != stamp["umask"]:
            return False
    if stamp["users"] or stamp["groups"] or stamp["gids"]:
        from rulesmith.delivery import people  # only where a configuration names them while it is read

        return (
            all(people.find_user(name, me) == seen for name, seen in stamp["users"].items())
            and all(people.find_group(name) == seen for name, seen in stamp["groups"].items())
            and all(people.has_gid(gid) == seen for gid, seen in stamp["gids"].items())
        )
    return True


def _can_open(path: bytes) -> bool:
    """Whether a file that could not be opened then can be opened now."""
    try:
        posix.close(posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK))
    except OSError:
        return False
    return True


def _tags_hold(seen: dict[bytes, bytes]) -> bool:
    from rulesmith.mail import date  # few configurations use the date in their regexps or names

    now = {b"hostname": environment.octets_of(posix.uname().nodename), **date.tags(int(time.time()))}
    return all(now.get(name) == value for name, value in seen.items())
