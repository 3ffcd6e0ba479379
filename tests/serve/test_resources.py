"""What a worker keeps from message to message: nothing."""

from __future__ import annotations

import os

from tests.serve.conftest import Starter
from tests.serve.service import Service, a_mail, is_gone, until

FAILS = "fails@example.com"
BIG = 80_000_000


def _open_files(service: Service) -> int:
    """Of all processes, workers among them."""
    return sum(map(_files_of, service.family()))


def _files_of(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # It has ended since the family was asked for, and who has ended has no file open.
        assert is_gone(pid)
        return 0


def _round(service: Service) -> None:
    assert service.hand(a_mail()) == 250
    assert service.hand(a_mail(2, size=400_000)) == 250
    assert service.hand(a_mail(3), FAILS) == 451
    assert service.hand(b"", FAILS) == 451


def test_no_file_stays_open(make: Starter) -> None:
    service = make(workers=1)
    service.configure('match all action { maildir "box" maildir "last" }\n')
    service.configure('match all action { maildir "box" pipe "cat >/dev/null; exit 1" }\n', FAILS)
    service.start()
    _round(service)
    before = _open_files(service)
    for _ in range(5):
        _round(service)
    until(lambda: _open_files(service) <= before)


def test_no_file_of_the_queue_stays_open(make: Starter) -> None:
    service = make(workers=1)
    service.site.write_text(f'set queue "{service.folder}/queue"\n')
    service.configure('match all action { maildir "box" maildir "last" }\n')
    service.configure('match all action { maildir "box" pipe "cat >/dev/null; exit 1" }\n', FAILS)
    service.start()
    counts = []
    for number in range(6):
        for name in ("user@example.com", FAILS):
            assert service.hand(a_mail(number, size=400_000), name) == 250
        if not number:
            # Two of the queue's files at most are in somebody's hands.
            until(lambda: len(service.queue()) == 2)
        counts.append(_open_files(service))
    until(lambda: _open_files(service) <= counts[0] + 1)


def test_a_worker_that_a_message_has_made_large_makes_room_for_a_new_one(make: Starter) -> None:
    service = make(workers=1)
    # A search in a body takes a second copy of it.
    rules = 'match "no such text" in body action drop\nmatch all action maildir "box"\n'
    service.configure(rules, settings="set maximum-size 100M\n")
    service.start()
    assert service.hand(a_mail()) == 250
    [before] = service.workers()
    assert service.hand(a_mail(2, size=BIG)) == 250
    assert service.hand(a_mail(3)) == 250
    until(lambda: is_gone(before))
    assert max(map(len, service.box("box"))) > BIG
