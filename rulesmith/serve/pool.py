"""The server's side of its workers: which message goes to whom, and what comes back."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import signal
from typing import TYPE_CHECKING

from rulesmith.fdm import EX_TEMPFAIL
from rulesmith.limits import SERVE_IDLE, SERVE_PATIENCE
from rulesmith.serve import line, nursery

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.serve.line import Line
    from rulesmith.serve.recipients import Recipient


class Job:
    """One message for one user. `answered` is called once, with an exit status; it says whether the client is there
    to hear it."""

    def __init__(
        self, recipient: Recipient, octets: bytes | None, descriptor: int, size: int, answered: Callable[[int], bool]
    ) -> None:
        self.recipient = recipient
        self.octets = octets
        self.descriptor = descriptor
        self.size = size
        self.since = 0.0
        self.done = False
        self._answered = answered

    def answer(self, status: int) -> bool:
        """Only the first answer counts."""
        if self.done:
            return False
        self.done = True
        heard = self._answered(status)
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        return heard


class _Hand:
    """One worker, as the server sees it."""

    def __init__(self, talk: Line, pid: int) -> None:
        self.line = talk
        self.process = os.pidfd_open(pid)
        self.job: Job | None = None
        self.who = ""  # whose program it has used last
        self.since = 0.0  # without work


class Pool:
    """At most `most` workers, no more than half of them for one user.

    `note` gets what workers have to say of configurations; `changed` is called when one has nothing to do any more.
    """

    def __init__(
        self, nursery_line: Line, most: int, note: Callable[[str, str], None], changed: Callable[[], None]
    ) -> None:
        self._nursery = nursery_line
        self._most = most
        self._share = max(1, most // 2)
        self._note = note
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._hands: list[_Hand] = []
        self._expected = 0
        self._waiting: collections.deque[Job] = collections.deque()
        self._stopping = False
        self.broken: asyncio.Future[None] = self._loop.create_future()
        nursery_line.socket.setblocking(False)
        self._loop.add_reader(nursery_line.socket.fileno(), self._born)

    @property
    def busy(self) -> bool:
        """Whether a worker is there: after `stop` each ends when it has done what follows its answer."""
        return bool(self._hands)

    def submit(self, job: Job) -> None:
        """Take a message; it is answered sooner or later."""
        job.since = self._loop.time()
        if self._stopping:
            job.answer(EX_TEMPFAIL)
            return
        self._waiting.append(job)
        self._dispatch()

    def stop(self) -> None:
        """Bring what is under way to a safe point, and begin nothing."""
        self._stopping = True
        self._refuse_all()
        self._signal_all(signal.SIGTERM)

    def kill(self) -> None:
        """End what has not come to a safe point."""
        self._signal_all(signal.SIGKILL)

    def look(self) -> None:
        """To be called now and then: who has waited too long, and which worker nobody needs."""
        now = self._loop.time()
        while self._waiting and now - self._waiting[0].since > SERVE_PATIENCE:
            self._waiting.popleft().answer(EX_TEMPFAIL)
        for hand in [hand for hand in self._hands[1:] if hand.job is None and now - hand.since > SERVE_IDLE]:
            self._drop(hand)

    def _signal_all(self, number: int) -> None:
        for hand in self._hands:
            # Who has ended meanwhile needs no signal.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(hand.process, number)

    def _break(self) -> None:
        """Without the nursery there are no workers any more."""
        self._refuse_all()
        if not self.broken.done():
            self.broken.set_result(None)

    def _refuse_all(self) -> None:
        while self._waiting:
            self._waiting.popleft().answer(EX_TEMPFAIL)

    def _born(self) -> None:
        try:
            heard = self._nursery.hear()
        except BlockingIOError:
            return
        if heard is None:
            self._loop.remove_reader(self._nursery.socket.fileno())
            self._break()
            return
        (_, pid), descriptor = heard
        self._expected -= 1
        try:
            hand = _Hand(line.adopt(descriptor), pid)
        except ProcessLookupError:
            # It was killed before we knew of it.
            self._dispatch()
            return
        hand.line.socket.setblocking(False)
        self._hands.append(hand)
        self._loop.add_reader(descriptor, self._said, hand)
        self._rest(hand)

    def _rest(self, hand: _Hand) -> None:
        hand.job, hand.since = None, self._loop.time()
        self._changed()
        self._dispatch()

    def _dispatch(self) -> None:
        """Give what waits to those who have nothing to do, in the order in which it came."""
        if not self._waiting or self._stopping:
            return
        idle = [hand for hand in self._hands if hand.job is None]
        held = collections.Counter(hand.who for hand in self._hands if hand.job is not None)
        for job in list(self._waiting):
            who = job.recipient.who
            if held[who] >= self._share:
                continue
            if not idle:
                self._ask_for_more()
                return
            hand = next((each for each in idle if each.who == who), idle[0])
            idle.remove(hand)
            held[who] += 1
            self._waiting.remove(job)
            self._hand_over(hand, job)

    def _ask_for_more(self) -> None:
        if len(self._hands) + self._expected < self._most and self._expected < len(self._waiting):
            self._expected += 1
            try:
                self._nursery.say(nursery.NEW)
            except OSError:
                self._break()

    def _hand_over(self, hand: _Hand, job: Job) -> None:
        hand.job, hand.who = job, job.recipient.who
        words = (*job.recipient, job.size, job.octets)
        try:
            hand.line.say(line.JOB, *words, descriptor=job.descriptor)
        except OSError:
            # It has just died; another one takes the message.
            hand.job = None
            self._drop(hand)
            self._waiting.appendleft(job)
            self._ask_for_more()

    def _said(self, hand: _Hand) -> None:
        try:
            heard = hand.line.hear()
        except BlockingIOError:
            return
        if heard is None:
            self._drop(hand)
            return
        word, *rest = heard[0]
        if word == line.NOTE:
            self._note(*rest)
        elif word == line.FREE:
            if rest[0]:
                self._drop(hand)
            else:
                self._rest(hand)
        else:
            self._answered(hand, *rest)

    def _answered(self, hand: _Hand, status: int, last: bool) -> None:
        assert hand.job is not None, "a worker answers for the message that it has"
        heard = hand.job.answer(status)
        try:
            hand.line.say(line.TOLD, heard)
        except OSError:
            self._drop(hand)
            return
        if last:
            self._rest(hand)

    def _drop(self, hand: _Hand) -> None:
        """A worker that has ended, or shall."""
        if hand not in self._hands:
            return
        self._hands.remove(hand)
        self._loop.remove_reader(hand.line.socket.fileno())
        hand.line.close()
        os.close(hand.process)
        job, hand.job = hand.job, None
        if job is not None:
            job.answer(EX_TEMPFAIL)
        self._changed()
        self._dispatch()
