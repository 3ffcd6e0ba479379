"""Full disks, folders that may not be written, and a configuration that is no longer one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from random import Random

from tests.soak.fault import Kind, NothingToBreak
from tests.soak.letter import RULES
from tests.soak.stage import Stage

Work = Callable[[Stage, Random], AbstractContextManager[None]]
_PAGE = 4096
# The disks on which the door writes down how far it has come.
_RECORDS = ("queue", "state")


def _disk_is_full(disk: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        with stage.chronicle.unwritable() if disk in _RECORDS else contextlib.nullcontext():
            stage.fill(disk, rng.choice((0, 0, 1, 2, 5)) * _PAGE)
            yield
            stage.make_room(disk)

    return work


def _folder_is_closed(path: str) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        folder = stage.house.inside(path)
        try:
            mode = folder.stat().st_mode
        except FileNotFoundError:
            raise NothingToBreak from None
        with stage.chronicle.unwritable() if path.split("/")[1] in _RECORDS else contextlib.nullcontext():
            folder.chmod(0o500)
            yield
            folder.chmod(mode)

    return work


def _configuration(broken: Callable[[str], str]) -> Work:
    @contextlib.contextmanager
    def work(stage: Stage, rng: Random) -> Iterator[None]:
        stage.put(stage.home / "fdm.conf", broken(RULES))
        yield
        stage.mend_configuration()

    return work


@contextlib.contextmanager
def _configuration_is_missing(stage: Stage, rng: Random) -> Iterator[None]:
    (stage.home / "fdm.conf").unlink()
    yield
    stage.mend_configuration()


@contextlib.contextmanager
def _configuration_is_unreadable(stage: Stage, rng: Random) -> Iterator[None]:
    (stage.home / "fdm.conf").chmod(0)
    yield
    stage.mend_configuration()


KINDS = (
    Kind("the disk under the mailbox is full", "home", _disk_is_full("home")),
    Kind("the disk under the queue is full", "queue", _disk_is_full("queue")),
    Kind("the disk under the journal is full", "state", _disk_is_full("state")),
    Kind("the disk under a maildir of ours is full", "mail", _disk_is_full("mail")),
    Kind("the mailbox may not be written", "mailbox", _folder_is_closed("small/home/Maildir/tmp")),
    Kind("the queue may not be written", "queue folder", _folder_is_closed("small/queue/queue")),
    Kind("the journal may not be written", "journal", _folder_is_closed("small/state/journal")),
    Kind("fdm.conf is missing", "fdm.conf", _configuration_is_missing),
    Kind("fdm.conf may not be read", "fdm.conf", _configuration_is_unreadable),
    Kind(
        "fdm.conf is wrong",
        "fdm.conf",
        _configuration(lambda text: text.replace("match all action", "match all actoin")),
    ),
    Kind("fdm.conf is half-written", "fdm.conf", _configuration(lambda text: text[: len(text) // 2])),
    Kind("fdm.conf is empty", "fdm.conf", _configuration(lambda text: text[:0])),
)
