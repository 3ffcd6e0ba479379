"""The driver that does what the engine asks for: an effect in, the world changed, an answer out."""

from __future__ import annotations

import time

from rulesmith.delivery import folders
from rulesmith.delivery.privileges import must_switch
from rulesmith.effects import AHEAD, DELIVER, FORGET, LOOK_UP, REMEMBER, RUN, WHO, Failure, stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from rulesmith.delivery.dovecot import Agent
    from rulesmith.delivery.keys import Cache
    from rulesmith.delivery.progress import Progress
    from rulesmith.delivery.world import World
    from rulesmith.evaluate import Verdict

    User = tuple[bytes, int, int, bytes]

# Which module of this package stores each kind; one that serves two is told which.
_MODULES = {
    "maildir": "maildir",
    "mbox": "mbox",
    "write": "file",
    "append": "file",
    "stdout": "stdout",
    "smtp": "smtp",
    "lmtp": "lmtp",
    "imap": "imap",
    "imaps": "imap",
}


class Steps:
    """The deliveries of one message: which are done already, and what has to be written down before the next.

    The record of a delivery is written when the engine asks for anything more, so that a plan of one delivery
    writes nothing. `progress` is the record of an earlier try, None without one; `begin` makes a new one, or
    raises OSError where it cannot be kept. Deliveries that are made ahead (AHEAD) count as asked for in their turn, and
    are written down together. `lost` says that something could not be written down, `why_lost` why;
    `failed` is the effect that failed, `answered` are the deliveries that this run has made.
    """

    __slots__ = ("_ahead", "_begin", "_fresh", "_later", "answered", "failed", "lost", "progress", "why_lost")

    def __init__(self, progress: Progress | None, begin: Callable[[], Progress]) -> None:
        self.progress = progress
        self.lost = False
        self.why_lost = ""
        self.failed: tuple[Any, ...] | None = None
        self.answered: list[tuple[Any, ...]] = []
        self._begin = begin
        self._fresh: list[tuple[tuple[Any, ...], Any]] = []
        # Effects that will be asked for; those with a failure may have been done or not.
        self._ahead: list[tuple[tuple[Any, ...], Failure | None]] = []
        self._later: list[tuple[Any, ...]] = []

    def carry_out(self, effect: tuple[Any, ...], answer: Callable[[tuple[Any, ...]], Any]) -> Any:
        """The answer to an effect: from the record, or by doing it. Raises Failure, Stopped."""
        if self._ahead:
            known = _without_message(effect)
            for at, (done, failure) in enumerate(self._ahead):
                if done == known:
                    del self._ahead[at]
                    if failure is None:
                        return 0, b""
                    self.failed = done
                    raise failure
        if self._fresh:
            self.save()
        stopping.heed()
        word = effect[0]
        if word == AHEAD:
            return self._look_ahead(effect, answer)
        step = word == DELIVER or (word == RUN and effect[1] in ("exec", "pipe"))
        if step:
            if self.progress is not None:
                known = self.progress.known(effect)
                if known is not None:
                    return known
        elif word in (LOOK_UP, REMEMBER, FORGET):
            return self._cached(effect, answer)
        stopping.held = step
        try:
            found = answer(effect)
            if step and (word == DELIVER or not found[0]):
                done = _without_message(effect)
                self._fresh.append((done, found))
                self.answered.append(done)
            elif word == RUN and found[0]:
                self.failed = _without_message(effect)
            return found
        except Failure:
            self.failed = _without_message(effect)
            raise
        finally:
            # A delivery that is made but not written down is no safe point.
            stopping.held = bool(self._fresh)

    def _look_ahead(self, effect: tuple[Any, ...], answer: Callable[[tuple[Any, ...]], Any]) -> None:
        """Do at once what is better done at once; what comes out is the answer when its turn has come."""
        if self.progress is not None:
            # Some of them may be done already.
            return
        stopping.held = True
        try:
            for pipe, failure in answer(effect):
                done = _without_message(pipe)
                self._ahead.append((done, failure))
                if failure is None:
                    self._fresh.append((done, (0, b"")))
                    self.answered.append(done)
        finally:
            stopping.held = bool(self._fresh)

    def save(self) -> None:
        """Write down the last deliveries, if they are not. Never raises: what is not written down may be repeated."""
        if not self._fresh:
            return
        fresh, self._fresh = self._fresh, []
        held, stopping.held = stopping.held, True
        try:
            progress = self.open()
            if progress is not None:
                progress.store_all(fresh)
        except OSError as error:
            self.lose(error)
        finally:
            stopping.held = held

    def again(self, when: int) -> None:
        """A further try of a message that has a record begins (Unix time)."""
        assert self.progress is not None
        try:
            self.progress.retry(when)
        except OSError as error:
            self.lose(error)

    def lose(self, error: OSError) -> None:
        """Something could not be written down."""
        self.lost = True
        self.why_lost = error.strerror or str(error)
        if self.progress is not None and self.progress.abandon():
            self.progress = None

    def repeats(self) -> str:
        """What a retry may do because something could not be written down; "" where nothing is lost."""
        if not self.lost:
            return ""
        return f"a retry may repeat deliveries, since the journal cannot be written: {self.why_lost}"

    def keep(self) -> Progress | None:
        """The record, on the disk, made if there is none; None, and `lost`, where it cannot be kept."""
        progress = self.open()
        if progress is not None:
            try:
                progress.keep()
            except OSError as error:
                self.lose(error)
                return None
        return progress

    def open(self) -> Progress | None:
        """The record, made if there is none, which is on the disk when something is written down; None, and `lost`,
        where it cannot be kept."""
        if self.progress is None and not self.lost:
            try:
                self.progress = self._begin()
            except OSError as error:
                self.lose(error)
        return self.progress

    def finish(self, answer: Callable[[tuple[Any, ...]], Any]) -> None:
        """The plan is done: what was put off happens now. Raises Failure."""
        while self._later:
            answer(self._later[0])
            del self._later[0]

    def _cached(self, effect: tuple[Any, ...], answer: Callable[[tuple[Any, ...]], Any]) -> Any:
        """A cache answers a retry as it answered the first try, whatever that try has added since.

        Where there is no record to say so, nothing is added before the plan is done.
        """
        word, path, key = effect
        if word == LOOK_UP:
            for other in reversed(self._later):
                if other[1:] == (path, key):
                    return other[0] == REMEMBER
            had = None if self.progress is None else self.progress.had(path, key)
            return answer(effect) if had is None else had
        progress = self.open()
        if progress is not None:
            try:
                progress.will_change(path, key, lambda: bool(answer((LOOK_UP, path, key))))
                return answer(effect)
            except OSError as error:
                self.lose(error)
        there: bool = answer((LOOK_UP, path, key))
        self._later.append(effect)
        return there


