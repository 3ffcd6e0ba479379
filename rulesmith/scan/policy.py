"""What becomes of a message that has no verdict: it waits, goes on marked, or waits for some time and then goes on."""

from __future__ import annotations

from rulesmith.effects import Failure
from rulesmith.scan import hops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.scan.no_verdict import NoVerdict


class Patience:
    """How long one message may still wait, by `set scan-failure`.

    `failures` says for each cause ("defer" or "deliver", seconds or None): to defer for so long, None for ever. It
    counts from the time of the first try, which `since` gives where anybody remembers it; else from the newest date
    that a host we trust has written into the header.
    """

    __slots__ = ("_failures", "_head", "_now", "_since")

    def __init__(
        self, failures: dict[str, tuple[str, int | None]], now: int, since: Callable[[], int | None], head: bytes
    ) -> None:
        self._failures = failures
        self._now = now
        self._since = since
        self._head = head

    def wait_or_go_on(self, failure: NoVerdict) -> None:
        """Raises Failure if the message has to wait."""
        word, seconds = self._failures[failure.cause]
        if word == "deliver":
            return
        if seconds is None:
            raise Failure(f"spam scan: {failure}")
        since = self._since()
        if since is None:
            # Each fetch of the message brings the same date, so it does not wait for ever.
            since = hops.arrival(self._head, [])
        if since is None:
            raise Failure(f"spam scan: {failure}")
        # A clock that was set back lets nobody wait longer than from now on.
        rest = seconds - max(self._now - since, 0)
        if rest > 0:
            raise Failure(f"spam scan: {failure} (goes on without one in {-(-rest // 60)} minutes)")
