"""A backup of everything, made while all of it moves, and what a restore makes of it."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rulesmith.container import backup as backups
from rulesmith.container import snapshot as snapshots
from rulesmith.container.accounts import Account
from rulesmith.container.backup import Backup
from rulesmith.container.inventory import Inventory, Refused, running
from rulesmith.container.manifest import Damaged, Entry
from rulesmith.container.restore import Restore
from rulesmith.container.snapshot import Snapshot

ME = Account(os.geteuid(), os.getegid())


def _installation(folder: Path) -> Inventory:
    parts = {name: (folder / name, ME) for name in ("config", "vmail", "redis", "rspamd")}
    for path, _ in parts.values():
        path.mkdir(parents=True, mode=0o700)
    return Inventory(parts)


@pytest.fixture
def here(tmp_path: Path) -> Inventory:
    """An installation with some of everything."""
    made = _installation(tmp_path / "here")
    config, mail = made.parts["config"][0], made.mail
    _write(config / "users" / "u@x y" / "passwd", b"{PLAIN}pw", 0o600)
    _write(config / "users" / os.fsdecode(b"caf\xe9\n\xff") / "fdm.conf", b"", 0o640)
    _write(config / "etc" / "tool", b"#!/bin/sh\n", 0o700)
    (config / "link").symlink_to("/nowhere")
    for user in ("u@x y", "ü"):
        for box in ("", ".Junk", ".A.B", ".&AOQ-rger"):
            maildir = mail / user / "Maildir" / box
            for part in ("cur", "new", "tmp"):
                (maildir / part).mkdir(parents=True)
            for number in range(3):
                _write(maildir / "cur" / f"{number}.M{box}:2,S", os.urandom(200), 0o600, 1_000_000_000 + number)
            _write(maildir / "new" / f"9.M{box}", b"new\n", 0o600)
            _write(maildir / "tmp" / "half", b"half", 0o600)
            _write(maildir / "dovecot-uidlist", b"3 V1 N5\n1 :1\n", 0o600)
            _write(maildir / "dovecot.index.log", b"log", 0o600)
            _write(maildir / "dovecot-uidlist.lock", b"", 0o600)
        _write(mail / user / "Maildir" / "subscriptions", b"Junk\n", 0o600)
    state = made.state
    _write(state / "queue" / "17.000001.3.mail", b"head\nmessage", 0o600)
    _write(state / "queue" / "17.000001.3.progress", b"done", 0o600)
    _write(state / "queue" / "18.000001.3.mail", b"second", 0o600)
    _write(state / "queue" / "answered" / "x", b"", 0o600)
    _write(state / "queue" / ".19.000001.3", b"arriving", 0o600)
    _write(state / "journal" / "a.0.journal", b"record", 0o600)
    _write(state / "fetchmail" / "u@x y" / ".fetchids", b"ids", 0o600)
    _write(state / "tls" / "server.key", b"key", 0o600)
    os.mkfifo(state / "pipe")
    _write(made.parts["redis"][0] / "dump.rdb", b"REDIS0011", 0o640)
    _write(made.parts["rspamd"][0] / "stats.ucl", b"stats", 0o600)
    _write(made.parts["rspamd"][0] / "x.hsmp", b"compiled", 0o600)
    return made


def _write(path: Path, octets: bytes, mode: int, at: int | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    path.chmod(mode)
    if at is not None:
        os.utime(path, (at, at))


def _tree(top: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every path with mode, time and contents; folders without times, which their contents change."""
    found = {}
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            path = Path(folder, name)
            about = path.lstat()
            if path.is_symlink():
                contents, at = os.fsencode(path.readlink()), 0
            elif path.is_dir():
                contents, at = b"folder", 0
            elif path.is_file():
                contents, at = path.read_bytes(), about.st_mtime_ns
            else:
                continue
            found[str(path.relative_to(top))] = (about.st_mode, at, contents)
    return found


def _made(here: Inventory, target: Path) -> Backup:
    made = Backup(target, here, lambda _files: None)
    made.make()
    return made


def _plan(source: Path, there: Inventory) -> Restore:
    return Restore(source, there, lambda _octets: None, lambda _line: None)


