"""One run: choose the accounts, take their messages through the rules, say how it ended.

The exit status for a message on standard input is the promise of the whole program: 0 when the message is
stored or a rule disposed of it, 75 (EX_TEMPFAIL) whenever the caller must keep it.
"""

from __future__ import annotations

import posix
import time

from rulesmith import __version__, environment
from rulesmith.delivery import folders
from rulesmith.delivery.drive import Driver, Steps
from rulesmith.delivery.world import World
from rulesmith.effects import Failure, stopping
from rulesmith.evaluate import KEEP, Verdict, evaluate
from rulesmith.load import journal_folder
from rulesmith.mail import glob, header
from rulesmith.mail.message import Message, clock_tags, describe
from rulesmith.sources import stdin
from rulesmith.wording import end_of_rules, processed, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.delivery.entry import Entry
    from rulesmith.delivery.progress import Progress
    from rulesmith.evaluate import Asking
    from rulesmith.log import Log
    from rulesmith.options import Options
    from rulesmith.program import Account, Program
    from rulesmith.summary import Summary

    User = tuple[bytes, int, int, bytes]

SUCCESS, ERROR, EX_UNAVAILABLE, EX_TEMPFAIL = 0, 1, 69, 75


def select(accounts: tuple[Account, ...], options: Options) -> list[Account]:
    """The accounts of this run: -a selects (disabled ones too), -x leaves out (fdm(1))."""
    chosen = []
    for account in accounts:
        name, disabled = account[0], account[1]
        if options.includes:
            if not any(glob.matches(pattern, name) for pattern in options.includes):
                continue
        elif disabled:
            continue
        if not any(glob.matches(pattern, name) for pattern in options.excludes):
            chosen.append(account)
    return chosen


def unfinished(verdict: Verdict, kept: bool) -> str:
    """Why a message on standard input must be tried again; "" for one that is stored or that a rule disposed of."""
    if verdict.outcome != "done":
        return verdict.reason
    if verdict.stored or (verdict.dropped and not kept):
        return ""
    if kept:
        return "the rules keep it and nothing stored it"
    return "no action of the rules that matched stores it"


class Session:
    """The accounts of one run, one after the other.

    `config` is the path of the configuration. `handed` is what standard input gave where it was read already: the
    function that gives the message, or the Failure; `entry` is its place in the queue, where `again` says that another
    process has put it, and which it leaves for the problem mailbox with `release`. `at_end` is to be
    called when nothing else is left to do.
    """

    def __init__(self, program: Program, options: Options, log: Log, me: User, config: str) -> None:
        self.program = program
        self.settings = program[0]
        self.options = options
        self.log = log
        self.me = me
        self.config = config
        self.handed: Callable[[], bytes] | Failure | None = None
        self.entry: Entry | None = None
        self.again = False
        self.release = False
        self.at_end: Callable[[], None] | None = None
        self.hostname = posix.uname().nodename.encode("utf-8", "surrogateescape")

    def who(self, name: bytes) -> User | None:
        """A user by name; with -h the invoking user's home is $HOME (as in fdm 2.2)."""
        from rulesmith.delivery import people  # most configurations name nobody

        found = people.who(name)
        if found is not None and found[1] == self.me[1]:
            return found[0], found[1], found[2], self.me[3]
        return found

    def begin(self, account: Account, now: float) -> AccountRun:
        """One account's messages are going to come."""
        return AccountRun(self, account, now)

    def fetch(self, account: Account) -> int:
        """Process one account; its exit status in our terms (fdm's are 0 and 1)."""
        name, _, _, word, args, keep, _ = account
        started = time.time()
        run = self.begin(account, started)
        try:
            if word == "stdin":
                status = self._fetch_stdin(run)
            elif word in ("maildir", "mbox"):
                status = self._fetch_folder(run, word, args)
            else:
                self.log.warn(
                    f"{text_of(name)}: this version of rulesmith does not fetch from {word} servers; "
                    "let fetchmail hand the messages to `fdm -a stdin fetch`"
                )
                return EX_UNAVAILABLE
        finally:
            run.driver.close()
        run.trace("finished-processing")
        self.log.info(f"{text_of(name)}: {processed(run.total, run.kept, time.time() - started)}")
        return status

    def _fetch_stdin(self, run: AccountRun) -> int:
        settings = self.settings
        run.trace("started")
        run.trace("fetching")
        try:
            whole = self.handed
            if whole is None:
                whole = stdin.receive(settings["maximum-size"], settings["timeout"]).whole
            elif isinstance(whole, Failure):
                raise whole
        except Failure as failure:
            run.say(failure.text)
            if isinstance(failure, stdin.TooBig) and settings["delete-oversized"]:
                return SUCCESS
            run.say("fetching error. aborted")
            return EX_TEMPFAIL
        if self.log.level >= 4:
            self.log.copy(b"< " + whole())
        entry = self.entry
        if self.release and entry is not None:
            why = run.release(whole, entry)
            if why:
                run.say(why)
            return SUCCESS
        verdict, _, why = run.process(whole, {}, entry)
        if not why:
            return SUCCESS
        if entry is not None:
            run.say(f"the message stays in the queue ({text_of(entry.name)}): {why}")
            return SUCCESS
        if self.options.fdm_status:
            return SUCCESS if verdict.outcome == "ignored" else ERROR
        run.say("the message stays with the caller: " + why)
        return EX_TEMPFAIL

    def _fetch_folder(self, run: AccountRun, word: str, args: tuple[Any, ...]) -> int:
        # Only these accounts read folders.
        module = __import__("rulesmith.sources." + word, fromlist=("Source",))
        source = module.Source(args[0], run.world)
        status = SUCCESS
        try:
            for raw, tags, dispose in source.messages():
                # Somebody may have asked while this one was read.
                stopping.held = False
                stopping.heed()
                verdict, kept, why = run.process(lambda raw=raw: raw, tags)  # type: ignore[misc]
                if why and verdict.outcome != "ignored":
                    status = ERROR
                    break
                dispose(not kept)
                stopping.heed()
            source.finish()
        except Failure as failure:
            run.say(failure.text)
            run.say("fetching error. aborted")
            return ERROR
        return status

    def poll(self, account: Account) -> int:
        """Say how many messages there are (fdm(1), poll)."""
        name, _, _, word, args, _, _ = account
        if word != "maildir":
            self.log.info(f"{text_of(name)}: polling not supported")
            return SUCCESS
        module = __import__("rulesmith.sources." + word, fromlist=("Source",))
        run = AccountRun(self, account, time.time())
        try:
            count = module.Source(args[0], run.world).count()
        except Failure as failure:
            run.say(failure.text)
            return ERROR
        self.log.info(f"{text_of(name)}: {count} messages found")
        return SUCCESS


