"""Compressed mboxes: what others wrote before us, or did not finish."""

from __future__ import annotations

import errno
import gzip
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith.delivery import gzip_member, mbox
from rulesmith.effects import Failure
from tests import system
from tests.dying import die_at
from tests.recording import ME, RecordingWorld

LINE = b"From bob@example.org Mon Mar  2 10:00:00 2020"
MAIL = b"From: bob@example.org\n\nbody\n"
STORED = LINE + b"\n" + MAIL + b"\n\n"


def _deliver(box: Path, world: RecordingWorld | None = None) -> None:
    mbox.deliver((bytes(box), True, LINE), MAIL, ME, world or RecordingWorld())


@pytest.mark.parametrize("writer", [gzip_member.member, gzip.compress])
def test_an_unfinished_member_is_put_aside_before_the_next_message(
    tmp_path: Path, writer: Callable[[bytes], bytes]
) -> None:
    """Behind it gzip would read nothing more."""
    box = tmp_path / "box.gz"
    written = writer(STORED)
    for end in range(1, len(written)):
        box.write_bytes(gzip.compress(STORED) + written[:end])
        box.chmod(0o600)
        world = RecordingWorld()
        _deliver(box, world)
        # Where only the mark is unfinished, the message before it is there.
        assert gzip.decompress(box.read_bytes()) in (STORED * 2, STORED * 3)
        aside = list(tmp_path.glob("box.gz.torn-*"))
        if aside:
            assert written[:end].endswith(aside[0].read_bytes())
            assert stat.S_IMODE(aside[0].stat().st_mode) == 0o600
            assert os.fsencode(aside[0]) in world.warnings[0]
            aside[0].unlink()
        else:
            assert gzip.decompress(written[:end]) == STORED


@pytest.mark.parametrize("first", [gzip_member.member(STORED), gzip.compress(STORED), b"", b"From nobody\n\nplain\n\n"])
def test_a_whole_box_is_only_added_to(tmp_path: Path, first: bytes) -> None:
    box = tmp_path / "box.gz"
    box.write_bytes(first)
    box.chmod(0o600)
    _deliver(box)
    assert box.read_bytes() == first + gzip_member.member(STORED)
    assert os.listdir(tmp_path) == ["box.gz"]


def test_a_long_member_is_read_through(tmp_path: Path) -> None:
    box = tmp_path / "box.gz"
    box.write_bytes(gzip.compress(os.urandom(3 << 20)) + gzip.compress(bytes(30 << 20)))
    whole = box.read_bytes()
    box.write_bytes(whole + whole[: 2 << 20])
    box.chmod(0o600)
    _deliver(box)
    assert box.read_bytes() == whole + gzip_member.member(STORED)
    [aside] = tmp_path.glob("box.gz.torn-*")
    assert aside.read_bytes() == whole[: 2 << 20]


def test_a_box_of_many_members_is_read_in_proportion_to_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others wait for the lock meanwhile. gzip's members have no mark of ours."""
    box = tmp_path / "box.gz"
    whole = gzip.compress(STORED + os.urandom(1000)) * 3000
    box.write_bytes(whole)
    box.chmod(0o600)
    read: list[int] = []
    real = os.pread

    def pread(descriptor: int, length: int, at: int) -> bytes:
        octets = real(descriptor, length, at)
        read.append(len(octets))
        return octets

    system.replace(monkeypatch, "pread", pread)
    _deliver(box)
    assert box.read_bytes() == whole + gzip_member.member(STORED)
    assert sum(read) < 1.01 * len(whole)


@pytest.mark.parametrize("end", [1, 2, 3])
def test_a_box_of_a_few_octets_of_its_first_member_is_mended(end: int, tmp_path: Path) -> None:
    box = tmp_path / "box.gz"
    box.write_bytes(gzip.compress(STORED)[:end])
    box.chmod(0o600)
    _deliver(box)
    assert gzip.decompress(box.read_bytes()) == STORED


@pytest.mark.parametrize("at", [1, 5], ids=["in the middle", "in the last member"])
@pytest.mark.parametrize("octet", [2, -6], ids=["head", "check sum"])
def test_a_damaged_box_is_left_as_it_is_and_takes_nothing(at: int, octet: int, tmp_path: Path) -> None:
    """Whole members behind the damage stay where their reader looks for them."""
    members = [bytearray(gzip.compress(STORED)) for _ in range(6)]
    members[at][octet] ^= 1
    box = tmp_path / "box.gz"
    box.write_bytes(b"".join(members))
    box.chmod(0o600)
    before = box.read_bytes()
    with pytest.raises(Failure) as failure:
        _deliver(box)
    assert failure.value.text.startswith(f"{box}: damaged behind octet {at * len(members[0])} (")
    assert (box.read_bytes(), os.listdir(tmp_path)) == (before, ["box.gz"])


def test_an_unfinished_member_that_finds_no_place_is_left_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a folder that may not be written, which does not stop root."""
    box = tmp_path / "box.gz"
    box.write_bytes(gzip.compress(STORED) + b"\x1f")
    box.chmod(0o600)
    before = box.read_bytes()
    real = os.open

    def refuse(path: bytes | str, flags: int, mode: int = 0o777) -> int:
        if b".torn-" in os.fsencode(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(path, flags, mode)

    system.replace(monkeypatch, "open", refuse)
    with pytest.raises(Failure, match=r"box.gz.torn-\d+: cannot take the unfinished end of the mailbox: Permission"):
        _deliver(box)
    assert box.read_bytes() == before


def test_killed_at_any_step_nothing_of_a_torn_box_is_lost(tmp_path: Path) -> None:
    torn = gzip.compress(STORED * 9)[:-9]
    for step in range(100):
        folder = tmp_path / str(step)
        folder.mkdir()
        box = folder / "box.gz"
        box.write_bytes(gzip.compress(STORED) + torn)
        box.chmod(0o600)
        if not die_at(step, lambda box=box: _deliver(box)):  # type: ignore[misc]
            break
        _deliver(box)
        assert gzip.decompress(box.read_bytes()) in (STORED * 2, STORED * 3)
        assert torn in [each.read_bytes() for each in folder.glob("box.gz.torn-*")]
    assert step > 8