def test_everything_is_back_with_its_rights_and_times(here: Inventory, tmp_path: Path) -> None:
    target = tmp_path / "kept" / "backup"
    made = _made(here, target)
    assert (made.mailboxes, made.messages, made.waiting, made.of_one_moment) == (2, 32, 2, True)
    there = _installation(tmp_path / "there")
    plan = _plan(target, there)
    plan.verify()
    assert (plan.in_the_way(), plan.run(keep=False)) == ([], [])
    before, after = _tree(tmp_path / "here"), _tree(tmp_path / "there")
    missing = {path for path in before if path not in after}
    assert {Path(path).name for path in missing} == {
        "half", "dovecot.index.log", "dovecot-uidlist.lock", ".19.000001.3", "x.hsmp",
    }  # fmt: skip
    assert after == {path: about for path, about in before.items() if path not in missing}


def test_a_backup_is_closed_to_others(here: Inventory, tmp_path: Path) -> None:
    _made(here, tmp_path / "backup")
    for path in (tmp_path / "backup", *(tmp_path / "backup").rglob("*")):
        assert path.is_symlink() or path.stat().st_mode & 0o077 == 0, path


def test_a_backup_changes_nothing(here: Inventory, tmp_path: Path) -> None:
    before = _tree(tmp_path / "here")
    _made(here, tmp_path / "backup")
    assert _tree(tmp_path / "here") == before


def _as_it_happens(monkeypatch: pytest.MonkeyPatch, folder: str, act: list[Callable[[], object]]) -> None:
    """Do `act`, once, as soon as a folder whose path ends so has been read."""
    entries = snapshots._entries

    def slow(path: Path) -> list[tuple[str, int]]:
        found = entries(path)
        if str(path).endswith(folder) and act:
            act.pop(0)()
        return found

    monkeypatch.setattr(snapshots, "_entries", slow)


def _kept(target: Path, name: str) -> list[str]:
    return sorted(str(path.relative_to(target / "vmail")) for path in target.rglob("*") if path.name.startswith(name))


