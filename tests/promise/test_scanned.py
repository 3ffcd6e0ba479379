"""The scan and the promise: once for a message of the queue, and what has no verdict waits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rulesmith.delivery import queue as entries
from tests.door import warm
from tests.promise.room import Room, a_mail
from tests.scan.scripted import ok, rspamd, says

MAIL = a_mail()
VERDICT = {
    "action": "rewrite subject",
    "score": 7.25,
    "required_score": 15,
    "subject": "[spam] 1",
    "symbols": {"A B%": {"name": "A B%", "score": 7.25}},
}
ANSWER = says(ok(json.dumps(VERDICT).encode()))
RULES = (
    'match spam score > 7.2 and spam symbol "A*" action { maildir "a" pipe "test -e healed && cat >>b" }\n'
    "match all action drop\n"
)


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    warm()


def test_a_message_of_the_queue_is_scanned_once(tmp_path: Path) -> None:
    with rspamd(ANSWER) as asked:
        room = Room(tmp_path, queue=True, rules=RULES, settings=f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 0
    assert asked.body == MAIL
    # Nobody is there any more, and nobody is asked.
    (name,) = entries.names(bytes(room.queue or b""))
    entry = entries.look(bytes(room.queue or b""), name)
    kept = entry.raw()
    assert entry.verdict == {"score": 7.25, "required": 15.0, "action": b"rewrite subject", "symbols": {b"A B%": 7.25}}
    entry.close()
    assert kept.count(b"[spam]") == 1
    (tmp_path / "healed").touch()
    assert room.work() == []
    assert room.copies(kept) == {"a": 1, "b": 1}


@pytest.mark.parametrize("queue", [False, True], ids=["journal", "queue"])
def test_a_message_without_a_verdict_waits_and_is_scanned_when_rspamd_answers(queue: bool, tmp_path: Path) -> None:
    settings = 'set scan "unix:/nowhere"\n'
    room = Room(tmp_path, queue, RULES, settings)
    (tmp_path / "healed").touch()
    assert room.hand(MAIL).status == (0 if queue else 75)
    with rspamd(ANSWER) as asked:
        room.configure(RULES, f'set scan "{asked.url}"\n')
        if queue:
            assert room.work() == []
        else:
            assert room.hand(MAIL).status == 0
    assert len(list((tmp_path / "a/new").iterdir())) == 1
    assert room.records() == []


def test_a_retry_without_a_queue_skips_what_is_done_whatever_the_scan_says_now(tmp_path: Path) -> None:
    with rspamd(ANSWER) as asked:
        room = Room(tmp_path, rules=RULES, settings=f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 75
    other = json.dumps(VERDICT | {"score": 9.5, "subject": "[SPAM!] 1"}).encode()
    (tmp_path / "healed").touch()
    with rspamd(says(ok(other))) as asked:
        room.configure(RULES, f'set scan "{asked.url}"\n')
        assert room.hand(MAIL).status == 0
    assert len(list((tmp_path / "a/new").iterdir())) == 1
    assert (tmp_path / "b").read_bytes().count(b"letter 1") == 1


def test_a_message_waits_for_its_verdict_only_for_so_long(tmp_path: Path) -> None:
    settings = 'set scan "unix:/nowhere"\nset scan-failure deliver\n'
    room = Room(tmp_path, queue=True, rules='match all action maildir "a"\n', settings=settings)
    assert room.hand(MAIL).status == 0
    (path,) = (tmp_path / "a/new").iterdir()
    assert b"\nX-Spam-Status: unscanned (" in path.read_bytes()
