"""The server's side of its workers: which message goes to whom, and what comes back."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import itertools
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
    """One message for one user. `answered` is called once, with the job and an exit status. Then `tell` is to be
    called once: whether the client has heard it."""

    def __init__(
        self,
        recipient: Recipient,
        octets: bytes | None,
        descriptor: int,
        size: int,
        answered: Callable[[Job, int], None],
    ) -> None:
        self.recipient = recipient
        self.octets = octets
        self.descriptor = descriptor
        self.size = size
        self.since = 0.0
        self.number = 0  # by which its worker knows it
        self.tell: Callable[[bool], None] = lambda _: None  # no worker waits for it
        self._done = False
        self._answered = answered

    def answer(self, status: int) -> None:
        """Only the first answer counts."""
        if self._done:
            return
        self._done = True
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        self._answered(self, status)

    @property
    def done(self) -> bool:
        """Whether it is answered."""
        return self._done


class _Hand:
    """One worker, as the server sees it. `untold` counts the answers of which it does not know yet whether they were
    heard; one that `leaves` takes no more messages."""

    def __init__(self, talk: Line, pid: int) -> None:
        self.line = talk
        self.process = os.pidfd_open(pid)
        self.job: Job | None = None
        self.untold = 0
        self.leaves = False
        self.who = ""  # whose program it has used last
        self.since = 0.0  # without work


class Pool:
    """At most `most` workers, no more than half of them for one user.

    `note` gets what workers have to say of configurations, `say` why a message is asked for again; `changed` is called
    when a worker has nothing to do any more.
    """

    def __init__(
        self,
        nursery_line: Line,
        most: int,
        note: Callable[[str, str], None],
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self._nursery = nursery_line
        self._most = most
        self._share = max(1, most // 2)
        self._note = note
        self._say = say
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._hands: list[_Hand] = []
        self._expected = 0
        self._numbers = itertools.count()
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
        """Take a message; it is answered sooner or later, but not at once."""
        job.since = self._loop.time()
        if self._stopping:
            self._loop.call_soon(job.answer, EX_TEMPFAIL)
            return
        self._waiting.append(job)
        self._dispatch()

    def stop(self) -> None:
        """Bring what is under way to a safe point, and begin nothing."""
        self._refuse_all("the server ends")
        for hand in list(self._hands):
            if hand.job is None:
                self._part(hand)
            else:
                self._signal(hand, signal.SIGTERM)

    def kill(self) -> None:
        """End what has not come to a safe point."""
        for hand in self._hands:
            self._signal(hand, signal.SIGKILL)

    def look(self) -> None:
        """To be called now and then: who has waited too long, and which worker nobody needs."""
        now = self._loop.time()
        while self._waiting and now - self._waiting[0].since > SERVE_PATIENCE:
            self._refuse(self._waiting.popleft(), f"no worker was free for {SERVE_PATIENCE:g} seconds")
        for hand in self._hands[1:]:
            if hand.job is None and not hand.untold and now - hand.since > SERVE_IDLE:
                self._drop(hand)

    @staticmethod
    def _signal(hand: _Hand, number: int) -> None:
        # Who has ended meanwhile needs no signal.
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(hand.process, number)

    def _break(self) -> None:
        """Without the nursery there are no workers any more."""
        self._refuse_all("the process that starts workers has ended")
        if not self.broken.done():
            self.broken.set_result(None)

    def _refuse_all(self, why: str) -> None:
        """Nothing is begun from now on."""
        self._stopping = True
        while self._waiting:
            self._refuse(self._waiting.popleft(), why)

    def _refuse(self, job: Job, why: str) -> None:
        self._say(f"{job.recipient.who}: {why}: a message is asked for again")
        job.answer(EX_TEMPFAIL)

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
        if descriptor < 0:
            # There is no room for one, or here for its line: it ends with that.
            self._do_without()
            return
        talk = line.adopt(descriptor)
        try:
            hand = _Hand(talk, pid)
        except ProcessLookupError:
            # It was killed before we knew of it.
            talk.close()
            self._dispatch()
            return
        except OSError:
            talk.close()
            self._do_without()
            return
        hand.line.socket.setblocking(False)
        self._hands.append(hand)
        self._loop.add_reader(descriptor, self._said, hand)
        self._rest(hand)

    def _do_without(self) -> None:
        """No worker can be started: whoever is there has to do; with nobody there nothing waits for that."""
        while self._waiting and not self._hands:
            self._refuse(self._waiting.popleft(), "there is no worker, and none can be started")

    def _rest(self, hand: _Hand) -> None:
        """A worker has become idle."""
        hand.since = self._loop.time()
        self._changed()
        self._part(hand)
        self._dispatch()

    def _part(self, hand: _Hand) -> None:
        """Let go of a worker that shall do nothing more, when it knows who has heard what."""
        if (hand.leaves or self._stopping) and hand.job is None and not hand.untold:
            self._drop(hand)

    def _dispatch(self) -> None:
        """Give what waits to those who have nothing to do, in the order in which it came."""
        while self._waiting and not self._stopping:
            idle = [hand for hand in self._hands if hand.job is None and not hand.leaves]
            held = [hand.who for hand in self._hands if hand.job is not None]
            job = next((job for job in self._waiting if held.count(job.recipient.who) < self._share), None)
            if job is None:
                return
            if not idle:
                self._ask_for_more()
                return
            who = job.recipient.who
            hand = next((each for each in idle if each.who == who), idle[0])
            if self._hand_over(hand, job):
                self._waiting.remove(job)
            else:
                # It has just died; another one takes the message.
                self._remove(hand)

    def _ask_for_more(self) -> None:
        if len(self._hands) + self._expected < self._most and self._expected < len(self._waiting):
            self._expected += 1
            try:
                self._nursery.say(nursery.NEW)
            except OSError:
                self._break()

    def _hand_over(self, hand: _Hand, job: Job) -> bool:
        """Whether the worker is there to take it."""
        about, job.number = job.recipient, next(self._numbers)
        words = (job.number, about.folder, about.variables, about.config, job.size, job.octets)
        try:
            hand.line.say(line.JOB, *words, descriptor=job.descriptor)
        except OSError:
            return False
        hand.job, hand.who = job, about.who
        return True

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
            [hand.leaves] = rest
            hand.job = None
            self._rest(hand)
        else:
            self._answered(hand, *rest)

    def _answered(self, hand: _Hand, status: int, last: bool) -> None:
        job = hand.job
        assert job is not None, "a worker answers for the message that it has"
        hand.untold += 1
        job.tell = functools.partial(self._tell, hand, job.number)
        if last:
            # The client's next message may come with the answer.
            hand.job = None
        job.answer(status)
        if last:
            self._rest(hand)

    def _tell(self, hand: _Hand, number: int, heard: bool) -> None:
        """Let a worker know whether the client has heard its answer."""
        if hand not in self._hands:
            return
        hand.untold -= 1
        try:
            hand.line.say(line.TOLD, number, heard)
        except OSError:
            self._drop(hand)
            return
        self._part(hand)

    def _drop(self, hand: _Hand) -> None:
        """A worker that has ended, or shall."""
        if hand not in self._hands:
            return
        self._remove(hand)
        job, hand.job = hand.job, None
        if job is not None and not job.done:
            self._refuse(job, "a worker has ended in the middle of it")
        self._changed()
        self._dispatch()

    def _remove(self, hand: _Hand) -> None:
        self._hands.remove(hand)
        self._loop.remove_reader(hand.line.socket.fileno())
        hand.line.close()
        os.close(hand.process)
