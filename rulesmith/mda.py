"""One run: choose the accounts, take their messages through the rules, say how it ended.

The exit status for a message on standard input is the promise of the whole program: 0 when the message is
stored or a rule disposed of it, 75 (EX_TEMPFAIL) whenever the caller must keep it.
"""

from __future__ import annotations

import os
import time

from rulesmith import __version__
from rulesmith.delivery import privileges
from rulesmith.delivery.drive import Driver
from rulesmith.delivery.world import World
from rulesmith.effects import Failure
from rulesmith.evaluate import KEEP, evaluate
from rulesmith.mail import glob, header
from rulesmith.mail.message import Message, clock_tags, describe
from rulesmith.sources import stdin
from rulesmith.wording import EVENTS, end_of_rules, processed, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.evaluate import Verdict
    from rulesmith.log import Log
    from rulesmith.options import Options
    from rulesmith.program import Account, Program

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


def status_of(verdict: Verdict, kept: bool) -> tuple[int, str]:
    """The exit status for a message on standard input, and the sentence that says why it is not 0."""
    if verdict.outcome != "done":
        return EX_TEMPFAIL, "the message stays with the caller: " + verdict.reason
    if verdict.stored or (verdict.dropped and not kept):
        return SUCCESS, ""
    if kept:
        return EX_TEMPFAIL, "the message stays with the caller: the rules keep it and nothing stored it"
    return EX_TEMPFAIL, "the message stays with the caller: no action of the rules that matched stores it"


class Session:
    """The accounts of one run, one after the other."""

    def __init__(self, program: Program, options: Options, log: Log, me: User) -> None:
        self.program = program
        self.settings = program[0]
        self.options = options
        self.log = log
        self.me = me
        self.hostname = os.uname().nodename.encode("utf-8", "surrogateescape")

    def who(self, name: bytes) -> User | None:
        """A user by name; with -h the invoking user's home is $HOME (as in fdm 2.2)."""
        found = privileges.who(name)
        if found is not None and found[1] == self.me[1]:
            return found[0], found[1], found[2], self.me[3]
        return found

    def fetch(self, account: Account) -> int:
        """Process one account; its exit status in our terms (fdm's are 0 and 1)."""
        name, _, _, word, args, keep, _ = account
        started = time.time()
        run = _AccountRun(self, account, started)
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

    def _fetch_stdin(self, run: _AccountRun) -> int:
        settings = self.settings
        run.trace("started")
        run.trace("fetching")
        try:
            raw = stdin.read(settings["maximum-size"], settings["timeout"])
        except stdin.TooBig as failure:
            run.say(failure.text)
            if settings["delete-oversized"]:
                return SUCCESS
            run.say("fetching error. aborted")
            return EX_TEMPFAIL
        except Failure as failure:
            run.say(failure.text)
            run.say("fetching error. aborted")
            return EX_TEMPFAIL
        if self.log.level >= 4:
            self.log.copy(b"< " + raw)
        verdict, kept = run.process(raw, {})
        if self.options.fdm_status:
            return ERROR if verdict.outcome == "aborted" else SUCCESS
        status, why = status_of(verdict, kept)
        if status:
            run.say(why)
        return status

    def _fetch_folder(self, run: _AccountRun, word: str, args: tuple[Any, ...]) -> int:
        # Only these accounts read folders.
        module = __import__("rulesmith.sources." + word, fromlist=("Source",))
        source = module.Source(args[0], run.world)
        status = SUCCESS
        try:
            for raw, tags, dispose in source.messages():
                verdict, kept = run.process(raw, tags)
                if verdict.outcome == "aborted":
                    status = ERROR
                    break
                dispose(not kept)
            source.finish(status == SUCCESS)
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
        run = _AccountRun(self, account, time.time())
        try:
            count = module.Source(args[0], run.world).count()
        except Failure as failure:
            run.say(failure.text)
            return ERROR
        self.log.info(f"{text_of(name)}: {count} messages found")
        return SUCCESS


class _AccountRun:
    """What is the same for all messages of an account."""

    def __init__(self, session: Session, account: Account, now: float) -> None:
        self.session = session
        self.account = account
        self.label = text_of(account[0]) + ": "
        self.total = 0
        self.kept = 0
        self.now = int(now)
        self.world = World(session.settings, account[0], session.hostname, self._warn, self.trace)
        self.driver = Driver(self.world, dict(session.program[1]), session.who)
        self._tracing = session.log.level > 0
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
        known = EVENTS.get(event)
        if known is not None and known[0] <= self.session.log.level:
            self.session.log.debug(known[0], self.label + known[1](*args))

    def process(self, raw: bytes, tags: dict[bytes, bytes]) -> tuple[Verdict, bool]:
        """Take one message through the rules; the verdict, and whether it is kept at its source."""
        session = self.session
        name, _, users, word, _, keep, _ = self.account
        message = self._open(raw, tags, word)
        trace = self.trace if self._tracing else None
        engine = evaluate(session.program, name, users, message, session.me, trace)
        verdict = self.driver.drive(engine)
        for note in verdict.notes:
            self.say(text_of(note))
        if verdict.outcome != "done":
            self.say(verdict.reason)
            self.say("fetching error. " + verdict.outcome)
        if verdict.outcome == "aborted":
            return verdict, True
        if verdict.ended:
            level, text = end_of_rules(session.settings["unmatched-mail"])
            if level:
                session.log.debug(level, self.label + text)
            else:
                self.say(text)
        kept = verdict.decision == KEEP or keep or session.options.keep
        self.total += 1
        self.kept += kept
        self.trace("keeping" if kept else "deleting", self.total)
        return verdict, kept

    def _open(self, raw: bytes, source_tags: dict[bytes, bytes], word: str) -> Message:
        """A message as rules see it: without its mbox separator, with its tags and our Received line."""
        session = self.session
        account = self.account[0]
        raw = header.strip_from_line(raw)
        body_at = header.boundary(raw)
        tags = clock_tags(self.now, session.hostname)
        tags.update(source_tags)
        about = describe(raw, body_at, account, self.now)
        tags.update(about)
        if not session.settings["no-received"] and word not in ("nntp", "nntps"):
            line = header.received(self.world.fqdn(), __version__.encode(), account, word.encode(), self.now)
            raw, body_at = header.insert_received(raw, body_at, line)
        message = Message(raw, body_at, tags, self.now)
        if session.log.level >= 2:
            self._introduce(message, about)
        self.trace("got", self.total + 1, len(raw), body_at)
        return message

    def _introduce(self, message: Message, about: dict[bytes, bytes]) -> None:
        """What fdm says of a mail before its rules are tried."""
        if message.date() is None:
            self.trace("bad-date")
        self.trace("found-lines", int(about[b"lines"]), int(about[b"body_lines"]))
        if b"message_id" in about:
            self.trace("message-id", about[b"message_id"])
        else:
            self.trace("no-message-id")
        head = message.raw[: message.body_at]
        self.trace("wrapped", head.count(b"\n ") + head.count(b"\n\t"))
