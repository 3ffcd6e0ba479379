"""The driver of a resident process: it knows a shorter way to Dovecot."""

from __future__ import annotations

from rulesmith.delivery.drive import Driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rulesmith.delivery.drive import Steps
    from rulesmith.delivery.world import World
    from rulesmith.evaluate import Verdict
    from rulesmith.serve.agent import Agent

    User = tuple[bytes, int, int, bytes]


class ServeDriver(Driver):
    """`steps` are those of the last message, None before it came to its rules."""

    __slots__ = ("_agent", "steps")

    def __init__(
        self, world: World, expiry: dict[bytes, int], who: Callable[[bytes], User | None], agent: Agent | None
    ) -> None:
        super().__init__(world, expiry, who)
        self._agent = agent
        self.steps: Steps | None = None

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict], steps: Steps) -> Verdict:
        self.steps = steps
        return super().drive(engine, steps)

    def _run(
        self,
        purpose: str,
        command: bytes,
        stdin: bytes | None,
        user: User,
        until: Callable[[bytes], bool] | None,
    ) -> tuple[int | None, bytes]:
        agent = self._agent if purpose == "pipe" and stdin is not None else None
        if agent is not None and agent.deliver(command, stdin or b"", user, self.world):
            return 0, b""
        return super()._run(purpose, command, stdin, user, until)
