"""Nothing is lost and nothing comes twice while mail flows and the parts of the container die, one after the other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.container.pop3 import Mailbox
from tests.image.fetching import PASSWORD, near
from tests.image.house import CAREFUL, Container, until
from tests.image.load import BOTH, IMAP, POP3, TARGETS, Load, forget, installation
from tests.image.ways import MDA, goes

SERVICES = ("redis", "rspamd", "dovecot", "keeper", "clerk", "queue", "learner")
# Those that are at work otherwise, or only there, by LMTP.
BY_LMTP = ("rspamd", "dovecot", "queue", "serve")


def is_at_work(way: str, service: str) -> bool:
    """Whether a service's death is of interest."""
    return service in (SERVICES if way == MDA else BY_LMTP)


EVERY = {"RULESMITH_FETCH_INTERVAL": "2"}
BATCH = 6


@pytest.fixture(scope="module")
def provider(containers: Callable[[], Container], way: str) -> Container:
    """Another one for each way: what was fetched is seen."""
    del way
    made = containers()
    made.user(IMAP, passwd="{PLAIN}" + PASSWORD)
    made.create()
    until(lambda: made.has_user(IMAP), "the provider's user")
    # Its folders are there from now on.
    made.login(IMAP, PASSWORD).logout()
    return made


@pytest.fixture(scope="module")
def maildrop(provider: Container) -> Iterator[Mailbox]:
    with Mailbox(host=near(provider)) as made:
        yield made


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container], provider: Container, maildrop: Mailbox, way: str) -> Container:
    made = containers()
    installation(made, provider, maildrop, near(provider))
    made.create(*CAREFUL, environment=EVERY | goes(made, way))
    return made


@pytest.fixture
def load(house: Container, provider: Container, maildrop: Mailbox) -> Load:
    until(lambda: not problems(house), "a healthy container")
    forget(house)
    return Load(house, provider, maildrop)


def problems(house: Container) -> list[str]:
    """What health says; nothing when all is well."""
    done = house.exec("rulesmith", "health")
    first, *rest = done.text.split("\n\n")[0].splitlines() or [""]
    assert (first == "healthy") == (done.status == 0) == (not rest), done
    return rest


def pid(house: Container, service: str) -> int:
    """The process of a service; 0 while it is down."""
    return max(0, int(house.sh(f"s6-svstat -o pid /run/s6/{service}")))


def fetchmail(house: Container, user: str) -> int:
    """A user's fetchmail; 0 while there is none."""
    said = house.exec("cat", f"/run/fetchmail/{user}/fetchmail.0.pid", user="vmail").out.split()
    return int(said[0]) if said and house.exec("test", "-d", f"/proc/{int(said[0])}").status == 0 else 0


def killed(house: Container, find: Callable[[], int]) -> None:
    """Kill a process, and wait for the next one."""
    before = until(find, "a process")
    house.sh(f"kill -KILL {before}")
    until(lambda: find() not in (0, before), "another process")


def check(load: Load, service: str) -> None:
    """Nothing is lost or twice."""
    if service == "serve":
        # Who is killed cannot know which of his answers were heard; and what nobody takes comes again.
        load.is_complete(repeated=1)
    else:
        load.is_exact()


@pytest.mark.where.with_args(is_at_work)
@pytest.mark.parametrize("service", [*SERVICES, "serve"])
def test_mail_flows_while_a_service_is_killed(house: Container, load: Load, service: str) -> None:
    load.post(BATCH)
    load.flows()
    killed(house, lambda: pid(house, service))
    load.post(BATCH)
    check(load, service)


@pytest.mark.where.with_args(is_at_work)
@pytest.mark.parametrize("service", [name for name in (*SERVICES, "serve") if name != "clerk"])
def test_mail_waits_for_a_service_that_is_away_and_health_says_who(house: Container, load: Load, service: str) -> None:
    """The clerk is missed after a minute only: tests/container/test_health.py."""
    load.post(BATCH)
    load.flows()
    house.sh(f"s6-svc -O /run/s6/{service}; kill -KILL {pid(house, service)}")
    load.post(BATCH)
    said = until(lambda: problems(house), f"{service} is missed")
    assert [line for line in said if line.startswith(f"  {service}: ")], said
    house.sh(f"s6-svc -u /run/s6/{service}")
    check(load, service)
    until(lambda: not problems(house), "it is healthy again")


def test_the_queue_is_worked_off_though_its_runner_is_killed(house: Container, load: Load) -> None:
    house.sh(f"s6-svc -O /run/s6/rspamd; kill -KILL {pid(house, 'rspamd')}")
    load.post(BATCH)
    until(lambda: load.queued() == 2 * BATCH, "all letters wait")
    house.sh("s6-svc -u /run/s6/rspamd")
    load.flows()
    killed(house, lambda: pid(house, "queue"))
    # Who is killed in a delivery cannot know whether it was made.
    load.is_complete(repeated=1)


def test_the_broken_configuration_of_one_stops_nobody_else(house: Container, load: Load) -> None:
    load.post(BATCH)
    load.flows()
    folder = house.user("bad@x.org", passwd="", rc="pol x\n", conf="match all action nowhere\n")
    try:
        load.post(BATCH)
        for words in ("passwd: it is empty", "fetchmailrc: refused", "fdm.conf: refused"):
            house.saw(f"bad@x.org: {words}")
        load.is_exact()
    finally:
        shutil.rmtree(folder)


def test_a_stop_in_the_middle_loses_nothing(house: Container, load: Load) -> None:
    load.post(2 * BATCH)
    load.flows()
    assert house.stop()[0] == "exited 0"
    load.post(BATCH)
    house.start()
    load.is_complete(repeated=0)


def test_the_next_container_goes_on_where_the_last_one_was_killed(house: Container, load: Load, way: str) -> None:
    # One delivery of each letter can be made, the other waits: its user is away for a time.
    folder, aside = house.config / "users" / BOTH, house.folder / "aside"
    folder.rename(aside)
    until(lambda: not house.has_user(BOTH), "a user is gone")
    load.post(BATCH)
    until(lambda: load.queued() == 2 * BATCH, "all letters wait")
    for user in (IMAP, POP3):
        own = TARGETS[user][0]
        until(lambda own=own: len(load.here(own)) == BATCH, f"the first delivery to {own}")  # type: ignore[misc]
    load.post(2 * BATCH)
    until(lambda: load.queued() > 2 * BATCH, "mail flows")
    house.kill()
    house.remove()
    aside.rename(folder)
    house.create(*CAREFUL, environment=EVERY | goes(house, way))
    load.is_complete(repeated=1)


@pytest.mark.parametrize("user", [IMAP, POP3])
def test_a_fetchmail_that_is_killed_costs_no_letter(house: Container, load: Load, user: str) -> None:
    for _ in range(2):
        load.post(BATCH)
        load.flows()
        killed(house, lambda: fetchmail(house, user))
    load.is_complete(repeated=2)
