from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith.delivery import mbox as mbox_action
from rulesmith.effects import Failure
from rulesmith.mail.header import strip_from_line
from rulesmith.sources.mbox import Source
from tests import system
from tests.dying import die_at
from tests.recording import ME, RecordingWorld

ONE = b"From a@b Mon Jan  1 00:00:00 2001\nSubject: one\n\nb1\n\n"
TWO = b"From c@d Mon Jan  1 00:00:00 2001\nSubject: two\n\n>From x\nFrom y not sep\nb2\n\n"
THREE = b"From e@f Mon Jan  1 00:00:00 2001\nSubject: three\n\nb3\n\n"


def _box(path: Path, *messages: bytes) -> Path:
    path.write_bytes(b"".join(messages))
    path.chmod(0o640)
    return path


def _source(*patterns: Path, world: RecordingWorld | None = None) -> Source:
    return Source(tuple(bytes(path) for path in patterns), world or RecordingWorld())


def _fetch(source: Source, drop: Callable[[bytes], bool]) -> list[bytes]:
    seen = []
    for raw, _, dispose in source.messages():
        seen.append(raw)
        dispose(drop(raw))
    source.finish()
    return seen


def _dropping(*words: bytes) -> Callable[[bytes], bool]:
    return lambda raw: any(word in raw for word in words)


def test_messages_come_with_their_separator_and_tags(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    source = _source(box)
    fetched = [(raw, tags) for raw, tags, _ in source.messages()]
    source.finish()
    where = {b"mbox": b"box", b"mbox_path": bytes(tmp_path), b"mbox_file": bytes(box)}
    assert fetched == [
        (ONE[:-2], where | {b"mbox_from": b"From a@b Mon Jan  1 00:00:00 2001"}),
        (
            TWO[:-2].replace(b">From x", b"From x"),
            where | {b"mbox_from": b"From c@d Mon Jan  1 00:00:00 2001"},
        ),
    ]


BOXES = [
    (b"From a\n", [b"From a\n"]),
    (b"From a", [b"From a\n"]),
    (b"From a\n\n", [b"From a"]),
    (b"From a\n\nFrom b\n", [b"From a", b"From b\n"]),
    (b"From a\nFrom b\n", [b"From a\nFrom b\n"]),
    (b"From a\r\n\r\nFrom b\r\n\r\n", [b"From a\r\n\r\n", b"From b\r\n\r\n"]),
    (b"From a\n\nx\n\n\nFrom b\n\n\n", [b"From a\n\nx\n", b"From b\n"]),
    (b"From a\n\n>From b\n>>From c\n> From d\n>\n", [b"From a\n\nFrom b\n>From c\n> From d\n>\n"]),
    (b"From a\n\nno end", [b"From a\n\nno end\n"]),
    (b"From a\n\nFromage\n\nFrom \n", [b"From a\n\nFromage", b"From \n"]),
]


@pytest.mark.parametrize(("text", "messages"), BOXES)
def test_separators_stand_at_the_start_or_after_an_empty_line(
    tmp_path: Path, text: bytes, messages: list[bytes]
) -> None:
    assert _fetch(_source(_box(tmp_path / "box", text)), _dropping()) == messages
    assert (tmp_path / "box").read_bytes() == text


def test_fdm_reads_the_same_messages_and_leaves_the_same_box(fdm22: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="rulesmith."))
    run_as: dict[str, object] = {"cwd": folder, "env": {"HOME": str(folder), "TMPDIR": str(folder)}}
    conf = """
        set no-received
        set queue-high 1
        account "m" mbox "box"
        match "From a" in body or "From a" in headers action {{ append "out" {} }}
        match all action {{ append "out" drop }}
    """
    try:
        for text, messages in BOXES:
            for first in ("keep", "drop"):
                # The `From ` line stays only where a mail has no empty line; the others are put back here.
                _box(folder / "box", text.replace(b"From a\n", b"From a\nX: From a\n", 1))
                _box(folder / "conf", conf.format(first).encode()).chmod(0o600)
                (folder / "out").unlink(missing_ok=True)
                if os.geteuid() == 0:
                    for path in (folder, folder / "box", folder / "conf"):
                        shutil.chown(path, "nobody", "nogroup")
                    run_as |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
                before = (folder / "box").read_bytes()
                subprocess.run([fdm22, "-mqf", "conf", "fetch"], check=True, capture_output=True, **run_as)  # type: ignore[call-overload]
                theirs = (folder / "out").read_bytes(), (folder / "box").read_bytes()
                ours = _box(folder / "ours", before)
                seen = _fetch(_source(ours), lambda raw, first=first: first == "drop" or b"From a" not in raw)  # type: ignore[misc]
                assert len(seen) == len(messages)
                assert (b"".join(strip_from_line(raw) for raw in seen), ours.read_bytes()) == theirs, text
    finally:
        shutil.rmtree(folder)


