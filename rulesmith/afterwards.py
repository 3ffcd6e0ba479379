"""After the rules: what is written down, forgotten or given up.

Loaded for a message that was not simply delivered: it failed, has failed before, is in the queue, or needed
a record on its way.
"""

from __future__ import annotations

from rulesmith import environment
from rulesmith.delivery.plan import cause_of, describe
from rulesmith.effects import DELIVER, FORGET, LOOK_UP, REMEMBER, RUN, WHO, Failure, stopping
from rulesmith.wording import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.delivery.drive import Driver, Steps
    from rulesmith.delivery.entry import Entry
    from rulesmith.delivery.progress import Progress
    from rulesmith.evaluate import Asking, User
    from rulesmith.mda import Session

    Effect = tuple[Any, ...]
    Say = Callable[[str], None]

# What is to blame where no delivery and no command failed.
CONFIGURATION, RULES, SCAN = b"configuration", b"rules", b"scan"


class Afterwards:
    """A message whose run has ended, `entry` its place in the queue."""

    def __init__(
        self, session: Session, steps: Steps, entry: Entry | None, driver: Driver, say: Say, alone: bool
    ) -> None:
        """`alone`: no other message comes after it in this run."""
        self.session = session
        self.alone = alone
        self.settings = session.settings
        self.me = session.me
        self.steps = steps
        self.entry = entry
        self.driver = driver
        self.say = say
        self.problem = ""  # why the message went to the problem mailbox

    def settle(self, why: str, raw: Callable[[], bytes], rules: Callable[[], Asking], now: int) -> str:
        """Write down or forget how far the message has come; why it must be tried again, "" if it need not.

        `why` is the reason so far. After too many failures the message is delivered to the problem mailbox. `raw`
        gives the message as it came; `rules` the engine anew, to find out which mailbox it is for; `now` is Unix time.
        """
        steps = self.steps
        if not why:
            try:
                steps.finish(self.driver.answer)
            except Failure as failure:
                why = failure.text
        if why:
            steps.save()
        self._tell()
        if not why:
            self._forget()
            return ""
        progress = steps.open()
        if progress is not None:
            try:
                self._note(progress, now, why)
            except OSError as error:
                steps.lose(error)
            else:
                if self._enough(progress, now) and self._give_up(progress, raw, rules, now):
                    return ""
        if self.entry is not None:
            self.entry.open = False
        if steps.lost:
            why += "; " + steps.repeats()
        return why

    def _forget(self) -> None:
        """The message is done with; that is made known as late as possible."""
        if self.entry is not None:
            self.entry.open = False
        if self.alone:
            self.session.at_end = self._remove
        else:
            self._remove()

    def _remove(self) -> None:
        progress = self.steps.progress
        try:
            if self.entry is not None:
                self.entry.remove(not self.session.again)
                if progress is not None and progress.path != self.entry.progress_path():
                    # It could not come along from the journal.
                    progress.remove()
            elif progress is not None:
                progress.remove()
                if not self.alone:
                    progress.close()
        except FileNotFoundError:
            # Removed by hand.
            return
        except OSError as error:
            # It is delivered; should it be tried again, the record says so.
            self.steps.save()
            what = "the record of this message"
            if self.entry is not None:
                what = f"the message in the queue ({text_of(self.entry.name)})"
            self.say(f"{what} cannot be removed, it may be delivered again: {error.strerror}")

    def _tell(self) -> None:
        """Let other messages of the queue know what works."""
        if self.entry is None or not self.steps.answered:
            return
        from rulesmith.delivery import answers, queue

        if queue.is_waited(self.entry):
            causes = {CONFIGURATION, *(cause_of(effect) for effect in self.steps.answered)}
            answers.mark(self.entry.folder, causes if self.entry.verdict is None else causes | {SCAN})

    def _note(self, progress: Progress, now: int, why: str) -> None:
        failed = self.steps.failed
        cause, what = RULES, b""
        if failed is not None and failed[0] in (DELIVER, RUN):
            cause, what = cause_of(failed), describe(failed)
        elif failed is not None and failed[0] == SCAN:
            cause = SCAN
        beside = False
        if self.entry is not None and progress.last is not None:
            from rulesmith.delivery import answers

            beside = answers.last(self.entry.folder, cause) > progress.last + 1
        progress.fail(now, why.encode("utf-8", "surrogateescape"), cause, what, beside)

    def _enough(self, progress: Progress, now: int) -> bool:
        since = now if progress.since is None else progress.since
        tries: int = self.settings["queue-tries"]
        patience: int = self.settings["queue-time"]
        return progress.tries >= tries and now - since >= patience and bool(self.settings["problem-mailbox"])

    def _give_up(self, progress: Progress, raw: Callable[[], bytes], rules: Callable[[], Asking], now: int) -> bool:
        """Deliver the message to the problem mailbox; whether that worked."""
        failed = self.steps.failed
        if failed is None or not (failed[0] == DELIVER or failed[1] == "pipe"):
            failed = first_delivery(rules(), self.driver)
        # Where the scan failed, or somebody releases it, nothing is held yet.
        stopping.held = True
        try:
            put_away(self.settings["problem-mailbox"], progress, raw(), failed, self.driver, self.me, now)
        except Failure as failure:
            self.say(f"the problem mailbox: {failure.text}")
            return False
        self.problem = f"tried {progress.tries} times: {text_of(progress.reason)}"
        self.say(f"tried {progress.tries} times, delivered to the problem mailbox: {text_of(progress.reason)}")
        self._forget()
        return True

    def release(self, raw: Callable[[], bytes], rules: Callable[[], Asking], now: int) -> str:
        """Somebody wants the message in the problem mailbox now; why it is not there, "" if it is."""
        progress = self.steps.keep()
        if progress is None:
            return self.steps.why_lost
        if not progress.reason:
            progress.reason = b"nothing: it was released from the queue by hand"
        return "" if self._give_up(progress, raw, rules, now) else "it cannot be put into the problem mailbox"


