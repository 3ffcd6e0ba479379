"""The same for Prometheus."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rulesmith.container import metrics
from rulesmith.container.health import Health, Person, Poll
from rulesmith.container.metrics import Server, text

HEALTH = Health(
    {"dovecot": "", "redis": "gone"},
    [
        Person(
            'a"b\\c',
            [Poll("host", 1.0, 1_800_000_000.0, False, 2, "", "", 0.0, True)],
            [],
            {"login": 3},
            7,
            {"delivered": 12, "queued": 1},
            2,
            1_700_000_000,
            0,
            [],
        )
    ],
    ["redis: gone"],
    5,
)
_SAMPLE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? -?[\d.e+]+')


def test_the_text_is_what_prometheus_reads() -> None:
    lines = text(HEALTH).splitlines()
    families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    for line in lines:
        assert line.startswith("# ") or _SAMPLE.fullmatch(line), line
    who = 'user="a\\"b\\\\c"'
    for sample in (
        "rulesmith_healthy 0",
        'rulesmith_daemon_up{daemon="dovecot"} 1',
        'rulesmith_daemon_up{daemon="redis"} 0',
        f'rulesmith_last_fetch_timestamp_seconds{{{who},server="host"}} 1800000000',
        f'rulesmith_fetch_late{{{who},server="host"}} 1',
        f'rulesmith_fetch_failing{{{who},server="host"}} 2',
        f"rulesmith_polls_total{{{who}}} 7",
        f'rulesmith_fetch_troubles_total{{{who},kind="login"}} 3',
        f'rulesmith_mails_total{{{who},outcome="delivered"}} 12',
        f"rulesmith_deferred_messages{{{who}}} 2",
        f"rulesmith_deferred_since_timestamp_seconds{{{who}}} 1700000000",
        "rulesmith_queue_messages 5",
    ):
        assert sample in lines


@pytest.fixture
def asked() -> list[int]:
    return []


@pytest.fixture
def server(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # Neither is an answer stale nor a request given up, however slow those are who ask.
    monkeypatch.setattr(metrics, "_FRESH", 3600.0)
    monkeypatch.setattr(metrics._Handler, "timeout", 3600.0)

    def ask() -> Health:
        asked.append(1)
        return HEALTH

    with Server(("127.0.0.1", 0), ask) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def _get(server: Server, path: str = "/metrics") -> tuple[int, bytes]:
    link = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    with contextlib.closing(link):
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()


def test_it_is_served_and_asked_for_once_in_a_while(server: Server, asked: list[int]) -> None:
    assert [_get(server) for _ in range(5)] == [(200, text(HEALTH).encode())] * 5
    assert len(asked) == 1
    assert _get(server, "/other")[0] == 404


def test_those_who_say_nothing_keep_nobody_out_for_long(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    address = ("127.0.0.1", server.server_address[1])
    silent = [socket.create_connection(address) for _ in range(8)]
    with socket.create_connection(address, 20) as one_more:
        # There is no place for it: it is told so at once.
        one_more.settimeout(20)
        with contextlib.suppress(ConnectionResetError):
            assert one_more.recv(10) == b""
    for each in silent:
        each.close()
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert _get(server)[0] == 200
            break
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("port", ["", "0", "x", "70000", "²"])
def test_a_port_that_is_none_is_told(port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rulesmith.container.metrics"],
        env={"RULESMITH_METRICS_PORT": port}, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"metrics: RULESMITH_METRICS_PORT is no port: {port!r}\n"
