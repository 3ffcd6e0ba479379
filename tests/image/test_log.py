"""The one log of the real image, and what health makes of what it says."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Literal

import pytest

from tests.image.house import ANSWER, CAREFUL, Container, Done, until
from tests.image.ways import SAYS, by_mda, goes

USER, ALIAS, FAULTY = "user@example.com", "alias@example.com", "faulty@example.com"
# Another mailbox at the provider, for another house.
SECOND = "second@example.com"
PASSWORD, WRONG = "correct horse battery", "wrong horse battery"
RULES = """\
account "stdin" disabled stdin
action "inbox" pipe "/usr/libexec/dovecot/deliver -d alias@example.com"
action "received" pipe "/usr/libexec/dovecot/deliver -d alias@example.com -m Received"
action "broken" pipe "/usr/libexec/dovecot/deliver -d nobody@example.com"
match "^Subject: broken" in headers action "broken"
match "^Subject: nonsense" in headers action drop
match all action { "inbox" "received" }
"""
RC = """\
poll {server} protocol IMAP port 993
      user '{mailbox}' there with ssl with password '{password}' folder 'INBOX' {more} keep no sslcertck
      mda "rspamc --mime | /usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"
"""


@pytest.fixture(scope="module")
def provider(containers: Callable[[], Container], way: str) -> Container:
    """Another one for each way: what was fetched is seen."""
    del way
    made = containers()
    for user in (USER, SECOND):
        made.user(user, passwd="{PLAIN}" + PASSWORD)
    made.create()
    until(lambda: made.has_user(USER) and made.has_user(SECOND), USER)
    return made


def _house(made: Container, provider: Container, environment: dict[str, str], mailbox: str = USER) -> Container:
    made.user(ALIAS, passwd="{PLAIN}" + PASSWORD)
    good, bad = (
        RC.format(server=provider.address, mailbox=mailbox, password=password, more=more)
        for password, more in ((PASSWORD, "idle"), (WRONG, ""))
    )
    made.user(USER, rc=good, conf=RULES)
    made.user(FAULTY, rc=bad)
    made.create(*CAREFUL, environment=environment)
    return made


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container], provider: Container, way: str) -> Container:
    made = containers()
    _house(made, provider, {"TZ": "Asia/Kolkata", "RULESMITH_METRICS_PORT": "9100"} | goes(made, way))
    made.saw("works")
    return made


def _letter(subject: str, number: int, more: str = "") -> bytes:
    return f"From: Bob <bob@example.org>\nSubject: {subject}\nMessage-ID: <{number}@example.org>\n{more}\nx\n".encode()


def _health(house: Container, user: str = "") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(house.exec("rulesmith", "health", "--format", "json", user=user).out)
    return found


def _person(house: Container, name: str) -> dict[str, Any]:
    (found,) = [each for each in _health(house)["users"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def test_each_mail_has_one_line_from_fetch_to_folder(house: Container, provider: Container, way: str) -> None:
    provider.deliver(USER, _letter("=?utf-8?q?gr=C3=BC=C3=9Fe?=", 1))
    provider.deliver(USER, _letter("nonsense", 2))
    line = house.saw("<1@example.org>")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+05:30 "
        + SAYS[way]
        + r" user@example\.com: <1@example\.org> from bob@example\.org "
        r'"grüße"(?:, score [\d.-]+/15\.0)? → rule 2 \(fdm\.conf:7\) → alias@example\.com, alias@example\.com/Received',
        line,
    )
    assert re.search(r'"nonsense"(?:, score \S+)? → rule 1 \(fdm\.conf:6\) → dropped$', house.saw("<2@example.org>"))
    # No word of Python's or of the shell's about the door itself.
    assert "/usr/bin/fdm:" not in house.logs()
    for number in (1, 2):
        assert sum(f"<{number}@example.org>" in line for line in house.logs().splitlines()) == 1


def test_every_line_has_time_and_service(house: Container) -> None:
    form = re.compile(
        r"\S+\+05:30 (redis|rspamd|dovecot|keeper|queue|learner|metrics|clerk|start|(fetch|serve) \S+|serve): .+"
    )
    assert [line for line in house.logs().splitlines() if not form.fullmatch(line)] == []


def test_no_password_is_in_the_log_or_in_ps(house: Container) -> None:
    processes = house.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    for secret in (PASSWORD, WRONG):
        assert secret not in house.logs()
        assert secret not in processes


def test_health_is_good_for_root_and_for_the_user_of_the_mail(house: Container) -> None:
    for user in ("", "vmail"):

        def well(user: str = user) -> Literal[False] | Done:
            found = house.exec("rulesmith", "health", user=user)
            return found.status == 0 and found

        done = until(well, "0")
        assert done.text.startswith("healthy\n")
        assert re.search(rf"\n{USER} +\d+ \w+ ago, idle ", done.text)


def test_a_login_that_is_refused_is_said_in_words(house: Container) -> None:
    person = until(lambda: (found := _person(house, FAULTY))["troubles"].get("login") and found, "a refusal")
    assert person["last_fetch"] == 0
    assert re.match(r"\S+ refuses the login \(.*\): check user and password", person["polls"][0]["error"])
    assert house.saw(f"fetch {FAULTY}: ")


def test_a_message_that_fetchmail_refuses_is_named(house: Container, provider: Container) -> None:
    provider.deliver(USER, b"From: bob@example.org\nno header at all\nMessage-ID: <3@x>\n\nx\n")
    house.saw("bad-header accept")
    (refused,) = until(lambda: _person(house, USER)["refused"], "it is named")
    assert refused["line"] == "no header at all"
    assert (
        'at the line "no header at all"); to fetch it write `bad-header accept`'
        in house.exec("rulesmith", "health").text
    )


def test_what_waits_in_the_queue_is_counted_and_shown(house: Container, provider: Container) -> None:
    provider.deliver(USER, _letter("broken", 4))
    assert re.search(r"; queued \([\d.]+\.[\da-f]{8}\): .* command returned 67$", house.saw("<4@example.org>"))
    until(lambda: _person(house, USER)["deferred"] == 1, "it waits")
    # The clerk writes down what it has counted once a second.
    until(lambda: _person(house, USER)["mail"].get("queued") == 1, "it is counted")
    assert f"\n{USER}" in (table := house.exec("rulesmith", "health").text)
    assert re.search(r" 1 since \d{4}-\d\d-\d\d ", table)
    # ... and the later tries have their line as well.
    assert house.saw("; deferred (").split(" ", 1)[1].startswith(f"queue {USER}: <4@example.org> ")


def test_the_same_for_prometheus(house: Container) -> None:
    with urllib.request.urlopen(f"http://{house.address}:9100/metrics", timeout=ANSWER) as answer:
        text = answer.read().decode()
    assert "\nrulesmith_healthy 1\n" in text
    assert '\nrulesmith_daemon_up{daemon="keeper"} 1\n' in text
    assert f'\nrulesmith_mails_total{{user="{USER}",outcome="dropped"}} 1\n' in text


def test_a_clerk_that_is_killed_loses_no_line_and_no_state(house: Container, provider: Container) -> None:
    before = _person(house, USER)["mail"]
    house.sh("s6-svc -k /run/s6/clerk")
    provider.deliver(USER, _letter("after", 5))
    house.saw("<5@example.org>")
    until(lambda: _person(house, USER)["mail"] == {**before, "delivered": before["delivered"] + 1}, "it is counted")


def test_without_a_daemon_it_is_not_well(house: Container) -> None:
    house.sh("s6-svc -d /run/s6/redis")
    done = until(lambda: (found := house.exec("rulesmith", "health")).status and found, "not well")
    assert done.status == 1
    assert done.text.startswith("unhealthy\n  redis: ")
    house.sh("s6-svc -u /run/s6/redis")
    until(lambda: not house.exec("rulesmith", "health").status, "well again")


def test_who_has_not_fetched_for_too_long_makes_it_unhealthy(house: Container) -> None:
    done = house.exec("env", "RULESMITH_FETCH_LIMIT=1", "rulesmith", "health")
    assert done.status == 1
    assert f"{FAULTY}: nothing could be fetched from " in done.text
    # The connection that idles says nothing for half an hour, and is well.
    assert f"  {USER}: nothing" not in done.text


@pytest.mark.where.with_args(by_mda)
def test_as_json_and_in_private(containers: Callable[[], Container], provider: Container) -> None:
    house = _house(containers(), provider, {"RULESMITH_LOG": "json", "RULESMITH_LOG_PRIVATE": "1"}, SECOND)
    provider.deliver(SECOND, _letter("=?utf-8?q?gr=C3=BC=C3=9Fe?=", 6))
    house.saw('"outcome": "delivered"')
    lines = [json.loads(line) for line in house.logs().splitlines()]
    mails = [line for line in lines if "mail" in line]
    assert mails
    for line in lines:
        assert {"time", "service", "message"} <= set(line)
        # The user is the name of his folder; nobody else is named.
        assert (
            "@" not in line["message"].replace(USER, "").replace(ALIAS, "").replace(FAULTY, "")
            or line["service"] == "keeper"
        )
    for line in mails:
        assert (line["service"], line["user"]) == ("fetch", USER)
        assert not {"from", "subject"} & set(line["mail"])
        assert "@" not in line["message"]
    assert "bob@" not in house.logs()
    assert "grüße" not in house.logs()


@pytest.mark.where.with_args(by_mda)
def test_without_a_port_there_are_no_metrics(provider: Container) -> None:
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{provider.address}:9100/metrics", timeout=ANSWER)
    assert "down" in provider.sh("s6-svstat /run/s6/metrics")