def put_away(
    mailbox: bytes,
    progress: Progress,
    raw: bytes,
    failed: Effect | None,
    driver: Driver,
    me: User,
    now: int,
) -> None:
    """Deliver a message to the problem mailbox, with its note. Raises Failure where the message cannot go there."""
    from rulesmith.delivery import problem

    effect_for = problem.target(mailbox, failed, me, now)
    effect = effect_for(raw)
    done = list(progress.done)
    if progress.known(effect) is None:
        answer = _perform(driver, effect)
        try:
            # The note comes after it, and then it is forgotten: both may fail.
            progress.store(effect, answer)
        except OSError as error:
            driver.world.warn(
                b"it may be put into the problem mailbox again: " + environment.octets_of(error.strerror or str(error))
            )
    since = progress.since or progress.now
    text = problem.note(raw, progress.reason, progress.tries, since, now, done, driver.world.hostname)
    try:
        _perform(driver, effect_for(text))
    except Failure as failure:
        # The message itself is where it can be seen.
        driver.world.warn(b"the note beside it: " + environment.octets_of(failure.text))


def _perform(driver: Driver, effect: Effect) -> Any:
    answer = driver.answer(effect)
    if effect[0] == RUN and answer[0]:
        raise Failure(effect[2] + b": command returned %d" % answer[0])
    return answer


def first_delivery(engine: Asking, driver: Driver) -> Effect | None:
    """The first delivery that the rules would make, as far as that can be told without running anything."""
    try:
        effect = next(engine)
        while True:
            word = effect[0]
            if word == DELIVER or (word == RUN and effect[1] == "pipe"):
                engine.close()
                found: Effect = effect
                return found
            answer: Any = None
            if word in (WHO, LOOK_UP):
                answer = driver.answer(effect)
            elif word == RUN:
                # A condition does not hold; a rewrite changes nothing.
                answer = (1, b"") if effect[1] == "condition" else (0, effect[3] or b"")
            else:
                assert word in (REMEMBER, FORGET), word
            effect = engine.send(answer)
    except (StopIteration, Failure):
        return None
