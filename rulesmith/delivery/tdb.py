"""Reading a TDB file, version 6: what fdm keeps its caches in (Samba's tdb, `tdb_private.h`).

A file is a header, a table of hash chains and records. Every word of 32 bits is in the byte order of the machine
that made the file; the version in the header tells which. Only whole records are reported; a damaged file gives
one clear error, after a time that grows with its size only.
"""

from __future__ import annotations

import os
import struct

from rulesmith.delivery.folders import refusal, text_of
from rulesmith.effects import Failure

MAGIC = b"TDB file\n"
_VERSION = 0x26011967 + 6
_MAGIC_OCTETS = 32
# magic, version, hash size, lock, recovery area, sequence, two hash checks, features, mutexes, 25 reserved words
_HEADER = _MAGIC_OCTETS + 34 * 4
_RECORD = 24
_LIVE = 0x26011999
_DEAD = 0xFEE1DEAD
# fdm's caches are some megabytes at most; the whole file is read into memory.
_LARGEST = 1 << 30


def read(path: bytes) -> list[tuple[bytes, bytes]]:
    """All records, (key, value), in the order of the chains, which is that of fdm's `cache dump`. Raises Failure."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            size = os.fstat(descriptor).st_size
            if size > _LARGEST:
                raise Failure(f"{text_of(path)}: too large for a cache of fdm ({size} octets)")
            data = stream.read(size)
    except OSError as error:
        raise refusal(path, error) from None
    try:
        return parse(data)
    except ValueError as error:
        raise Failure(f"{text_of(path)}: {error}") from None


def parse(data: bytes) -> list[tuple[bytes, bytes]]:
    """All records of a TDB file's octets. Raises ValueError, whose text says what is wrong and where."""
    if not data.startswith(MAGIC):
        raise ValueError("not a TDB file")
    if len(data) < _HEADER:
        raise ValueError("damaged TDB file: the header is cut off")
    order = _byte_order(data)
    heads = struct.unpack_from(order + "I", data, _MAGIC_OCTETS + 4)[0]
    # The first word behind the header is the list of free space; the chains follow.
    table = _HEADER + 4
    if table + 4 * heads > len(data):
        raise ValueError("damaged TDB file: the hash table is cut off")
    fields = struct.Struct(order + "6I")
    found = []
    # More records than fit into the file can only mean a chain that runs in a circle.
    left = len(data) // _RECORD
    for head in range(heads):
        at = struct.unpack_from(order + "I", data, table + 4 * head)[0]
        while at:
            if at + _RECORD > len(data):
                raise ValueError(f"damaged TDB file: a record at {at} lies behind the end")
            if not left:
                raise ValueError(f"damaged TDB file: the chain of the record at {at} runs in a circle")
            left -= 1
            following, room, key_size, value_size, _, magic = fields.unpack_from(data, at)
            if magic == _LIVE:
                start = at + _RECORD
                end = start + key_size + value_size
                if key_size + value_size > room or end > len(data):
                    raise ValueError(f"damaged TDB file: the record at {at} is longer than its place")
                found.append((data[start : start + key_size], data[start + key_size : end]))
            elif magic != _DEAD:
                raise ValueError(f"damaged TDB file: no record at {at}")
            at = following
    return found


def _byte_order(data: bytes) -> str:
    for order in "<>":
        if struct.unpack_from(order + "I", data, _MAGIC_OCTETS)[0] == _VERSION:
            return order
    raise ValueError("a TDB file, but not of version 6")


def time_of(value: bytes) -> int | None:
    """When fdm stored a key, Unix time; None if the value is not of fdm's shape (24 octets)."""
    if len(value) != 24:
        return None
    when = int.from_bytes(value[:8], "little")
    # fdm 1.9 wrote the byte order of its machine: what is no time in one order is one in the other.
    return when if when < 1 << 40 else int.from_bytes(value[:8], "big")