def test_a_message_that_is_moved_to_a_folder_that_was_read_already_is_there_once(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = here.mail / "ü" / "Maildir"
    boxes = sorted([top / ".A.B" / "cur", top / ".Junk" / "cur"])
    old = boxes[1] / next(path.name for path in boxes[1].iterdir())

    def move() -> None:
        os.link(old, boxes[0] / "moved:2,S")
        old.unlink()

    _as_it_happens(monkeypatch, str(boxes[0]), [move])
    made = _made(here, tmp_path / "backup")
    assert made.of_one_moment
    assert _kept(tmp_path / "backup", "moved") == ["ü/Maildir/.A.B/cur/moved:2,S"]
    assert not (tmp_path / "backup" / "vmail" / old.relative_to(here.mail)).exists()
    assert made.messages == 32


def test_a_message_that_is_marked_or_thrown_away_while_it_is_read(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = here.mail / "ü" / "Maildir"
    new = next((box / "new").iterdir())
    _as_it_happens(
        monkeypatch,
        str(box / "new"),
        [lambda: new.rename(box / "cur" / f"{new.name}:2,S"), (box / "cur" / "0.M:2,S").unlink],
    )
    made = _made(here, tmp_path / "backup")
    kept = tmp_path / "backup" / "vmail" / "ü" / "Maildir"
    assert [path.name for path in kept.glob(f"*/{new.name}*")] == [f"{new.name}:2,S"]
    assert (made.messages, made.of_one_moment) == (31, True)


def test_a_message_in_two_folders_is_in_both(here: Inventory, tmp_path: Path) -> None:
    box = here.mail / "ü" / "Maildir"
    os.link(box / "cur" / "0.M:2,S", box / ".Junk" / "cur" / "copy:2,")
    assert _made(here, tmp_path / "backup").messages == 33
    assert (tmp_path / "backup/vmail/ü/Maildir/.Junk/cur/copy:2,").exists()


def test_where_mail_moves_all_the_time_no_message_is_missed(here: Inventory, tmp_path: Path) -> None:
    top = here.mail / "ü" / "Maildir"
    boxes = [top / box / "cur" for box in ("", ".Junk", ".A.B", ".&AOQ-rger")]
    for number in range(20):
        (boxes[0] / f"m{number}.0:2,").write_bytes(b"message %d\n" % number)
    over = threading.Event()

    def move() -> None:
        turn = 0
        while not over.is_set():
            for number in range(20):
                source = boxes[turn % 4] / f"m{number}.{turn}:2,"
                os.link(source, boxes[(turn + 1) % 4] / f"m{number}.{turn + 1}:2,")
                source.unlink()
                time.sleep(0)
            turn += 1

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for attempt in range(3):
            target = tmp_path / f"backup{attempt}"
            _made(here, target)
            found = Counter(path.read_bytes() for path in target.rglob("m*:2,"))
            assert set(found) == {b"message %d\n" % number for number in range(20)}
    finally:
        over.set()
        mover.join()


def test_a_message_that_leaves_the_queue_meanwhile_is_in_its_mailbox_only(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, queue = here.mail / "ü" / "Maildir", here.state / "queue"

    def deliver(self: Snapshot, before: object) -> bool:
        (box / "new" / "delivered").write_bytes(b"message")
        for path in queue.glob("17.*"):
            path.unlink()
        return take(self, before)  # type: ignore[arg-type]

    take = Snapshot.take
    monkeypatch.setattr(Snapshot, "take", deliver)
    made = _made(here, tmp_path / "backup")
    assert (made.waiting, made.messages) == (1, 33)
    assert _kept(tmp_path / "backup", "17.") == []
    plan = _plan(tmp_path / "backup", _installation(tmp_path / "there"))
    plan.verify()


def test_a_message_of_the_queue_is_copied_when_nobody_works_on_it(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_BUSY", 300.0)
    path = here.state / "queue" / "17.000001.3.mail"
    worker = os.open(path, os.O_RDWR)
    fcntl.flock(worker, fcntl.LOCK_EX)
    copied: list[int] = []
    made = Backup(tmp_path / "backup", here, copied.append)
    thread = threading.Thread(target=made.make)
    thread.start()
    # What is copied before the queue: then it waits for us.
    while not list((tmp_path / "backup.partial").rglob("*.journal")):
        time.sleep(0.01)
    path.with_suffix(".progress").write_bytes(b"done more")
    fcntl.flock(worker, fcntl.LOCK_UN)
    thread.join()
    os.close(worker)
    assert (tmp_path / "backup/vmail/.rulesmith/queue/17.000001.3.progress").read_bytes() == b"done more"


def test_a_message_that_is_delivered_for_long_is_copied_as_it_is(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "_BUSY", 0.1)
    worker = os.open(here.state / "queue" / "17.000001.3.mail", os.O_RDWR)
    fcntl.flock(worker, fcntl.LOCK_EX)
    assert _made(here, tmp_path / "backup").waiting == 2
    os.close(worker)


def test_what_fails_leaves_nothing_that_looks_like_a_backup(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        _made(here, tmp_path / "backup")
    assert not list(tmp_path.glob("backup*"))
    assert not (here.state / "snapshot").exists()


def test_half_a_backup_is_none_and_the_next_one_takes_its_place(here: Inventory, tmp_path: Path) -> None:
    _write(tmp_path / "backup.partial" / "config" / "old", b"", 0o600)
    with pytest.raises(Damaged, match=r"backup.partial has no MANIFEST: it is no backup, or one that was not finished"):
        _plan(tmp_path / "backup.partial", here)
    _made(here, tmp_path / "backup")
    assert not (tmp_path / "backup.partial").exists()
    assert not (tmp_path / "backup" / "config" / "old").exists()


def test_redis_is_asked_for_its_data(here: Inventory, tmp_path: Path) -> None:
    dump = ("sh", "-c", 'printf "REDIS fresh" >"$0"')
    _made(Inventory(here.parts, dump), tmp_path / "asked")
    assert (tmp_path / "asked" / "redis" / "dump.rdb").read_bytes() == b"REDIS fresh"
    for number, gone in enumerate((("false",), ("/nonexistent",), ("sh", "-c", ': >"$0"'))):
        _made(Inventory(here.parts, gone), tmp_path / str(number))
        assert (tmp_path / str(number) / "redis" / "dump.rdb").read_bytes() == b"REDIS0011"


def test_a_backup_is_made_beside_what_it_copies(here: Inventory, tmp_path: Path) -> None:
    for target in (here.mail / "backup", here.parts["config"][0]):
        with pytest.raises(Refused, match="name a folder elsewhere"):
            Backup(target, here, lambda _: None)
    _write(tmp_path / "used" / "file", b"", 0o600)
    with pytest.raises(Refused, match="used exists already"):
        Backup(tmp_path / "used", here, lambda _: None)
    (tmp_path / "empty").mkdir()
    _made(here, tmp_path / "empty")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda top: (top / "config/etc/tool").write_bytes(b"#!/bin/sh\r"), "tool is not what was backed up"),
        (lambda top: (top / "config/etc/tool").unlink(), "tool is missing"),
        (lambda top: _edit(top, b'"size": 10', b'"size": 11'), "MANIFEST is damaged"),
        (lambda top: (top / "MANIFEST").write_bytes((top / "MANIFEST").read_bytes()[:-90]), "MANIFEST is damaged"),
        (lambda top: (top / "MANIFEST").write_bytes(b""), "MANIFEST is damaged"),
        (lambda top: (top / "MANIFEST").unlink(), "has no MANIFEST"),
    ],
)
def test_a_damaged_backup_is_not_restored(here: Inventory, tmp_path: Path, harm: object, said: str) -> None:
    _made(here, tmp_path / "backup")
    harm(tmp_path / "backup")  # type: ignore[operator]
    with pytest.raises(Damaged, match=said):
        _plan(tmp_path / "backup", _installation(tmp_path / "there")).verify()


def _edit(top: Path, old: bytes, new: bytes) -> None:
    octets = (top / "MANIFEST").read_bytes()
    assert old in octets
    (top / "MANIFEST").write_bytes(octets.replace(old, new))


@pytest.mark.parametrize("path", ["/etc/passwd", "config/../../x", "config//x", "elsewhere/x"])
def test_no_list_leads_out_of_the_volumes(here: Inventory, tmp_path: Path, path: str) -> None:
    made = Backup(tmp_path / "backup", here, lambda _: None)
    made.make()
    (tmp_path / "backup" / "MANIFEST").unlink()
    made.manifest.entries.append(Entry(path, 0o600, 0, "folder"))
    made.manifest.write(tmp_path / "backup")
    with pytest.raises(Damaged, match=r"leads out of the backup|there is no such part"):
        _plan(tmp_path / "backup", _installation(tmp_path / "there")).verify()


def test_what_is_there_already_is_named_and_with_force_put_aside(here: Inventory, tmp_path: Path) -> None:
    _made(here, tmp_path / "backup")
    plan = _plan(tmp_path / "backup", here)
    present = plan.in_the_way()
    assert str(here.mail / "ü") in present
    assert str(here.state / "queue" / "18.000001.3.mail") in present
    assert str(here.parts["config"][0] / "users") in present
    before = _tree(here.mail)
    (here.mail / "later").mkdir()
    left = plan.run(keep=True)
    assert len(left) == 4
    aside = next(path for path in left if path.parent == here.mail)
    assert set(_tree(aside)) == {*before, "later"}
    assert not (here.mail / "later").exists()
    assert (here.mail / "ü/Maildir/cur/0.M:2,S").exists()
    # Neither the next backup nor the next restore takes it for mail.
    assert _made(here, tmp_path / "again").messages == 32
    assert _kept(tmp_path / "again", ".before") == []


def test_a_restore_that_fails_has_changed_nothing(
    here: Inventory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made(here, tmp_path / "backup")
    there = _installation(tmp_path / "there")
    _write(there.mail / "mine" / "file", b"mine", 0o600)
    before = _tree(tmp_path / "there")
    plan = _plan(tmp_path / "backup", there)
    plan.verify()
    (tmp_path / "backup" / "rspamd" / "stats.ucl").write_bytes(b"other")
    (tmp_path / "backup" / "rspamd" / "stats.ucl").write_bytes(b"longer than before")
    with pytest.raises(Damaged, match="has changed while it was restored"):
        plan.run(keep=True)
    assert _tree(tmp_path / "there") == before


def test_a_server_that_runs_on_the_volumes_is_seen(here: Inventory) -> None:
    first = running(here)
    assert first is not None
    assert running(here) is None
    os.close(first)
    again = running(here)
    assert again is not None
    os.close(again)
