from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulesmith.delivery import tdb
from rulesmith.effects import Failure

# Made by fdm 2.2: twelve `fdm cache add` of "key number N", `cache remove` of number 7, and three of a message.
FIXTURE = Path(__file__).parent.parent / "data" / "fdm-cache.tdb"
KEYS = {b"key number %d" % number for number in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12)} | {
    b"abc@example.org",
    b"third",
    b"two  words",
}
MADE = 1795355949


def test_a_cache_that_fdm_wrote_is_read_whole() -> None:
    records = tdb.read(bytes(FIXTURE))
    assert {key: tdb.time_of(value) for key, value in records} == dict.fromkeys(KEYS, MADE)
    assert len(records) == len(KEYS)


def test_a_cache_that_fdm_writes_now_is_read_in_the_order_of_its_dump(fdm22: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="rulesmith."))
    try:
        (folder / "conf").write_text('account "stdin" stdin\nmatch all action drop\n')
        (folder / "conf").chmod(0o600)
        root = os.geteuid() == 0
        if root:
            for path in (folder, folder / "conf"):
                shutil.chown(path, "nobody")

        def fdm(*words: str) -> bytes:
            return subprocess.run(
                [fdm22, "-f", "conf", "cache", *words], capture_output=True, check=True,
                cwd=folder, env={"HOME": str(folder), "TMPDIR": str(folder)},
                user="nobody" if root else None, group="nogroup" if root else None, extra_groups=[] if root else None,
            ).stdout  # fmt: skip

        begin = int(time.time())
        # Enough keys for chains of several records.
        for number in range(60):
            fdm("add", "c", f"key {number} " + "x" * number)
        for number in range(0, 60, 3):
            fdm("remove", "c", f"key {number} " + "x" * number)
        dump = fdm("dump", "c")
        records = tdb.read(bytes(folder / "c"))
        times = [(key, tdb.time_of(value) or 0) for key, value in records]
        assert b"".join(b"%s %d\n" % each for each in times) == dump
        assert len(records) == 40
        assert all(begin <= when <= time.time() for _, when in times)
    finally:
        shutil.rmtree(folder)


def _other_order(data: bytes) -> bytes:
    """The same file as a machine of the other byte order would have made it: every word swapped but the text."""
    out = bytearray(data)

    def swap(at: int, words: int = 1) -> None:
        for offset in range(at, at + 4 * words, 4):
            out[offset : offset + 4] = out[offset : offset + 4][::-1]

    (heads,) = struct.unpack_from("<I", data, 36)
    swap(32, 34 + 1 + heads)
    for head in range(heads):
        (at,) = struct.unpack_from("<I", data, 172 + 4 * head)
        while at:
            swap(at, 6)
            (at,) = struct.unpack_from("<I", data, at)
    return bytes(out)


def test_a_file_of_the_other_byte_order_is_read_the_same() -> None:
    data = FIXTURE.read_bytes()
    assert _other_order(data) != data
    assert tdb.parse(_other_order(data)) == tdb.parse(data)


def test_times_are_read_in_either_byte_order() -> None:
    assert tdb.time_of(struct.pack("<Q16x", MADE)) == MADE
    assert tdb.time_of(struct.pack(">Q16x", MADE)) == MADE
    assert tdb.time_of(b"short") is None


def _record_at(data: bytes) -> tuple[int, int]:
    """(where a chain begins, where its first record lies)."""
    for at in range(172, 172 + 4 * 131, 4):
        (record,) = struct.unpack_from("<I", data, at)
        if record:
            return at, record
    raise AssertionError


def _damaged(at: int, word: int) -> bytes:
    data = bytearray(FIXTURE.read_bytes())
    struct.pack_into("<I", data, at, word)
    return bytes(data)


HEAD, RECORD = _record_at(FIXTURE.read_bytes())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a TDB file"),
        (b"SQLite format 3\0", "not a TDB file"),
        (FIXTURE.read_bytes()[:100], "damaged TDB file: the header is cut off"),
        (FIXTURE.read_bytes()[:300], "damaged TDB file: the hash table is cut off"),
        (_damaged(32, 0x12345678), "a TDB file, but not of version 6"),
        (_damaged(36, 0xFFFFFFFF), "damaged TDB file: the hash table is cut off"),
        (_damaged(HEAD, 0x7FFFFFFF), "damaged TDB file: a record at 2147483647 lies behind the end"),
        (_damaged(HEAD, RECORD + 1), f"damaged TDB file: no record at {RECORD + 1}"),
        (_damaged(RECORD, RECORD), f"damaged TDB file: the chain of the record at {RECORD} runs in a circle"),
        (_damaged(RECORD + 8, 0xFFFFFFF0), f"damaged TDB file: the record at {RECORD} is longer than its place"),
        (_damaged(RECORD + 20, 0xD9FEE666), f"damaged TDB file: no record at {RECORD}"),
    ],
)
def test_a_damaged_file_gives_one_clear_error(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "c").write_bytes(data)
    with pytest.raises(Failure) as failure:
        tdb.read(bytes(tmp_path / "c"))
    assert failure.value.text == f"{tmp_path}/c: {message}"


def test_dead_records_are_passed_over() -> None:
    data = _damaged(RECORD + 20, 0xFEE1DEAD)
    assert len(tdb.parse(data)) == len(KEYS) - 1


def test_a_missing_file_fails_in_the_systems_words(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"/c: No such file or directory$"):
        tdb.read(bytes(tmp_path / "c"))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 12287), st.integers(0, 255)), max_size=8), st.integers(0, 12288))
def test_any_damage_gives_records_or_one_error(changes: list[tuple[int, int]], size: int) -> None:
    data = bytearray(FIXTURE.read_bytes())
    for at, octet in changes:
        data[at] = octet
    message = "TDB file"
    records: list[tuple[bytes, bytes]] = []
    try:
        records = tdb.parse(bytes(data[:size]))
    except ValueError as error:
        message = str(error)
    assert "TDB file" in message
    assert len(records) <= len(data) // 24
