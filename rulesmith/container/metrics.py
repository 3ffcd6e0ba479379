"""What `rulesmith health` says, for Prometheus: text over HTTP on RULESMITH_METRICS_PORT, as a service of its own."""

from __future__ import annotations

import os
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from rulesmith.container.health import Health, Person, Sources, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Requests at the same time, seconds that one may take, seconds that an answer is good for.
_MOST, _PATIENCE, _FRESH = 8, 5.0, 5.0


class _Page:
    """A text in the format of Prometheus, family by family."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, name: str, kind: str, about: str, samples: Iterable[tuple[dict[str, str], float]]) -> None:
        """One family: each sample is its labels and its value."""
        self.lines += [f"# HELP rulesmith_{name} {about}", f"# TYPE rulesmith_{name} {kind}"]
        self.lines += [f"rulesmith_{name}{_labels(labels)} {float(value):.15g}" for labels, value in samples]


def text(health: Health) -> str:
    """All of it."""
    page = _Page()
    page.add("healthy", "gauge", "1 if nothing is wrong.", [({}, not health.problems)])
    up = [({"daemon": name}, not reason) for name, reason in health.daemons.items()]
    page.add("daemon_up", "gauge", "1 if the daemon answers its own protocol.", up)
    _fetching(page, health.people)
    _mail(page, health.people)
    page.add("queue_messages", "gauge", "Messages in the queue, those under way included.", [({}, health.queued)])
    return "\n".join(page.lines) + "\n"


def _fetching(page: _Page, people: list[Person]) -> None:
    polls = [({"user": each.name, "server": poll.server}, poll) for each in people for poll in each.polls]
    about = "When fetching worked last, 0 for never."
    page.add("last_fetch_timestamp_seconds", "gauge", about, [(labels, poll.success) for labels, poll in polls])
    about = "1 if fetching has not worked for longer than the limit."
    page.add("fetch_late", "gauge", about, [(labels, poll.late) for labels, poll in polls])
    about = "Polls that failed, one after the other, up to now."
    page.add("fetch_failing", "gauge", about, [(labels, poll.failing) for labels, poll in polls])
    begun = [({"user": each.name}, each.rounds) for each in people]
    page.add("polls_total", "counter", "Polls that were begun.", begun)
    troubles = [
        ({"user": each.name, "kind": kind}, count) for each in people for kind, count in sorted(each.troubles.items())
    ]
    page.add("fetch_troubles_total", "counter", "What went wrong while fetching, by kind.", troubles)


def _mail(page: _Page, people: list[Person]) -> None:
    ends = [({"user": each.name, "outcome": word}, count) for each in people for word, count in each.mail.items()]
    about = "Mails by what became of them; one that was queued is counted again when it is delivered."
    page.add("mails_total", "counter", about, ends)
    deferred = [({"user": each.name}, each.deferred) for each in people]
    page.add("deferred_messages", "gauge", "Messages that wait for another try.", deferred)
    since = [({"user": each.name}, each.deferred_since) for each in people if each.deferred]
    page.add("deferred_since_timestamp_seconds", "gauge", "When the oldest of them came.", since)


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Server(ThreadingHTTPServer):
    """Answers GET /metrics, a few at a time."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address: tuple[str, int], ask: Callable[[], Health]) -> None:
        super().__init__(address, _Handler)
        self._ask = ask
        self._places = threading.BoundedSemaphore(_MOST)
        self._lock = threading.Lock()
        self._answer = b""
        self._asked = float("-inf")

    def answer(self) -> bytes:
        """The text, not older than a few seconds, however many ask."""
        with self._lock:
            if time.monotonic() - self._asked > _FRESH:
                self._answer = text(self._ask()).encode("utf-8", "backslashreplace")
                self._asked = time.monotonic()
            return self._answer

    def verify_request(self, *_: object) -> bool:
        """Whether there is a place for one more."""
        return self._places.acquire(blocking=False)

    def process_request_thread(self, *request: Any) -> None:
        """Give the place back at the end."""
        try:
            super().process_request_thread(*request)
        finally:
            self._places.release()

    def handle_error(self, *request: Any) -> None:
        """Who goes away before he has his answer is nobody's trouble."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*request)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server: Server
    server_version = "rulesmith"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = self.server.answer()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Each scrape in the log would hide what matters there."""


def main() -> None:
    """Serve for ever."""
    given = os.environ.get("RULESMITH_METRICS_PORT", "")
    if not given.isascii() or not given.isdigit() or not 0 < int(given) < 65536:
        sys.exit(f"metrics: RULESMITH_METRICS_PORT is no port: {given!r}")
    sources = Sources()
    with Server(("", int(given)), lambda: gather(sources, os.environ)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
