from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rulesmith.delivery import command, file, maildir, mbox, other_user, people
from rulesmith.delivery.drive import Driver
from rulesmith.delivery.world import World
from rulesmith.effects import DELIVER, Failure
from tests.recording import ME, RecordingWorld

MAIL = b"A: 1\n\nx\n"
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def _user(name: str) -> tuple[bytes, int, int, bytes]:
    found = people.who(name.encode())
    assert found
    return found


NOBODY, DAEMON = _user("nobody"), _user("daemon")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may write to; those above tmp_path are closed."""
    path = Path(tempfile.mkdtemp(prefix="rulesmith."))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


def test_users_are_known_by_name_and_by_number() -> None:
    entry = pwd.getpwnam("daemon")
    expected = (b"daemon", entry.pw_uid, entry.pw_gid, os.fsencode(entry.pw_dir))
    assert people.who(b"daemon") == expected
    assert people.who(b"%d" % entry.pw_uid) == expected


@pytest.mark.parametrize(
    "name", [b"", b"nosuchuser", b"-1", b"4294967294", b"99999999999999999999", b"a\0b", b"\xff", b"1x"]
)
def test_nobody_else_is(name: bytes) -> None:
    assert people.who(name) is None


def _tell_who(args: Any, raw: bytes, user: object, world: World) -> dict[bytes, bytes]:
    world.warn(b"first")
    world.trace("second", b"x", 3)
    world.warn(b"third")
    ids = (*os.getresuid(), *os.getresgid(), *os.getgroups())
    return {b"ids": repr(ids).encode(), b"pid": b"%d" % os.getpid(), b"raw": raw}


def _delivered(user: tuple[bytes, int, int, bytes], patch: pytest.MonkeyPatch) -> dict[bytes, bytes]:
    patch.setattr(maildir, "deliver", _tell_who)
    tags: dict[bytes, bytes] = Driver(RecordingWorld(), {}, people.who).answer((DELIVER, "maildir", (), user, MAIL))
    return tags


def test_without_a_switch_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _delivered(ME, monkeypatch)[b"pid"] == b"%d" % os.getpid()


@only_root
def test_a_delivery_of_roots_for_somebody_is_made_by_him(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = _delivered(NOBODY, monkeypatch)
    assert tags[b"pid"] != b"%d" % os.getpid()
    assert tags[b"ids"].startswith(b"(%d, %d, %d, " % ((NOBODY[1],) * 3))


@only_root
@pytest.mark.parametrize("user", [NOBODY, DAEMON])
def test_root_becomes_the_user_with_no_way_back(user: tuple[bytes, int, int, bytes]) -> None:
    world = RecordingWorld()
    tags = other_user.call(user, world, _tell_who, (), MAIL)
    _, uid, gid, _ = user
    assert tags[b"ids"] == repr((uid, uid, uid, gid, gid, gid)).encode()
    assert tags[b"raw"] == MAIL
    assert tags[b"pid"] != b"%d" % os.getpid()
    assert (os.geteuid(), os.getegid()) == (0, 0)


@only_root
def test_warnings_and_events_come_back_in_their_order() -> None:
    heard: list[object] = []
    world = RecordingWorld()
    world.warn = heard.append
    world.trace = lambda *event: heard.append(event)
    other_user.call(NOBODY, world, _tell_who, (), MAIL)
    assert heard == [b"first", ("second", b"x", 3), b"third"]


@only_root
def test_failures_come_back_with_their_text(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    with pytest.raises(Failure) as failure:
        other_user.call(NOBODY, RecordingWorld(), maildir.deliver, (bytes(closed / "md"),), MAIL)
    assert failure.value.text == f"{closed}/md: Permission denied"


def _die(args: int, *rest: object) -> dict[bytes, bytes]:
    os.kill(os.getpid(), args)
    raise AssertionError


def _break(*args: object) -> dict[bytes, bytes]:
    return {}[0]  # type: ignore[index]


def _leave(*args: object) -> dict[bytes, bytes]:
    os._exit(0)


@only_root
def test_a_process_that_ends_without_an_answer_is_a_failure() -> None:
    with pytest.raises(Failure, match=r"^child got signal: 9$"):
        other_user.call(NOBODY, RecordingWorld(), _die, 9, MAIL)
    with pytest.raises(Failure, match=r"^child exited with 0$"):
        other_user.call(NOBODY, RecordingWorld(), _leave, (), MAIL)
    with pytest.raises(Failure, match=r"^nobody: 0$"):
        other_user.call(NOBODY, RecordingWorld(), _break, (), MAIL)


@only_root
@pytest.mark.parametrize("user", [NOBODY, DAEMON])
def test_deliveries_belong_to_the_user(place: Path, user: tuple[bytes, int, int, bytes]) -> None:
    name, uid, gid, _ = user
    base = place / os.fsdecode(name)
    world = RecordingWorld()
    md = other_user.call(user, world, maildir.deliver, (bytes(base / "md"),), MAIL)
    box = other_user.call(user, world, mbox.deliver, (bytes(base / "box"), False, b"From x y"), MAIL)
    other_user.call(user, world, file.deliver, (bytes(base / "w"), "write"), MAIL)
    for path in (Path(os.fsdecode(md[b"mail_file"])), Path(os.fsdecode(box[b"mbox_file"])), base / "w", base / "md"):
        found = path.stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o077) == (uid, gid, 0)
    assert world.warnings == []


@only_root
@pytest.mark.parametrize("user", [NOBODY, DAEMON])
def test_commands_run_as_the_user_with_no_other_groups(user: tuple[bytes, int, int, bytes]) -> None:
    _, uid, gid, _ = user
    text = b"id -u; id -ru; id -G; umask; echo oops >&2; cat; ps -o sid= -p $$ | tr -d ' '; echo $$"
    world = RecordingWorld()
    status, output = command.run(text, MAIL, user, world, True)
    *lines, session, pid = output.split(b"\n")[:-1]
    assert status == 0
    assert lines == [b"%d" % uid, b"%d" % uid, b"%d" % gid, b"0077", *MAIL.split(b"\n")[:-1]]
    assert session == pid
    assert world.warnings == [text + b": oops"]


@only_root
def test_a_command_of_another_user_is_killed_when_it_takes_too_long() -> None:
    with pytest.raises(Failure, match=r"Connection timed out; killed after"):
        command.run(b"sleep 600", None, NOBODY, RecordingWorld(timeout=0.2), False)


@only_root
def test_what_goes_wrong_before_the_command_starts_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    # A group that the kernel does not take: the command must not run with root's.
    with pytest.raises(Failure, match=r"^true: "):
        command.run(b"true", None, (b"x", 1, 0xFFFFFFFF + 1, b"/"), RecordingWorld(), False)
