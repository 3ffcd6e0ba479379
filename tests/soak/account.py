"""What became of every letter, by content: where its copies are, how many, and how many may be there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.faults.house import ALIAS
from tests.faults.ledger import original
from tests.soak.handover import Handover
from tests.soak.letter import BOX, INBOX, PROBLEM, RECEIVED, Letter
from tests.soak.stage import Stage

TARGETS = {
    INBOX: "small/home/Maildir",
    RECEIVED: "small/home/Maildir/.Received",
    PROBLEM: "small/home/Maildir/.Problem",
    BOX: "small/mail/box",
    f"{ALIAS}/INBOX": f"home/vmail/{ALIAS}/Maildir",
    f"{ALIAS}/Received": f"home/vmail/{ALIAS}/Maildir/.Received",
    f"{ALIAS}/Problem": f"home/vmail/{ALIAS}/Maildir/.Problem",
}
_SENDER = re.compile(rb"^Return-Path: <(m\d+)@", re.MULTILINE)
_NOTE = b"\nSubject: A message that could not be delivered\n"
_SCORE, _UNSCANNED = b"\nX-Spam-Score: ", b"\nX-Spam-Status: unscanned"
# The door says so, where it is not killed: what it has done it could not write down.
_ANNOUNCED = re.compile(r"may repeat deliveries|may be delivered again")
# The delivery under way was ended from outside, and nobody can know how far it had come.
_CUT_OFF = re.compile(r"child got signal: (?:9|15)|command returned 137|killed after \d+ second")
# Behind this line there is nothing but the end of the process.
_AT_ITS_END = re.compile(r"1 messages processed")
# Seconds: fetchmail learns of a broken connection a little after it broke.
_AFTER = 2.0


@dataclass
class Account:
    """The copies found so far; the figures and the complaints when all is over."""

    stage: Stage
    letters: dict[str, Letter] = field(default_factory=dict)
    copies: dict[str, Counter[str]] = field(default_factory=dict)
    cuts: dict[str, Counter[str]] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)  # a message's name in the queue: letter
    notes: int = 0
    delivered: int = 0
    unscanned: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)  # kind of fault: who and what
    blame: dict[str, str] = field(default_factory=dict)  # letter: the first fault
    again: int = 0  # handed over again by fetchmail after its own death, or its provider's
    short: int = 0  # cut short by that
    under_way: int = 0  # made twice because it was under way when its maker was killed
    announced: int = 0  # made twice because it could not be written down, as the log says
    quarantined: int = 0
    poison: int = 0

    def add(self, letter: Letter) -> None:
        self.letters[letter.name] = letter
        self.copies[letter.name], self.cuts[letter.name] = Counter(), Counter()

    def harvest(self) -> None:
        """Read and empty the mailboxes."""
        for target, folder in TARGETS.items():
            for path, raw in self.stage.take(folder):
                self._found(target, raw)
                path.unlink()

    def look_into_queue(self) -> None:
        """Learn under which names letters are in the queue."""
        from rulesmith.delivery import queue

        folder = bytes(self.stage.house.inside("small/queue/queue"))
        try:
            names = queue.names(folder)
        except FileNotFoundError:
            return
        for name in names:
            if name.decode() not in self.entries:
                try:
                    entry = queue.look(folder, name)
                except (FileNotFoundError, PermissionError):
                    continue
                found = _SENDER.search(entry.raw()[:20_000])
                entry.close()
                self.entries[name.decode()] = found[1].decode() if found else ""

    def _found(self, target: str, raw: bytes) -> None:
        if _NOTE in raw and target.endswith("/Problem"):
            self.notes += 1
            return
        text = original(raw)
        found = _SENDER.search(text)
        name = found[1].decode() if found else ""
        letter = self.letters.get(name)
        if letter is None:
            self._complain("altered", name, f"{target}: a message that nobody has sent: {raw[:300]!r}")
            return
        if text == letter.raw:
            self.copies[name][target] += 1
        elif letter.raw.startswith(text.rstrip(b"\n")):
            self.cuts[name][target] += 1
        else:
            at = next((at for at, (one, other) in enumerate(zip(text, letter.raw, strict=False)) if one != other), 0)
            self._complain("altered", name, f"{target}: from octet {at} on {text[at:][:200]!r}")
        self.delivered += 1
        head = raw[: raw.find(b"\n\n") + 1]
        if target.endswith("/Problem"):
            return
        if _UNSCANNED in head:
            self.unscanned += 1
        elif _SCORE not in head:
            self._complain("never scanned", name, f"{target}: neither a verdict nor a mark")

    def _complain(self, kind: str, name: str, text: str) -> None:
        self.wrong.setdefault(kind, []).append(f"{name or 'nobody'}: {text}")
        self.blame.setdefault(name, text)

    def close(self) -> None:
        """Everything is delivered: compare."""
        said = self._queue_said()
        for name, letter in self.letters.items():
            self._judge(letter, self.stage.book.of.get(name, []), said.get(name, ""))
        # A note that cannot be delivered is logged: the message itself is where it can be seen.
        unwritten = self._log().count("the note beside it: ")
        unwritten += sum(each.said().count("the note beside it: ") for of in self.stage.book.of.values() for each in of)
        if self.notes + unwritten < self.quarantined:
            self._complain("lost", "", f"{self.quarantined} messages in the problem mailbox with {self.notes} notes")

    def _log(self) -> str:
        """What `queue run` has said."""
        log = self.stage.config / "soak" / "queue"
        return log.read_text(errors="backslashreplace") if log.exists() else ""

    def _queue_said(self) -> dict[str, str]:
        """Lines of `queue run` by letter, as far as they name the message."""
        said: dict[str, str] = {}
        for line in self._log().splitlines():
            found = re.search(r"\b\d+\.\d{6}\.\d+\.[0-9a-f]{8}\b", line)
            if found and (name := self.entries.get(found[0])):
                said[name] = said.get(name, "") + line + "\n"
        return said

    def _judge(self, letter: Letter, handovers: list[Handover], queue_said: str) -> None:
        name, copies = letter.name, self.copies[letter.name]
        told = sum(each.status == 0 for each in handovers)
        given_up = copies[PROBLEM] + copies[f"{ALIAS}/Problem"]
        self.quarantined += bool(given_up)
        self.poison += letter.poison and bool(given_up)
        if not told:
            self._complain("lost", name, "fetchmail was never told that it is delivered")
        if letter.poison and not given_up:
            self._complain("lost", name, "a poisonous letter is not in the problem mailbox")
        for target in copies:
            if target not in letter.plan and not target.endswith("/Problem"):
                self._complain("astray", name, f"in {target}")
        missing = [target for target in letter.plan if not copies[target]]
        if missing and not given_up:
            self._complain("lost", name, f"not in {', '.join(missing)}")
        self._judge_again(name, handovers)
        self._judge_cuts(name, handovers)
        extra = sum(max(0, number - told) for number in copies.values())
        if extra:
            self._judge_extra(letter, extra, "".join(each.said() for each in handovers) + queue_said)

    def _judge_again(self, name: str, handovers: list[Handover]) -> None:
        """After status 0 a letter comes again only if fetchmail, or its provider, has broken down meanwhile."""
        done: Handover | None = None
        for each in handovers:
            if done is not None:
                self.again += 1
                if not any(done.began <= when <= each.began for when in self.stage.chronicle.breaks):
                    self._complain("handed over again", name, f"poll {each.poll} after {done.poll}, and nothing broke")
            if each.status == 0:
                done = each

    def _judge_cuts(self, name: str, handovers: list[Handover]) -> None:
        """A message whose end fetchmail did not hand over looks whole to the door."""
        for target, number in self.cuts[name].items():
            self.short += number
            if number > sum(self._broke(each) for each in handovers):
                self._complain("altered", name, f"{number} copies in {target} are cut short")

    def _broke(self, handover: Handover) -> bool:
        """Whether fetchmail, or its provider, broke down during it."""
        breaks = self.stage.chronicle.breaks
        return any(handover.began - _AFTER <= when <= handover.ended + _AFTER for when in breaks)

    def _judge_extra(self, letter: Letter, extra: int, said: str) -> None:
        """More copies than fetchmail was told of: one for each delivery under way when its maker was killed."""
        chronicle = self.stage.chronicle
        killed = chronicle.kills.get(letter.name, [])
        kills = len(killed) + len(_CUT_OFF.findall(said))
        unsaid = len(_ANNOUNCED.findall(said)) + sum(chronicle.in_gap(each.when) for each in killed)
        at_end = sum(
            each.status not in (0, 75) and bool(_AT_ITS_END.search(each.said()))
            for each in self.stage.book.of[letter.name]
        )
        if extra <= kills + at_end * (len(letter.plan) - 1):
            self.under_way += extra
        elif extra <= kills + unsaid * len(letter.plan):
            self.announced += extra
        else:
            self._complain("duplicated", letter.name, f"{extra} copies too many: {dict(self.copies[letter.name])}")

    def retried(self) -> int:
        """Handovers that ended with "try again"."""
        return sum(each.status == 75 for handovers in self.stage.book.of.values() for each in handovers)

    def history(self, name: str) -> Iterator[str]:
        """All that is known of a letter, in the order of time."""
        stage = self.stage
        handovers = stage.book.of.get(name, [])
        start = stage.chronicle.started
        lines: list[tuple[float, str]] = []
        for each in handovers:
            lines.append((each.began, f"handed over, poll {each.poll}"))
            lines += [(each.began + 1e-6, "    " + line) for line in each.said().splitlines()]
            if each.status is not None:
                lines.append((each.ended, f"told {each.status}, poll {each.poll}"))
        if handovers:
            end = max(each.ended or each.began for each in handovers)
            for event in stage.chronicle.between(handovers[0].began - 5, end + 60, name):
                lines.append((event.when, event.text + (f" ({event.letter})" if event.letter else "")))
        for when, text in sorted(lines, key=lambda line: line[0]):
            yield f"{when - start:9.2f}  {text}"
        entries = [entry for entry, letter in self.entries.items() if letter == name]
        for line in self._log().splitlines():
            if any(entry in line for entry in entries):
                yield f"    queue run: {line}"
        letter = self.letters.get(name)
        log = stage.house.local.run / "deliver.log"
        if letter is not None and log.exists():
            ident = re.search(rb"Message-ID: (<\S+>)", letter.raw)
            for line in log.read_text(errors="backslashreplace").splitlines():
                if ident and ident[1].decode() in line:
                    yield f"    deliver: {line}"
