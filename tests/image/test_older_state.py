"""A newer image goes on with the queue and the journal of an older one, and with mail whose user comes and goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.ledger import original
from tests.image.house import CAREFUL, Container, until
from tests.image.older_state import JOURNAL, LATE, PASSWORD, QUEUE, RULES, furnish, hand_over, lay_out, letter

REPAIRED = RULES.replace("-d late@example.com -m Copies", "-d queue@example.com -m Copies")


def found(container: Container, user: str, folder: str = "INBOX") -> list[bytes]:
    """His messages as they were handed over."""
    return sorted(original(message) for message in container.mailbox(user, PASSWORD, folder))


def test_what_an_older_image_has_begun_is_brought_to_its_end_and_repeated_nowhere(container: Container) -> None:
    lay_out(container)
    furnish(container)
    container.user(LATE, passwd="{PLAIN}" + PASSWORD)
    container.create(*CAREFUL)
    for user in (QUEUE, JOURNAL, LATE):
        until(lambda user=user: container.has_user(user), user)  # type: ignore[misc]

    until(lambda: found(container, LATE, "Copies") == [letter(QUEUE)], "the message of the queue")
    # fetchmail brings it again.
    done = hand_over(container, JOURNAL, RULESMITH_CONF="")
    assert done.status == 0, done
    assert found(container, LATE, "Copies") == sorted([letter(QUEUE), letter(JOURNAL)])
    for user in (QUEUE, JOURNAL):
        assert found(container, user) == [letter(user)]
    until(lambda: not list(container.mail.glob(".rulesmith/queue/*.mail")), "an empty queue")
    assert list(container.mail.glob(".rulesmith/journal/*.journal")) == []


@pytest.fixture(scope="module")
def waiting(containers: Callable[[], Container]) -> Container:
    """A message waits for somebody who is not there."""
    made = containers()
    lay_out(made)
    furnish(made)
    made.create(*CAREFUL)
    until(lambda: made.has_user(QUEUE), QUEUE)
    made.saw("command returned 67")
    return made


def test_the_queue_is_listed_and_nothing_else_is_said(waiting: Container) -> None:
    for user in ("", "vmail"):
        done = waiting.exec("rulesmith", "queue", "list", user=user)
        assert (done.status, done.err, done.out.count(b"\n")) == (0, b"", 1), done
        assert b"command returned 67" in done.out
    # The queue was not looked at before the files were there.
    said = [line for line in waiting.logs().splitlines() if f" queue {QUEUE}: " in line]
    assert said
    assert [line for line in said if "command returned 67" not in line] == []


def test_mail_of_a_user_who_is_gone_waits_is_shown_and_is_delivered_when_he_is_back(waiting: Container) -> None:
    folder, aside = waiting.config / "users" / QUEUE, waiting.folder / "aside"
    folder.rename(aside)
    until(lambda: not waiting.has_user(QUEUE), "the user is gone")
    until(lambda: "no fdm.conf any more" in waiting.exec("rulesmith", "health").text, "health says so")
    assert waiting.exec("rulesmith", "queue", "retry", "--all").status == 1
    assert len(list(waiting.mail.glob(".rulesmith/queue/*.mail"))) == 1
    aside.rename(folder)
    waiting.user(QUEUE, conf=REPAIRED.format(user=QUEUE, settings=""))
    until(lambda: found(waiting, QUEUE, "Copies") == [letter(QUEUE)], "his message")
    assert found(waiting, QUEUE) == [letter(QUEUE)]
