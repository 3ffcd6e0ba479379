"""The soak's judge: what it lets pass, and what it does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.soak.account import Account
from tests.soak.chronicle import Chronicle
from tests.soak.handover import Book
from tests.soak.letter import BOX, INBOX, PROBLEM, RECEIVED, Letter, draw
from tests.soak.stage import Stage

VERDICT = b"X-Spam-Score: 1.5 / 15\n"


class Case:
    """A soak of one letter, of which the tests tell what happened."""

    def __init__(self, folder: Path, poison: bool = False) -> None:
        self.chronicle = Chronicle()
        (folder / "soak").mkdir()
        self.folder = folder
        self.book = Book(folder / "soak")
        self.account = Account(cast(Stage, SimpleNamespace(config=folder, chronicle=self.chronicle, book=self.book)))
        self.letter = next(each for each in self._letters(poison) if poison or each.plan == (INBOX, RECEIVED))
        self.account.add(self.letter)

    @staticmethod
    def _letters(poison: bool) -> list[Letter]:
        return [draw(1, number, poison) for number in range(20)]

    def handed(self, begin: float, status: int, said: str = "") -> None:
        """fetchmail's poll number 1 has handed it over, for a second."""
        sender = f"{self.letter.name}@example.org"
        process = int(begin)
        (self.folder / "soak" / "doors" / f"{sender}.1.{process}").write_text(said)
        with (self.folder / "soak" / "handovers").open("a") as file:
            file.write(f"begin {process} 1 {sender} {begin}\nend {process} 1 {sender} {begin + 1} {status}\n")
        self.book.read()

    def stored(self, *targets: str, text: bytes | None = None) -> None:
        for target in targets:
            raw = self.letter.raw if text is None else text
            self.account._found(target, raw.replace(b"\nSubject:", b"\n" + VERDICT + b"Subject:", 1))

    def complaints(self) -> list[str]:
        self.account.close()
        return sorted(self.account.wrong)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_each_message_once_in_each_mailbox_is_right(case: Case) -> None:
    case.handed(10, 75)
    case.handed(20, 0)
    case.stored(INBOX, RECEIVED)
    assert case.complaints() == []
    assert case.account.retried() == 1


@pytest.mark.parametrize(
    ("targets", "complaint"),
    [
        ((), "lost"),
        ((INBOX,), "lost"),
        ((INBOX, RECEIVED, RECEIVED), "duplicated"),
        ((INBOX, RECEIVED, BOX), "astray"),
    ],
)
def test_a_message_elsewhere_or_in_another_number_is_wrong(
    case: Case, targets: tuple[str, ...], complaint: str
) -> None:
    case.handed(10, 0)
    case.stored(*targets)
    assert case.complaints() == [complaint]


def test_a_message_that_fetchmail_still_has_is_not_delivered(case: Case) -> None:
    case.handed(10, 75)
    case.stored(INBOX, RECEIVED)
    assert "lost" in case.complaints()


@pytest.mark.parametrize("change", [(b"This", b"That"), (b"Alice", b"Mallory"), (b"The end", b"The End")])
def test_one_other_octet_is_an_alteration(case: Case, change: tuple[bytes, bytes]) -> None:
    case.handed(10, 0)
    case.stored(INBOX, RECEIVED)
    case.stored(RECEIVED, text=case.letter.raw.replace(*change))
    assert case.complaints() == ["altered"]


def test_a_message_that_nobody_has_sent_is_wrong(case: Case) -> None:
    case.handed(10, 0)
    case.stored(INBOX, RECEIVED)
    case.stored(INBOX, text=b"Subject: x\n\nx\n")
    assert case.complaints() == ["altered"]


def test_a_message_without_a_verdict_must_be_marked(case: Case) -> None:
    case.handed(10, 0)
    case.stored(INBOX)
    case.account._found(RECEIVED, case.letter.raw)
    assert case.complaints() == ["never scanned"]