class AccountRun:
    """What is the same for all messages of an account."""

    def __init__(self, session: Session, account: Account, now: float) -> None:
        self.session = session
        self.account = account
        self.label = text_of(account[0]) + ": "
        self.total = 0
        self.kept = 0
        self.now = int(now)
        self._journal: bytes | None = None
        self._records: bool | None = None  # whether the journal holds any; not looked at yet
        level = session.log.level
        self.world = World(session.settings, account[0], session.hostname, self._warn, self.trace, level)
        self.driver = Driver(self.world, dict(session.program[1]), session.who)
        self._tracing = level > 0
        self._summary: Summary | None = None  # of the message under way
        self._since = now

    def _warn(self, text: bytes | str) -> None:
        self.say(text if isinstance(text, str) else text_of(text))

    def say(self, text: str) -> None:
        self.session.log.warn(self.label + text)

    def trace(self, event: str, *args: Any) -> None:
        """An event of the engine or of a delivery, as a log line of fdm's where the level asks for it."""
        if event in ("performed", "job"):
            args = (*args, self.total + 1)
            if event == "performed":
                args = (*args, max(0.0, time.time() - self._since))
            self._since = time.time()
        if self._summary is not None:
            self._summary.event(event, *args)
        if not self._tracing:
            return
        from rulesmith.events import EVENTS  # nobody sees them without -v

        known = EVENTS.get(event)
        if known is not None and known[0] <= self.session.log.level:
            self.session.log.debug(known[0], self.label + known[1](*args))

    def process(
        self, whole: Callable[[], bytes], tags: dict[bytes, bytes], entry: Entry | None = None
    ) -> tuple[Verdict, bool, str]:
        """Take one message through the rules.

        The verdict, whether the message is kept at its source, and why it must be tried again ("" if it need not).
        `whole` gives its octets; a large message is read again rather than held.
        """
        session = self.session
        steps = None
        problem = ""
        if environment.variable(b"RULESMITH_SUMMARY"):
            from rulesmith import summary  # only where it is asked for

            self._summary = summary.wanted(whole, word=self.account[3])
        try:
            progress = self._earlier(whole, entry)
            steps = Steps(progress, lambda: self._begin(whole, entry))
            if progress is not None:
                steps.again(int(time.time()))
            verdict = self.driver.drive(self._rules(whole, tags, entry, steps), steps)
        except Failure as failure:
            # Before the first rule: another process has the message, nobody knows what is done with it, or it has to
            # wait for its scan.
            verdict = Verdict()
            verdict.outcome, verdict.reason = "aborted", failure.text
        except BaseException:
            if steps is not None:
                steps.save()
                if steps.lost:
                    self.say(steps.repeats())
            raise
        kept = self._conclude(verdict)
        why = "" if verdict.outcome == "done" else verdict.reason
        if self.account[3] == "stdin" and not session.options.fdm_status:
            why = unfinished(verdict, kept)
        if steps is not None and (why or entry is not None or steps.progress is not None or steps.lost):
            from rulesmith import afterwards  # a message that is simply delivered has none

            left = afterwards.Afterwards(session, steps, entry, self.driver, self.say, self.account[3] == "stdin")
            if why:
                kept = self.account[5] or session.options.keep
            why = left.settle(why, whole, lambda: self._rules(whole, tags, entry, None), int(time.time()))
            kept = kept or bool(why)
            problem = left.problem
        if self._summary is not None:
            self._summary.conclude(session.again, verdict, why, problem, entry, steps)
        return verdict, kept, why

    def release(self, whole: Callable[[], bytes], entry: Entry) -> str:
        """Put a message of the queue into the problem mailbox; why it is not there, "" if it is."""
        from rulesmith import afterwards

        entry.open = False
        steps = Steps(entry.progress(), entry.begin)
        left = afterwards.Afterwards(self.session, steps, entry, self.driver, self.say, True)
        return left.release(whole, lambda: self._rules(whole, {}, entry, None), int(time.time()))

    def _conclude(self, verdict: Verdict) -> bool:
        """Say how it went; whether the message is kept at its source."""
        session = self.session
        for note in verdict.notes:
            self.say(text_of(note))
        if verdict.outcome != "done":
            self.say(verdict.reason)
            self.say("fetching error. " + verdict.outcome)
        if verdict.outcome == "aborted":
            return True
        if verdict.ended:
            level, text = end_of_rules(session.settings["unmatched-mail"])
            if level:
                session.log.debug(level, self.label + text)
            else:
                self.say(text)
        kept = verdict.decision == KEEP or self.account[5] or session.options.keep
        self.total += 1
        self.kept += kept
        self.trace("keeping" if kept else "deleting", self.total)
        return kept

    def _rules(
        self, whole: Callable[[], bytes], tags: dict[bytes, bytes], entry: Entry | None, steps: Steps | None
    ) -> Asking:
        """The engine for a message, which is scanned before where that is set; not without `steps`.

        Raises Failure: the message has to wait for its scan.
        """
        session = self.session
        name, _, users, word, _, _, _ = self.account
        now = self.now if entry is None else entry.context.now
        if steps is not None and steps.progress is not None:
            now = steps.progress.now
        raw = whole()
        verdict = None if entry is None else entry.verdict
        if session.settings["scan"] is not None and verdict is None and steps is not None:
            from rulesmith import scanned  # nothing of it where no scan is set

            raw, verdict = scanned.scanned(raw, self, entry, steps, now)
        message = self._open(raw, tags, word, now)
        message.verdict = verdict
        told = None if steps is None else self._summary
        trace = self.trace if self._tracing or told is not None else None
        foretells = steps is not None and self.driver.looks_ahead(entry is not None, self._journal)
        engine = evaluate(session.program, name, users, message, session.me, trace, foretells)
        return engine if told is None else told.watch(engine, verdict, session.settings["scan"] is not None)

    def _earlier(self, whole: Callable[[], bytes], entry: Entry | None) -> Progress | None:
        """How far an earlier try has come. Raises Failure: another process is at work on it, or nobody can tell."""
        known = None if entry is None else entry.progress()
        if known is not None:
            return known
        if self._records is None:
            self._journal = journal_folder(self.session.settings)
            self._records = self._journal is not None and bool(folders.names_in(self._journal))
        if not self._records or self._journal is None:
            return None
        from rulesmith import records  # only where some message is not finished

        session = self.session
        earlier = records.find(self._journal, whole(), session.config, session.options, self.account[0])
        if entry is not None and earlier is not None:
            # The queue was full, or not yet set, when the message came first.
            try:
                earlier.move(entry.progress_path())
            except Failure as failure:
                self.say(f"the record of this message stays in the journal: {failure.text}")
        return earlier

    def _begin(self, whole: Callable[[], bytes], entry: Entry | None) -> Progress:
        """A record for a message that is not finished. Raises OSError where it cannot be kept."""
        if entry is not None:
            return entry.begin()
        from rulesmith import records  # messages with one delivery need none

        session = self.session
        return records.create(self._journal, whole(), session.config, session.options, self.account[0], self.now)

    def _open(self, raw: bytes, source_tags: dict[bytes, bytes], word: str, now: int) -> Message:
        """A message as rules see it: without its mbox separator, with its tags and our Received line."""
        session = self.session
        account = self.account[0]
        raw = header.strip_from_line(raw)
        body_at = header.boundary(raw)
        tags = clock_tags(now, session.hostname)
        tags.update(source_tags)
        about = describe(raw, body_at, account, now)
        tags.update(about)
        if not session.settings["no-received"] and word not in ("nntp", "nntps"):
            line = header.received(self.world.fqdn(), __version__.encode(), account, word.encode(), now)
            raw, body_at = header.insert_received(raw, body_at, line)
        message = Message(raw, body_at, tags, now)
        if session.log.level >= 2:
            from rulesmith.events import introduce

            introduce(message, about, self.trace)
        self.trace("got", self.total + 1, len(raw), body_at)
        return message
