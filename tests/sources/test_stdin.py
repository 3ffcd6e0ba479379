from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith.delivery.spool import Spool
from rulesmith.limits import SPOOL_MEMORY
from rulesmith.sources import stdin

MIB = 1 << 20


def _child(feed: bytes, times: int, act: Callable[[], bytes]) -> tuple[int, bytes]:
    """`act` in another process with this on standard input, so many times; its peak of memory and what it returned."""
    read, write = os.pipe()
    news, tell = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(read, 0)
        os.close(read)
        os.close(write)
        try:
            answer = act()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            os.write(tell, b"%d %s" % (peak, answer))
        finally:
            os._exit(0)
    for descriptor in (read, tell):
        os.close(descriptor)
    with os.fdopen(write, "wb", buffering=0) as stream:
        for _ in range(times):
            rest = memoryview(feed)
            while rest:
                rest = rest[stream.write(rest) :]
    with os.fdopen(news, "rb") as stream:
        size, _, told = stream.read().partition(b" ")
    os.waitpid(pid, 0)
    return int(size), told


@pytest.mark.parametrize("temporary", ["", "/nowhere"])
@pytest.mark.parametrize("last", [b"", b"\n"])
@pytest.mark.parametrize("size", [1, SPOOL_MEMORY - 1, SPOOL_MEMORY, SPOOL_MEMORY + 1, SPOOL_MEMORY * 3])
def test_a_message_is_what_came_with_a_last_line_end(
    size: int, last: bytes, temporary: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", temporary or str(tmp_path))
    octets = (bytes(range(256)) * (size // 256 + 1))[: size - len(last)] + last

    def act() -> bytes:
        letter = stdin.receive(SPOOL_MEMORY * 4, 10)
        whole = octets if octets.endswith(b"\n") else octets + b"\n"
        return b"same" if letter.whole() == whole == letter.whole() else b"different"

    assert _child(octets, 1, act)[1] == b"same"
    assert os.listdir(tmp_path) == []


def test_a_file_that_can_take_no_more_leaves_the_message_in_memory() -> None:
    octets = os.urandom(MIB)

    def act() -> bytes:
        limit = SPOOL_MEMORY + MIB // 2
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        letter = stdin.receive(SPOOL_MEMORY * 4, 10)
        return b"same" if letter.whole() == octets * 9 + b"\n" * (octets[-1] != 10) else b"different"

    assert _child(octets, 9, act)[1] == b"same"


def test_what_is_too_big_is_read_and_kept_nowhere() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def act() -> bytes:
        try:
            stdin.receive(MIB, 10)
        except stdin.TooBig as failure:
            return failure.text.encode()
        return b"taken"

    peak, answer = _child(b"x" * MIB, 100, act)
    assert answer == b"message too big: %d bytes" % (100 * MIB + 1)
    assert peak < before + 16 * MIB


def test_a_spool_that_is_given_has_it_all(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"head")

    def act() -> bytes:
        return stdin.receive(MIB, 10, Spool(descriptor, 4)).whole()

    assert _child(b"text", 1, act)[1] == b"text\n"
    assert (tmp_path / "file").read_bytes() == b"headtext"