def test_lines_longer_than_a_read_are_whole(tmp_path: Path) -> None:
    text = b"From a\n\n" + b"x" * 3_000_000 + b"\nFrom x\n\nFrom b\n"
    assert _fetch(_source(_box(tmp_path / "box", text)), _dropping()) == [text[:-9], b"From b\n"]


def test_a_box_that_loses_all_is_truncated_in_its_place(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    inode = box.stat().st_ino
    _fetch(_source(box), _dropping(b""))
    assert (box.read_bytes(), box.stat().st_ino) == (b"", inode)


def test_a_box_that_loses_nothing_is_not_touched(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    before = box.stat()
    _fetch(_source(box), _dropping())
    assert (box.read_bytes(), box.stat().st_mtime_ns, box.stat().st_ino) == (
        ONE + TWO,
        before.st_mtime_ns,
        before.st_ino,
    )


@pytest.mark.parametrize(
    ("words", "left"), [((b"one",), TWO + THREE), ((b"two",), ONE + THREE), ((b"one", b"three"), TWO)]
)
def test_what_is_kept_is_left_octet_for_octet(tmp_path: Path, words: tuple[bytes, ...], left: bytes) -> None:
    box = _box(tmp_path / "box", ONE, TWO, THREE)
    _fetch(_source(box), _dropping(*words))
    assert box.read_bytes() == left
    assert stat.S_IMODE(box.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["box"]


def test_a_message_that_nobody_disposed_of_stays(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    source = _source(box)
    assert len(list(source.messages())) == 2
    source.finish()
    assert box.read_bytes() == ONE + TWO


@pytest.mark.parametrize("ended", ["break", "close", "too big"])
def test_after_an_abort_what_was_not_dropped_stays_and_nothing_is_locked(ended: str, tmp_path: Path) -> None:
    """Not as in fdm, where the dropped ones stay as well, and are delivered again at each run."""
    last = b"From x\n\n" + b"x" * 300 + b"\n\n"
    box = _box(tmp_path / "box", ONE, TWO, THREE, last)
    source = _source(box, world=RecordingWorld(lock_types=("flock", "dotlock"), maximum_size=200))
    messages = source.messages()
    for number, (_, _, dispose) in enumerate(messages):
        dispose(number != 1)
        if number == 2 and ended != "too big":
            break
        if number == 2:
            with pytest.raises(Failure, match="too big"):
                next(messages)
            break
    if ended == "close":
        del messages
    source.finish()
    assert box.read_bytes() == TWO + last
    assert os.listdir(tmp_path) == ["box"]
    with box.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    (tmp_path / "link").symlink_to("box")
    _fetch(_source(tmp_path / "link"), _dropping(b"one"))
    assert (tmp_path / "link").is_symlink()
    assert box.read_bytes() == TWO


@pytest.mark.parametrize("words", [(b"",), (b"one",), ()])
def test_what_is_appended_meanwhile_is_kept(tmp_path: Path, words: tuple[bytes, ...]) -> None:
    """By a program that does not lock, or locks another way."""
    box = _box(tmp_path / "box", ONE, TWO)
    source = _source(box)
    left = b""
    for raw, _, dispose in source.messages():
        if b"one" in raw:
            with box.open("ab") as other:
                other.write(THREE)
        dispose(_dropping(*words)(raw))
        left += b"" if _dropping(*words)(raw) else ONE if b"one" in raw else TWO
    source.finish()
    assert box.read_bytes() == left + THREE


@pytest.mark.parametrize("types", [("flock",), ("fcntl",), ("dotlock",)])
def test_the_box_is_locked_until_the_end_also_for_our_own_mbox_action(tmp_path: Path, types: tuple[str, ...]) -> None:
    box = _box(tmp_path / "box", ONE)
    world = RecordingWorld(lock_types=types, lock_timeout=0)
    source = _source(box, world=world)
    list(source.messages())
    with pytest.raises(Failure, match=r"couldn't get lock"):
        mbox_action.deliver((bytes(box), False, b"From x"), b"A: 1\n", ME, world)
    with pytest.raises(Failure, match=r"couldn't get lock"):
        list(_source(box, world=world).messages())
    source.finish()
    mbox_action.deliver((bytes(box), False, b"From x"), b"A: 1\n", ME, world)


@pytest.mark.parametrize(
    ("text", "message"),
    [(b"Fro", "mbox too small"), (b"Subject: x\n\nFrom x\n", "not an mbox"), (b">From x\n", "not an mbox")],
)
def test_what_is_no_mbox_stops_the_account(tmp_path: Path, text: bytes, message: str) -> None:
    world = RecordingWorld(lock_types=("dotlock",))
    with pytest.raises(Failure) as failure:
        list(_source(_box(tmp_path / "box", text), world=world).messages())
    assert failure.value.text == f"{tmp_path}/box: {message}"
    assert os.listdir(tmp_path) == ["box"]


def test_an_empty_box_has_no_messages(tmp_path: Path) -> None:
    assert _fetch(_source(_box(tmp_path / "box")), _dropping()) == []


def test_what_cannot_be_opened_stops_the_account(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name, text in {"nothing": "No such file or directory", "folder": "Is a directory"}.items():
        with pytest.raises(Failure) as failure:
            list(_source(tmp_path / name).messages())
        assert failure.value.text == f"{tmp_path}/{name}: {text}"


def test_patterns_name_several_boxes(tmp_path: Path) -> None:
    _box(tmp_path / "b1", ONE)
    _box(tmp_path / "b2", TWO)
    assert len(_fetch(_source(tmp_path / "b*"), _dropping(b"one"))) == 2
    assert [(tmp_path / name).read_bytes() for name in ("b1", "b2")] == [b"", TWO]


def test_a_message_too_big_stops_the_account(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    size = len(TWO) - 3  # without the line ends of its end, with one `>` less
    with pytest.raises(Failure, match=f"^message too big: {size} bytes$"):
        list(_source(box, world=RecordingWorld(maximum_size=size - 1)).messages())
    assert len(_fetch(_source(box, world=RecordingWorld(maximum_size=size)), _dropping())) == 2
    assert box.read_bytes() == ONE + TWO


def test_a_message_too_big_is_deleted_if_the_configuration_says_so(tmp_path: Path) -> None:
    box = _box(tmp_path / "box", ONE, b"From x\n\n" + b"x" * 100 + b"\n" + b"y" * 100 + b"\n\n", THREE)
    world = RecordingWorld(maximum_size=100, delete_oversized=True)
    assert len(_fetch(_source(box, world=world), _dropping())) == 2
    assert world.warnings == [b"message too big: 209 bytes"]
    assert box.read_bytes() == ONE + THREE


@pytest.mark.parametrize("words", [(b"one",), (b"",)])
def test_death_at_any_step_leaves_the_old_box_or_the_new_one(tmp_path: Path, words: tuple[bytes, ...]) -> None:
    complete = (ONE + TWO + THREE, b"" if words == (b"",) else TWO + THREE)
    seen = []
    for step in range(100):
        (tmp_path / str(step)).mkdir()
        box = _box(tmp_path / str(step) / "box", ONE, TWO, THREE)
        if not die_at(step, lambda box=box: _fetch(_source(box), _dropping(*words))):  # type: ignore[misc]
            break
        seen.append(box.read_bytes())
        assert seen[-1] in complete
    assert (seen[0], seen[-1]) == complete


def test_a_disk_that_is_full_leaves_the_box_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = _box(tmp_path / "box", ONE, TWO)
    source = _source(box)
    for raw, _, dispose in source.messages():
        dispose(b"one" in raw)

    def write(descriptor: int, data: bytes) -> int:
        raise OSError(28, os.strerror(28))

    system.replace(monkeypatch, "write", write)
    with pytest.raises(Failure) as failure:
        source.finish()
    assert failure.value.text == f"{box}: No space left on device"
    assert box.read_bytes() == ONE + TWO
    assert os.listdir(tmp_path) == ["box"]