def _without_message(effect: tuple[Any, ...]) -> tuple[Any, ...]:
    """The effect to be remembered: a large message is not held where it is not needed any more."""
    if effect[0] == DELIVER:
        return (*effect[:-1], b"")
    return (*effect[:3], None, effect[4], None) if effect[0] == RUN else effect


class Driver:
    """Drives messages of one account; keeps its caches open between them, and the connection to Dovecot."""

    __slots__ = ("_agent", "_caches", "_expiry", "_who", "world")

    def __init__(self, world: World, expiry: dict[bytes, int], who: Callable[[bytes], User | None]) -> None:
        self.world = world
        self._expiry = expiry
        self._who = who
        self._caches: dict[bytes, Cache] = {}
        self._agent: Agent | None = None

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict], steps: Steps) -> Verdict:
        """Answer the engine until it has a verdict."""
        try:
            effect = next(engine)
            while True:
                try:
                    answer = steps.carry_out(effect, self.answer)
                except Failure as failure:
                    effect = engine.throw(failure)
                else:
                    # What the engine does next may need the memory of what was.
                    effect = ()
                    effect = engine.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            # What follows is short: whoever wants us to end gets the truth about this message.
            stopping.held = True
            return verdict

    def close(self) -> None:
        for cache in self._caches.values():
            cache.close()
        self._caches.clear()
        if self._agent is not None:
            self._agent.close()

    def answer(self, effect: tuple[Any, ...]) -> Any:
        """Do what an effect asks for. Raises Failure."""
        word = effect[0]
        if word == DELIVER:
            return self._deliver(*effect[1:])
        if word == RUN:
            return self._run(*effect[1:])
        if word == WHO:
            return self._who(effect[1])
        if word == AHEAD:
            return self._at_once(effect[1])
        cache = self._cache(effect[1])
        if word == LOOK_UP:
            return cache.has(effect[2])
        if word == REMEMBER:
            return cache.add(effect[2])
        assert word == FORGET, word
        return cache.remove(effect[2])

    def _deliver(self, kind: str, args: tuple[Any, ...], user: User, raw: bytes) -> dict[bytes, bytes]:
        # A program loads only the kinds of delivery that its messages reach.
        module = __import__("rulesmith.delivery." + _MODULES[kind], fromlist=("deliver",))
        if kind in ("write", "append", "imap", "imaps"):
            args = (*args, kind)
        if kind != "stdout" and must_switch(user):
            from rulesmith.delivery import other_user  # root's deliveries only

            return other_user.call(user, self.world, module.deliver, args, raw)
        tags: dict[bytes, bytes] = module.deliver(args, raw, user, self.world)
        return tags

    def _run(
        self,
        purpose: str,
        command: bytes,
        stdin: bytes | None,
        user: User,
        until: Callable[[bytes], bool] | None,
    ) -> tuple[int | None, bytes]:
        if purpose == "pipe" and stdin is not None:
            agent = self._dovecot()
            if agent is not None:
                (outcome,) = agent.deliver([(command, user)], stdin, self.world)
                if isinstance(outcome, Failure):
                    raise outcome
                if outcome:
                    return 0, b""
        from rulesmith.delivery import command as commands  # many programs run no command

        return commands.run(command, stdin, user, self.world, purpose == "rewrite", until)

    def looks_ahead(self, queued: bool, journal: bytes | None) -> bool:
        """Whether it wants to know what pipes come next: what goes to Dovecot may go in one transaction.

        Not where it could not be written down: each retry would store it again as long as another mailbox is full. The
        queue has room for it.
        """
        return self._has_dovecot() and (queued or (journal is not None and folders.takes_files(journal)))

    def _has_dovecot(self) -> bool:
        return bool(self.world.settings["dovecot"])

    def _at_once(self, pipes: tuple[tuple[Any, ...], ...]) -> Iterator[tuple[tuple[Any, ...], Failure | None]]:
        """The pipes that are done now, or of which nobody can know it, each with what to say of it in its turn."""
        agent = self._dovecot()
        if agent is None:
            return
        began = time.monotonic()
        made = 0
        commands = [(command, user) for _, _, command, _, user, _ in pipes]
        for pipe, outcome in zip(pipes, agent.deliver(commands, pipes[0][3], self.world), strict=True):
            if outcome:
                made += outcome is True
                yield pipe, outcome if isinstance(outcome, Failure) else None
        if made:
            self.world.trace("together", made, time.monotonic() - began)

    def _dovecot(self) -> Agent | None:
        """A shorter way to Dovecot than a command; None where none is set."""
        if self._agent is None and self.world.settings["dovecot"] is not None:
            from rulesmith.delivery.dovecot import Agent  # few configurations set it

            self._agent = Agent(self.world.settings["dovecot"], self.world.settings["dovecot-folders"])
        return self._agent

    def _cache(self, path: bytes) -> Cache:
        cache = self._caches.get(path)
        if cache is None:
            from rulesmith.delivery import keys  # loads sqlite3

            expire = self._expiry.get(path)
            if expire is None:
                raise Failure("cache " + path.decode("utf-8", "surrogateescape") + " not declared")
            cache = self._caches[path] = keys.open_cache(path, expire, self.world)
        return cache
