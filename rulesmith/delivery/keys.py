"""The caches of fdm.conf(5): keys, each with the time it was last added. Ours are SQLite files.

The file lies at the path that the configuration names. It has an application id of its own: a file that is
something else is never written to.
"""

from __future__ import annotations

import os
import time

from rulesmith.delivery import folders, tdb
from rulesmith.effects import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from typing import Any

    from rulesmith.delivery.world import World

# "rlsm", for file(1) and for us.
APPLICATION_ID = 0x726C736D
_MAGIC = b"SQLite format 3\0"
# Seconds to wait for another process; each holds the file for some milliseconds.
_PATIENCE = 30.0
_LATEST = (1 << 63) - 1
_SCHEMA = (
    "CREATE TABLE keys (key BLOB PRIMARY KEY NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX ages ON keys (time)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    "PRAGMA user_version = 1",
)


def open_cache(path: bytes, expire: int, world: World) -> Cache:
    """The cache at `path`, made if it is missing; what is older than `expire` seconds (if > 0) is gone.

    Raises Failure: the system's words, or that the file is none of ours.
    """
    cache = Cache(path)
    world.trace("opened-cache", path, cache.count())
    if expire > 0:
        world.trace("expired-cache", path, cache.expire(int(time.time()) - expire))
    return cache


class Cache:
    """One open cache. Several processes may have it open; every call is one transaction.

    Every method raises Failure when the file cannot be used.
    """

    __slots__ = ("_base", "_path")

    def __init__(self, path: bytes) -> None:
        import sqlite3  # costs as much as the whole program, and few configurations have a cache

        self._path = path
        new = _look(path)
        # With a slash, because SQLite has a meaning of its own for some names without (":memory:").
        where = path if path[:1] == b"/" else b"./" + path
        try:
            self._base: sqlite3.Connection = sqlite3.connect(where, _PATIENCE, 0, None)
        except sqlite3.Error as error:
            raise Failure(f"{folders.text_of(path)}: {error}") from None
        try:
            if new or not self._is_ours():
                self._do("BEGIN IMMEDIATE")
                self._prepare()
                self._do("COMMIT")
        except BaseException:
            self._base.close()
            raise

    def has(self, key: bytes) -> bool:
        """Whether the key is there; its time stays as it is."""
        return bool(self._do("SELECT 1 FROM keys WHERE key = ?", (key,)))

    def add(self, key: bytes, when: int | None = None) -> None:
        """Store a key with the time `when` (Unix; default now), also where it exists already."""
        moment = int(time.time()) if when is None else when
        self._do("INSERT OR REPLACE INTO keys VALUES (?, ?)", (key, moment))

    def remove(self, key: bytes) -> bool:
        """Forget a key; whether it was there."""
        return bool(self._do("DELETE FROM keys WHERE key = ? RETURNING 1", (key,)))

    def expire(self, before: int) -> int:
        """Forget all keys stored before that Unix time; how many there were."""
        # Looked at first: most runs find nothing, and need not write then.
        if not self._do("SELECT 1 FROM keys WHERE time < ? LIMIT 1", (before,)):
            return 0
        return len(self._do("DELETE FROM keys WHERE time < ? RETURNING 1", (before,)))

    def clear(self) -> None:
        """Forget everything."""
        self._do("DELETE FROM keys")

    def count(self) -> int:
        """The number of keys."""
        number: int = self._do("SELECT count(*) FROM keys")[0][0]
        return number

    def items(self) -> Iterator[tuple[bytes, int]]:
        """All (key, Unix time), ordered by key."""
        return iter(self._do("SELECT key, time FROM keys ORDER BY key"))

    def merge(self, records: list[tuple[bytes, int]]) -> None:
        """Store many keys at once, all or none; the later time of a key wins."""
        self._do("BEGIN IMMEDIATE")
        try:
            for key, when in records:
                self._do(
                    "INSERT INTO keys VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET time = max(time, excluded.time)",
                    (key, min(when, _LATEST)),
                )
            self._do("COMMIT")
        except BaseException:
            if self._base.in_transaction:
                self._base.rollback()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

    def _prepare(self) -> None:
        """Make the table, unless another process was faster.

        What looked like a cache is an empty file where a process was killed while it made it: SQLite undoes that.
        """
        if self._is_ours():
            return
        if self._do("PRAGMA application_id")[0][0] or self._do("SELECT 1 FROM sqlite_schema LIMIT 1"):
            raise _foreign(self._path)
        for statement in _SCHEMA:
            self._do(statement)

    def _is_ours(self) -> bool:
        return bool(self._do("PRAGMA application_id")[0][0] == APPLICATION_ID)

    def _do(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        import sqlite3  # loaded already

        try:
            return self._base.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            if "not a database" in str(error):
                raise _foreign(self._path) from None
            raise Failure(f"{folders.text_of(self._path)}: {error}") from None


def take_over(source: bytes, path: bytes) -> tuple[int, int]:
    """Bring the keys of the cache that fdm made at `source` into ours at `path`: (taken, skipped).

    Skipped are records that are not of fdm's shape. Where both are the same file, the old one is kept as
    `PATH.tdb-old`, and ours appears in its place only when it is complete. Raises Failure.
    """
    records = [(key, tdb.time_of(value)) for key, value in tdb.read(source)]
    wanted = [(key, when) for key, when in records if when is not None]
    if not _same(source, path):
        cache = Cache(path)
        try:
            cache.merge(wanted)
        finally:
            cache.close()
        return len(wanted), len(records) - len(wanted)
    draft = b"%s.%d" % (path, os.getpid())
    try:
        cache = Cache(draft)
        try:
            cache.merge(wanted)
        finally:
            cache.close()
        try:
            os.link(path, path + b".tdb-old")
            os.rename(draft, path)
            folders.sync_folder(folders.parent_of(path))
        except OSError as error:
            raise folders.refusal(path + b".tdb-old", error) from None
    finally:
        try:
            os.unlink(draft)
        except FileNotFoundError:
            # The usual case: it has become the cache.
            pass
    return len(wanted), len(records) - len(wanted)


def _same(one: bytes, other: bytes) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:
        return False


def _look(path: bytes) -> bool:
    """Make the file, mode 0600, if it is missing; whether it still has to be prepared. Raises Failure."""
    try:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            folders.sync_folder(folders.parent_of(path))
        try:
            head = os.read(descriptor, len(_MAGIC))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise folders.refusal(path, error) from None
    if head.startswith(tdb.MAGIC):
        name = folders.text_of(path)
        raise Failure(f"{name}: a cache that fdm made; take it over with: rulesmith cache import {name}")
    if head.strip(b"\0") and head != _MAGIC:
        raise _foreign(path)
    # Empty, or zeros while another process writes its first page: SQLite's own lock tells.
    return head != _MAGIC


def _foreign(path: bytes) -> Failure:
    return Failure(f"{folders.text_of(path)}: not a cache of rulesmith; the file is left as it is")
