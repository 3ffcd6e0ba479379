"""The driver that does nothing: answers the engine with what would be, and notes what was asked.

No command is run, nothing is written, no server is asked. Commands of conditions are unknown unless their answer is
assumed or a runner is given; a cache is looked up where it exists; a delivery is taken to succeed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rulesmith.effects import DELIVER, LOOK_UP, RUN, WHO, Failure
from rulesmith.explain.assumption import Assumption, answer, assumed
from rulesmith.explain.facts import text
from rulesmith.wording import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rulesmith.evaluate import Verdict
    from rulesmith.explain.recorder import Recorder

User = tuple[bytes, int, int, bytes]

_TARGETS = {"maildir", "mbox", "write", "append"}


@dataclass(frozen=True)
class World:
    """What a dry run may ask. `run` runs commands of conditions and `rewrite` those of rewrites; None: nobody does."""

    who: Callable[[bytes], User | None]
    look_up: Callable[[bytes, bytes], bool]
    run: Callable[..., tuple[int | None, bytes]] | None = None
    rewrite: Callable[..., tuple[int | None, bytes]] | None = None
    assumptions: Sequence[Assumption] = ()


class Driver:
    """Takes one message through the engine."""

    def __init__(self, recorder: Recorder, world: World) -> None:
        self._recorder = recorder
        self._world = world
        self._learnt: dict[tuple[bytes, bytes], bool] = {}

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict]) -> Verdict:
        """How the rules end."""
        try:
            effect = next(engine)
            while True:
                try:
                    said = self._answer(effect)
                except Failure as failure:
                    effect = engine.throw(failure)
                else:
                    effect = engine.send(said)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def _answer(self, effect: tuple[Any, ...]) -> Any:
        word = effect[0]
        if word == WHO:
            return self._world.who(effect[1])
        if word == DELIVER:
            return self._deliver(effect[1], effect[2])
        if word == RUN:
            return self._command(*effect[1:])
        key = (effect[1], effect[2])
        if word == LOOK_UP:
            known = self._learnt.get(key)
            found = self._world.look_up(*key) if known is None else known
            self._recorder.fact(f'the key "{text(key[1])}" is {"" if found else "not "}in the cache')
            return found
        # What the rules add or remove holds for the rest of this message only.
        self._learnt[key] = word == "remember"
        return None

    def _deliver(self, kind: str, args: tuple[Any, ...]) -> dict[bytes, bytes]:
        job = self._recorder.job()
        job.stores = True
        if kind in _TARGETS:
            job.path = text_of(args[0])
        elif kind != "stdout":
            job.detail = " ".join(text_of(arg) for arg in args[:2])
            job.path = text_of(args[4]) if kind.startswith("imap") else None
        return {b"mail_file": args[0]} if kind == "maildir" else {b"mbox_file": args[0]} if kind == "mbox" else {}

    def _command(
        self, purpose: str, command: bytes, stdin: bytes | None, user: User, until: Callable[[bytes], bool] | None
    ) -> Any:
        assumption = assumed(self._world.assumptions, command)
        if purpose == "condition":
            return self._condition(assumption, command, stdin, user, until)
        job = self._recorder.job()
        job.command = text_of(command)
        job.stores = purpose == "pipe"
        if purpose != "rewrite":
            return 0, b""
        if assumption is not None and (assumption.message is not None or assumption.status):
            return assumption.status, assumption.message or b""
        return None if self._world.rewrite is None else self._world.rewrite(purpose, command, stdin, user, until)

    def _condition(
        self,
        assumption: Assumption | None,
        command: bytes,
        stdin: bytes | None,
        user: User,
        until: Callable[[bytes], bool] | None,
    ) -> Any:
        fact = self._recorder.fact
        if assumption is not None:
            said = f", with the output {text(assumption.output)!r}" if assumption.output else ""
            fact(f"assumed: `{text(command)}` returns {assumption.status}{said}")
            return answer(assumption, until)
        if self._world.run is None:
            fact(f"`{text(command)}` is not run")
            return None
        lines: list[bytes] = []

        def listen(line: bytes) -> bool:
            lines.append(line)
            return until is not None and until(line)

        status, output = self._world.run("condition", command, stdin, user, listen if until else None)
        said = "" if not until else f", with the output {text(b' / '.join(lines))!r}"
        fact(f"`{text(command)}` {'was stopped' if status is None else f'returned {status}'}{said}")
        return status, output
