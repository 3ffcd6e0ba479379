"""The soak itself: phases, each with its way of fetching and its settings, while faults come and go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from random import Random

from tests.faults.fetching import MODES, NO_MAIL
from tests.soak import kills, letter, places, programs, servers
from tests.soak.account import Account
from tests.soak.chronicle import now
from tests.soak.fault import Faults
from tests.soak.letter import Letter
from tests.soak.stage import Stage

KINDS = (*kills.KINDS, *servers.KINDS, *programs.KINDS, *places.KINDS)
# Letters in one phase, at most in the provider's mailbox at a time, and seconds between two faults.
PHASE, WAITING, PACE = 125, 40, 2.0
# Seconds without any letter taken after which a phase, or the end, is not waited for any more.
PATIENCE = 120.0
# Seconds between two polls when the last one found nothing that it could deliver.
_INTERVAL = 0.3


class Stuck(Exception):
    """It does not come to its end."""


@dataclass(frozen=True)
class Regime:
    """Settings of a phase: with a queue or the journal alone; whether mail goes on when rspamd does not answer."""

    queue: bool
    unscanned: bool


class Soak:
    """`say` gets a line for each phase."""

    def __init__(self, stage: Stage, messages: int, seed: int, say: Callable[[str], None]) -> None:
        self.stage = stage
        self.messages = messages
        self.seed = seed
        self.say = say
        self.account = Account(stage)
        self.rng = Random(seed)
        self.faults = Faults(stage, KINDS, self.rng, PACE)
        self.seconds = 0.0
        self._progress = now()

    def run(self) -> None:
        """All phases, then everything is healed, and what waits is delivered. Raises Stuck."""
        began = now()
        number = 0
        modes = cycle(MODES)
        for turn in range(-(-self.messages // PHASE)):
            # Each way of fetching meets each regime.
            regime = Regime(queue=(turn + turn // 4) % 2 == 0, unscanned=turn % 3 == 1)
            count = min(PHASE, self.messages - number)
            self._phase(next(modes), regime, self._letters(number, count, regime))
            number += count
        self._end()
        self.seconds = now() - began
        self.account.close()

    def _letters(self, first: int, count: int, regime: Regime) -> list[Letter]:
        # They keep the end waiting for the whole `queue-time`, and so they do with a phase that has the journal alone.
        early = first < self.messages // 2
        poison = set(self.rng.sample(range(count), min(count, 3))) if regime.queue and early else set()
        if first == PHASE:
            poison = {0}
        return [letter.draw(self.seed, first + each, each in poison) for each in range(count)]

    def _phase(self, mode: str, regime: Regime, letters: list[Letter]) -> None:
        stage, account = self.stage, self.account
        began = now()
        stage.chronicle.note(f"phase: {mode}, {regime}")
        stage.set_site(regime.queue, regime.unscanned)
        if regime.queue:
            stage.start_queue_run()
        rest = list(letters)
        self._progress = now()
        while True:
            waiting = sum(not stage.book.told(each.name) for each in letters) - len(rest)
            batch = self.rng.randint(5, 25)
            if rest and waiting + batch <= WAITING:
                fresh, rest = rest[:batch], rest[batch:]
                for each in fresh:
                    account.add(each)
                stage.post(fresh)
                self._progress = now()
            status = self._poll(mode)
            if not rest and status == NO_MAIL and all(stage.book.told(each.name) for each in letters):
                break
        stage.forget_source()
        account.harvest()
        seconds = now() - began
        self.say(f"{letters[-1].number + 1} of {self.messages}: {mode}, {regime}, {len(letters)} in {seconds:.0f} s")

    def _poll(self, mode: str) -> int:
        """One poll to its end, while things break; fetchmail's status."""
        stage = self.stage
        told = self._told()
        stage.begin_poll(mode)
        while not self._turn():
            if now() > self._progress + PATIENCE:
                raise Stuck("fetchmail does not come to its end")
        done = stage.end_poll()
        stage.chronicle.note(f"poll {stage.poll}: fetchmail ended with {done.status}")
        if done.status not in (0, NO_MAIL):
            stage.chronicle.broken()
            tail = done.err.decode(errors="backslashreplace").splitlines()[-3:]
            stage.chronicle.note(f"poll {stage.poll}: " + " | ".join(tail))
        if self._told() > told:
            self._progress = now()
        else:
            if now() > self._progress + PATIENCE:
                raise Stuck(
                    f"nothing was taken for {PATIENCE:.0f} seconds; the last poll:\n{done.err.decode()[-3000:]}"
                )
            stage.pause(_INTERVAL)
        return done.status

    def _told(self) -> int:
        """How many letters the door has taken."""
        return sum(self.stage.book.told(name) > 0 for name in self.account.letters)

    def _turn(self) -> bool:
        """Break and mend what is due, then wait; whether fetchmail has ended."""
        stage = self.stage
        seconds = self.faults.step()
        self.account.look_into_queue()
        assert stage.fetchmail is not None
        names = [stage.fetchmail] + ([] if stage.queue_run is None else [stage.queue_run])
        ended = stage.bed.first_ended(names, seconds)
        if ended is not None and ended == stage.queue_run:
            raise Stuck(f"`queue run` has ended: {stage.bed.wait(ended)}")
        return ended == stage.fetchmail

    def _end(self) -> None:
        stage = self.stage
        self.faults.heal()
        stage.chronicle.note("everything is healed")
        until = now() + PATIENCE
        while stage.queued():
            self.account.look_into_queue()
            if now() > until:
                raise Stuck(f"{len(stage.queued())} messages stay in the queue: {stage.house.bed.run(*self._list())}")
            done = stage.queue_pass()
            stage.chronicle.note(f"a pass over the queue ended with {done.status}")
            stage.pause(_INTERVAL)
        while stage.book.at_work():
            # Doors that have outlived their fetchmail.
            if now() > until:
                raise Stuck("a door does not come to its end")
            stage.pause(_INTERVAL)
            stage.book.read()
        self.account.harvest()

    def _list(self) -> tuple[str, ...]:
        return (self.stage.house.rulesmith, "queue", "list", "--queue", "/small/queue/queue")
