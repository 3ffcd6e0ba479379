"""What starts, how fast, in how narrow a place, and how it ends."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.image.house import ANSWER, CAREFUL, DAEMONS, ROOT, Container, until


def test_an_installation_is_ready_soon_without_any_configuration(
    container: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    first = container.create()
    for port in (143, 993):
        with socket.create_connection((container.address, port), timeout=ANSWER):
            pass
    container.remove()
    second = container.create()
    with capsys.disabled():
        print(f"\nready after {first:.1f} s on empty volumes, after {second:.1f} s on volumes in use")
    # The better one: what else the machine has to do is not measured here.
    assert min(first, second) < 30


def test_it_stops_in_good_time(container: Container, capsys: pytest.CaptureFixture[str]) -> None:
    container.create()
    state, took = container.stop()
    with capsys.disabled():
        print(f"\nstopped after {took:.1f} s")
    assert state == "exited 0"


def test_it_starts_again_after_it_was_killed(container: Container) -> None:
    container.create()
    container.kill()
    until(lambda: not container.is_ready(), "dead")
    container.start()
    container.wait()


@pytest.mark.parametrize("name", DAEMONS)
def test_a_daemon_that_is_killed_comes_back(container: Container, name: str) -> None:
    container.create(*CAREFUL)
    before = pid(container, name)
    for _ in range(3):
        container.sh(f"kill -KILL {before}")
        now = until(lambda old=before: (new := pid(container, name)) != old and new, f"another {name}")  # type: ignore[misc]
        container.wait()
        assert now != before
        before = now
    # None of what the dead ones had started is left beside the living.
    mothers = container.sh("for each in /run/s6/*/; do s6-svstat -o pid $each; done").split()
    for process in container.sh("ls /proc").split():
        if process.isdecimal() and process != "1":
            line = container.exec("cat", f"/proc/{process}/stat").out.decode()
            if line and f"({name})" in line:
                group = line.rpartition(")")[2].split()[2]
                assert group in mothers, line


def pid(container: Container, name: str) -> int:
    """The process of a service; 0 while it is down."""
    return max(0, int(container.sh(f"s6-svstat -o pid /run/s6/{name}")))


def test_it_runs_with_six_capabilities_and_nothing_to_write_to(container: Container) -> None:
    container.create(*CAREFUL)
    assert container.exec("touch", "/usr/x").status
    assert container.sh("s6-svstat -o ready /run/s6/dovecot").strip() == "true"
    assert container.stop()[0] == "exited 0"


def test_no_daemon_is_root_that_need_not_be(container: Container) -> None:
    container.create(*CAREFUL)
    listed = container.sh("for each in /proc/[0-9]*; do echo $(stat -c %U $each) $(tr '\\0' ' ' <$each/cmdline); done")
    owners = [line.split(" ", 1) for line in listed.splitlines() if " " in line]
    for words, user in (
        ("redis-server", "redis"),
        ("rspamd: ", "_rspamd"),
        ("rulesmith.container.clerk", "vmail"),
        ("rulesmith.container.learning", "vmail"),
        ("rulesmith queue run", "vmail"),
    ):
        assert {owner for owner, command in owners if words in command} == {user}, words
    # Root: s6, Dovecot's first processes, and the keeper, which reads /config.
    allowed = ("s6-", "/usr/bin/s6-", "dovecot", "/usr/sbin/dovecot", "/bin/sh", "sh ", "stat ", "tr ")
    rest = [command for owner, command in owners if owner == "root" and not command.startswith(allowed)]
    assert [command for command in rest if "rulesmith.container.keeper" not in command] == []


def test_the_compose_file_asks_for_the_same(container: Container) -> None:
    text = (ROOT / "compose.yaml").read_text()
    for option in CAREFUL:
        word = option.rpartition("=")[2]
        assert word in text or option == "--read-only", word
    assert "read_only: true" in text


def test_by_lmtp_one_server_more_runs_as_the_user_of_the_mail(container: Container) -> None:
    container.create(*CAREFUL, environment={"RULESMITH_DELIVERY": "lmtp"})
    container.sh("s6-svwait -U -t 60000 /run/s6/serve")
    listed = container.sh("for each in /proc/[0-9]*; do echo $(stat -c %U $each) $(tr '\\0' ' ' <$each/cmdline); done")
    owners = {line.split(" ")[0] for line in listed.splitlines() if "-m rulesmith.serve" in line}
    assert owners == {"vmail"}
    assert container.exec("ls", "/run/serve", user="redis").status
    until(lambda: container.exec("rulesmith", "health").status == 0, "a healthy container")
    state, took = container.stop()
    assert (state, took < 10) == ("exited 0", True)


def test_another_way_of_delivery_is_refused_in_one_sentence(container: Container) -> None:
    container.run(environment={"RULESMITH_DELIVERY": "smtp"})
    until(lambda: container.state() == "exited 1", "the end")
    [line] = container.logs().splitlines()
    assert line.startswith("RULESMITH_DELIVERY is 'smtp', but it can only be mda")


def test_a_command_runs_instead_of_the_server(container: Container) -> None:
    container.run(command=("rulesmith", "--version"))
    assert "rulesmith" in container.saw("version")


def test_the_folder_of_the_tests_is_no_part_of_the_image(container: Container) -> None:
    container.run(command=("sh", "-c", "ls /usr/lib/rulesmith; find / -xdev -name tests -path '*rulesmith*'; echo end"))
    assert "/tests" not in container.saw("end")
    assert Path("/usr/lib/rulesmith/init").name in container.logs()
