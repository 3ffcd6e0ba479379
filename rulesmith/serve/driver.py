"""The driver of a resident process: its way to Dovecot lasts from message to message."""

from __future__ import annotations

from rulesmith.delivery.drive import Driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rulesmith.delivery.dovecot import Agent
    from rulesmith.delivery.drive import Steps
    from rulesmith.delivery.world import World
    from rulesmith.evaluate import Verdict

    User = tuple[bytes, int, int, bytes]


class ServeDriver(Driver):
    """`agent` is the server's own way to Dovecot, None where that of the configuration counts.

    `steps` are those of the last message, None before it came to its rules.
    """

    __slots__ = ("_lasting", "steps")

    def __init__(
        self, world: World, expiry: dict[bytes, int], who: Callable[[bytes], User | None], agent: Agent | None
    ) -> None:
        super().__init__(world, expiry, who)
        self._lasting = agent
        self.steps: Steps | None = None

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict], steps: Steps) -> Verdict:
        self.steps = steps
        return super().drive(engine, steps)

    def _has_dovecot(self) -> bool:
        return self._lasting is not None or super()._has_dovecot()

    def _dovecot(self) -> Agent | None:
        return self._lasting or super()._dovecot()