def test_what_fetchmail_hands_over_again_after_its_death_is_counted_apart(case: Case) -> None:
    case.handed(10, 0)
    case.chronicle.breaks.append(15)
    case.handed(20, 0)
    case.stored(INBOX, RECEIVED, INBOX, RECEIVED)
    assert case.complaints() == []
    assert case.account.again == 1


def test_handed_over_again_without_a_death_is_wrong(case: Case) -> None:
    case.handed(10, 0)
    case.handed(20, 0)
    case.stored(INBOX, RECEIVED, INBOX, RECEIVED)
    assert case.complaints() == ["handed over again"]


@pytest.mark.parametrize(("died", "complaints"), [(10.5, []), (40, ["altered"])])
def test_a_message_cut_short_is_fetchmails_only_if_it_died_over_it(
    case: Case, died: float, complaints: list[str]
) -> None:
    case.handed(10, 0)
    case.chronicle.breaks.append(died)
    case.handed(50, 0)
    case.stored(INBOX, RECEIVED)
    case.stored(INBOX, RECEIVED, text=case.letter.raw[:-20] + b"\n")
    assert case.complaints() == complaints


@pytest.mark.parametrize(("copies", "complaints"), [((INBOX,), []), ((INBOX, RECEIVED), ["duplicated"])])
def test_a_kill_excuses_one_delivery(case: Case, copies: tuple[str, ...], complaints: list[str]) -> None:
    case.handed(10, 137)
    case.chronicle.kill("SIGKILL to the door", case.letter.name)
    case.handed(20, 0)
    case.stored(INBOX, RECEIVED, *copies)
    assert case.complaints() == complaints


def test_who_is_killed_when_all_is_done_has_it_all_again(case: Case) -> None:
    case.handed(10, 137, "stdin: 1 messages processed (0 kept) in 0.1 seconds (average 0.1)\n")
    case.chronicle.kill("SIGKILL to the door", case.letter.name)
    case.handed(20, 0)
    case.stored(INBOX, RECEIVED, INBOX, RECEIVED)
    assert case.complaints() == []
    assert case.account.under_way == 2


def test_a_record_that_cannot_be_written_excuses_what_was_announced(case: Case) -> None:
    case.handed(10, 75, "stdin: the message stays with the caller: …; a retry may repeat deliveries, since …\n")
    case.handed(20, 0)
    case.stored(INBOX, INBOX, RECEIVED)
    assert case.complaints() == []
    assert case.account.announced == 1


def test_a_poisonous_letter_belongs_into_the_problem_mailbox_with_a_note(tmp_path: Path) -> None:
    case = Case(tmp_path, poison=True)
    case.handed(10, 0)
    case.stored(INBOX, PROBLEM)
    assert case.complaints() == ["lost"]  # the note
    case.account.wrong.clear()
    case.account.quarantined = 0
    case.stored(PROBLEM, text=b"From: x\nSubject: A message that could not be delivered\n\nx\n")
    assert case.complaints() == []


def test_a_poisonous_letter_that_is_nowhere_to_be_seen_is_lost(tmp_path: Path) -> None:
    case = Case(tmp_path, poison=True)
    case.handed(10, 0)
    case.stored(INBOX)
    assert case.complaints() == ["lost"]


def test_the_history_has_everything_in_the_order_of_time(case: Case) -> None:
    case.chronicle.started = 0
    case.handed(10, 75, "stdin: got message 1\n")
    case.handed(20, 0)
    account = cast(Any, case.account.stage)
    account.house = SimpleNamespace(local=SimpleNamespace(run=case.folder))
    lines = [line.split(None, 1)[1] for line in case.account.history(case.letter.name)]
    assert lines == [
        "handed over, poll 1",
        "stdin: got message 1",
        "told 75, poll 1",
        "handed over, poll 1",
        "told 0, poll 1",
    ]
