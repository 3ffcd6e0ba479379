"""Root and the others: deliveries for somebody else, with the journal and the queue, and root at work on a queue that
is not his."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith import fdm
from rulesmith.delivery import maildir
from tests.door import Outcome, warm, warm_door
from tests.promise.room import Room, a_mail

MAIL = a_mail()
DAEMON, NOBODY = (pwd.getpwnam(name) for name in ("daemon", "nobody"))
RULES = """\
action "first" user "daemon" maildir "{folder}/a"
action "second" user "nobody" pipe "test -e {folder}/healed && cat >>{folder}/b"
match all action {{ "first" "second" }}
"""
TWO = """\
match all action {{ maildir "{folder}/a" pipe "test -e {folder}/healed && cat >>{folder}/b" }}
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody may write to; those above tmp_path are closed."""
    path = Path(tempfile.mkdtemp(prefix="rulesmith."))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


def owners(path: Path) -> set[int]:
    """Who has the files."""
    files = (each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    return {each.stat().st_uid for each in files}


@pytest.mark.parametrize("with_queue", [False, True], ids=["journal", "queue"])
def test_deliveries_for_others_are_made_once_by_them(place: Path, with_queue: bool) -> None:
    room = Room(place, with_queue)
    room.user = "daemon"
    room.configure(RULES.format(folder=place))
    outcome = room.hand(MAIL)
    assert outcome.status == (0 if with_queue else 75), outcome
    assert room.copies(MAIL) == {"a": 1}
    # What is written down is root's and nobody else's business.
    kept = room.queue or room.journal
    assert owners(kept) == {0}
    assert kept.stat().st_mode & 0o777 == 0o700
    assert len(room.work()) == int(with_queue)
    (place / "healed").touch()
    if room.queue:
        assert room.work() == []
    else:
        assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "b": 1}
    assert (owners(place / "a"), owners(place / "b")) == ({DAEMON.pw_uid}, {NOBODY.pw_uid})
    assert room.records() == []


def hand_as_nobody(room: Room) -> Outcome:
    call = room.call(MAIL)
    return warm_door(type(call)(call.args, call.stdin, call.cwd, call.env, NOBODY))


def test_root_works_on_the_queue_of_somebody_else_as_he_would_himself(place: Path) -> None:
    place.chmod(0o755)
    home = place / "home"
    home.mkdir()
    room = Room(home, queue=True)
    room.user = "nobody"
    room.configure(TWO.format(folder=home))
    for path in (home, home / "conf", home / "site"):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    assert hand_as_nobody(room).status == 0
    assert room.copies(MAIL) == {"a": 1}
    assert len(room.work()) == 1
    # What root has written there is its owner's, who goes on with it.
    assert owners(home) == {NOBODY.pw_uid}
    (home / "healed").touch()
    assert room.work() == []
    assert room.copies(MAIL) == {"a": 1, "b": 1}
    assert owners(home / "a") | owners(home / "b") == {NOBODY.pw_uid}
    assert room.entries() == []


@pytest.mark.parametrize("with_queue", [False, True], ids=["journal", "queue"])
def test_a_stop_of_everybody_at_once_repeats_nothing(
    place: Path, with_queue: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service manager signals all processes; the delivery was just made, in a process of the user's."""
    room = Room(place, with_queue)
    room.user = "daemon"
    room.configure(RULES.format(folder=place))
    plain = maildir._settle

    def stopped(*args: bytes) -> None:
        os.killpg(0, signal.SIGTERM)
        plain(*args)

    monkeypatch.setattr(fdm, "STOP_GRACE", 30.0)
    monkeypatch.setattr(maildir, "_settle", stopped)
    assert room.hand(MAIL).status == (0 if with_queue else 75)
    monkeypatch.undo()
    (place / "healed").touch()
    if with_queue:
        assert room.work() == []
    else:
        room.mend(MAIL)
    assert room.copies(MAIL) == {"a": 1, "b": 1}


def test_what_root_notes_of_a_killed_process_its_owner_can_read(place: Path) -> None:
    place.chmod(0o755)
    home = place / "home"
    home.mkdir()
    room = Room(home, queue=True)
    room.user = "nobody"
    room.configure(f'match all action pipe "test -e {home}/healed && cat >>{home}/b || kill -9 $PPID"\n')
    for path in (home, home / "conf", home / "site"):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)
    assert hand_as_nobody(room).status == -9
    assert len(room.work()) == 1
    assert owners(home) == {NOBODY.pw_uid}
    (home / "healed").touch()
    os.chown(home / "healed", NOBODY.pw_uid, -1)
    assert room.work() == []
    assert room.copies(MAIL) == {"b": 1}
    assert owners(home) == {NOBODY.pw_uid}
    assert {each.stat().st_uid for each in home.rglob("*")} == {NOBODY.pw_uid}


@pytest.mark.parametrize("with_queue", [False, True], ids=["journal", "queue"])
def test_the_problem_folder_is_that_of_the_user_whose_delivery_fails(place: Path, with_queue: bool) -> None:
    limits = f'set queue-tries 2\nset queue-time 0 seconds\nset problem-mailbox "{place}/P"\n'
    room = Room(place, with_queue)
    room.user = "daemon"
    room.configure(RULES.format(folder=place), limits)
    room.hand(MAIL)
    if room.queue:
        assert room.work() == []
    else:
        assert room.hand(MAIL).status == 0
    assert len(list((place / "P" / "new").iterdir())) == 2
    assert owners(place / "P") == {NOBODY.pw_uid}
    assert room.copies(MAIL) == {"a": 1}


@pytest.mark.parametrize("with_queue", [False, True], ids=["journal", "queue"])
def test_a_user_who_is_not_there_yet_has_his_mail_when_he_is(place: Path, with_queue: bool) -> None:
    room = Room(place, with_queue)
    room.configure(RULES.format(folder=place).replace('user "nobody"', 'user "nosuchuser"'))
    (place / "healed").touch()
    assert room.hand(MAIL).status == (0 if with_queue else 75)
    # One unknown name stops all actions of its rule.
    assert room.copies(MAIL) == {}
    room.configure(RULES.format(folder=place))
    if room.queue:
        assert room.work() == []
    else:
        assert room.hand(MAIL).status == 0
    assert room.copies(MAIL) == {"a": 1, "b": 1}
