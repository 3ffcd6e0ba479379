"""One fault on one candidate: the messages come in while it lasts and after it, then they are counted."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

from tests.comparison.candidate import Candidate
from tests.comparison.tally import Tally, identity, tally
from tests.faults.house import HOME, USER, House, messages
from tests.faults.ledger import original
from tests.faults.spam import Spam

WAY = "imap no keep"
DOOR = "/config/door"
# The seed's rules, and one more for spam.
RULES = """\
set maximum-size 100K
account "stdin" disabled stdin
action "junk" pipe "/config/deliver -d user@example.com -m Junk"
action "alias" pipe "/config/deliver -d alias@example.com"
action "alias:Received" pipe "/config/deliver -d alias@example.com -m Received"
action "user" pipe "/config/deliver -d user@example.com"
action "user:Received" pipe "/config/deliver -d user@example.com -m Received"
match "^X-Spam: yes" in headers action "junk"
match "^Delivered-To: alias@example.com" in headers action { "alias" "alias:Received" }
match all action { "user" "user:Received" }
"""
# The text that every spam filter takes for spam.
_GTUBE = b"\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\n"
Plans = dict[bytes, tuple[str, ...]]


def letters(count: int = 2, size: int = 100) -> Plans:
    """Ham; every third is for the alias."""
    return messages(count, size)


def spam() -> Plans:
    [text] = messages(1)
    text = text.replace(b"<0@", b"<spam@").partition(b"\n\n")[0] + b"\n" + _GTUBE
    return {text: (f"{USER}/Junk",)}


def some() -> Plans:
    """Two letters and a spam."""
    return letters(2) | spam()


class Trial:
    """What a fault has in its hands."""

    def __init__(self, house: House, filter_: Spam, candidate: Candidate, plans: Plans) -> None:
        self.house = house
        self.spam = filter_
        self.candidate = candidate
        self.plans = plans
        # Things to be put back when all is counted.
        self.after = contextlib.ExitStack()
        # A message before it is handed over by hand; None where fetchmail does it.
        self.by_hand: Callable[[bytes], bytes] | None = None
        self._with_the_caller = list(plans)
        # Whether the provider has the messages already.
        self.sent = False
        # What a fault has seen of messages that it does not concern.
        self.others_held_up = 0
        house.clear()
        house.configure(RULES)
        self.open_door()

    def open_door(self, client: str = "", url: str = "", more: str = "") -> None:
        """Write what fetchmail will start; by default with everything in its place."""
        url = url or f"http://127.0.0.1:{self.spam.port}"
        site = self.candidate.site(url)
        self.house.configure(site, "rulesmith.conf")
        door = self.house.config / "door"
        more = f"export RULESMITH_CONF={HOME}/rulesmith.conf\n{more}"
        client = client or f"rspamc -h {url.removeprefix('http://')}"
        door.write_text(self.candidate.door(client, more))
        door.chmod(0o755)
        self.house.bed.own(self.house.config)

    def run(self, fault: Callable[[Trial], contextlib.AbstractContextManager[None]]) -> Tally:
        """Two rounds while the fault lasts and three after it."""
        with self.after:
            with fault(self):
                if not (self.by_hand or self.sent):
                    self.house.send(self.plans)
                for _ in range(2):
                    self.round()
            for _ in range(3):
                self.round()
            boxes = self.house.mailboxes()
            result = tally(self.plans, self._handed(), self.waiting(), boxes)
            result.held_up += self.others_held_up
        return result

    def round(self) -> None:
        """fetchmail comes once, or whoever hands over by hand; then the queue has a turn."""
        if self.by_hand:
            shown = self.by_hand
            self._with_the_caller = [
                each for each in self._with_the_caller if self.house.hand(shown(each), DOOR).status
            ]
        else:
            self.house.fetching.poll(WAY, DOOR)
        if self.candidate.queue:
            self.queue("retry")
            self.queue("run", "--once")

    def queue(self, *words: str) -> None:
        env = {"RULESMITH_CONF": f"{HOME}/rulesmith.conf"}
        self.house.bed.run(self.house.rulesmith, "queue", *words, "--queue", f"{HOME}/queue", env=env)

    def waiting(self) -> set[bytes]:
        """The identities of the messages that will come again."""
        kept = self._with_the_caller if self.by_hand else self.house.fetching.waiting(WAY)
        return {identity(text) for text in (*kept, *self.house.queued())}

    def _handed(self) -> dict[bytes, set[bytes]]:
        handed = {identity(text): {original(text)} for text in self.plans}
        folder = self.house.bed.home / "handed"
        if folder.is_dir():
            handed = {name: set() for name in handed}
            for file in folder.iterdir():
                text = file.read_bytes()
                handed[identity(text)].add(original(text))
        return handed

    def end_dovecot(self) -> None:
        self.house.bed.signal(self.house.local.process, signal.SIGTERM)
        self.house.bed.wait(self.house.local.process)


@contextlib.contextmanager
def nothing(_trial: Trial) -> Iterator[None]:
    """No fault: the candidate, the counting and the rest must be in order."""
    yield
