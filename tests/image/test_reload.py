"""Users come, change and go while the container runs: each change takes effect within seconds."""

from __future__ import annotations

import imaplib
import shutil
from collections.abc import Callable
from functools import partial

import pytest

from tests.certificates import Authority
from tests.image.fetching import DELIVER, PASSWORD, SORT, letter, rc, subjects
from tests.image.house import ANSWER, CAREFUL, Container, own, trusting, until

USER, OTHER, NEW = "user@example.com", "other@example.com", 'Jürgen\'s "new" mail+box'
RULES = """\
account "stdin" disabled stdin
action "box" pipe "/usr/libexec/dovecot/deliver -d user@example.com -m {folder}"
match all action "box"
"""


@pytest.fixture(scope="module")
def provider(containers: Callable[[], Container]) -> Container:
    made = containers()
    for user in (USER, OTHER):
        made.user(user, passwd="{PLAIN}" + PASSWORD)
    made.create()
    until(lambda: made.has_user(OTHER), "the provider's users")
    return made


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container], provider: Container) -> Container:
    made = containers()
    made.user(USER, passwd="{PLAIN}" + PASSWORD, rc=rc(provider, USER, SORT), conf=RULES.format(folder="Before"))
    made.user(OTHER, passwd="{PLAIN}" + PASSWORD, rc=rc(provider, OTHER, DELIVER))
    made.create(*CAREFUL)
    for user in (USER, OTHER):
        until(partial(pid, made, user), f"fetchmail of {user}")
    return made


def pid(house: Container, user: str) -> str:
    """The process of a user's first service; nothing where there is none."""
    done = house.exec("s6-svstat", "-o", "pid", f"/run/s6-fetch/fetch:{user}:0")
    return done.out.decode().strip().replace("-1", "")


def can_log_in(house: Container, user: str, password: str) -> bool:
    try:
        house.login(user, password).logout()
    except imaplib.IMAP4.error:
        return False
    return True


def test_a_user_comes_changes_his_password_and_goes(house: Container) -> None:
    others = [pid(house, user) for user in (USER, OTHER)]
    folder = house.user(NEW, passwd="{PLAIN}first")
    until(lambda: house.has_user(NEW), "the new user")
    assert house.deliver(NEW, letter("hello")).status == 0
    assert can_log_in(house, NEW, "first")
    house.user(NEW, passwd="{PLAIN}se:cond")
    until(lambda: can_log_in(house, NEW, "se:cond"), "the new password")
    assert not can_log_in(house, NEW, "first")
    shutil.rmtree(folder)
    until(lambda: not house.has_user(NEW), "the user goes")
    assert not can_log_in(house, NEW, "se:cond")
    # His mail is not a configuration.
    assert [each.name for each in house.mail.iterdir() if "mail+box" in each.name] == [NEW.replace("J", "j")]
    assert [pid(house, user) for user in (USER, OTHER)] == others


def test_rules_change_for_the_next_message(house: Container, provider: Container) -> None:
    before = pid(house, USER)
    provider.deliver(USER, letter("old rules"))
    until(lambda: "old rules" in subjects(house, USER, "Before"), "the first message")
    house.user(USER, conf=RULES.format(folder="After"))
    until(lambda: "After" in house.sh(f"cat /run/fetchmail/{USER}/fdm.conf", user="vmail"), "new rules")
    provider.deliver(USER, letter("new rules"))
    until(lambda: "new rules" in subjects(house, USER, "After"), "the second message")
    assert pid(house, USER) == before


def test_faults_leave_the_last_good_files_at_work(house: Container, provider: Container) -> None:
    before = [pid(house, user) for user in (USER, OTHER)]
    house.user(USER, rc="poll x protocol IMPA\n", conf="match all action nowhere\n")
    for file in ("fetchmailrc", "fdm.conf"):
        house.saw(f"{USER}: {file}: refused; the last good one goes on working")
    house.saw(f"{USER}: fetchmailrc:1: syntax error")
    house.saw(f"{USER}: fdm.conf:1:")
    assert [pid(house, user) for user in (USER, OTHER)] == before
    provider.deliver(USER, letter("with faults"))
    until(lambda: "with faults" in subjects(house, USER, "After"), "a message")


def test_the_last_good_files_survive_the_container(house: Container, provider: Container) -> None:
    house.user(USER, rc="poll x protocol IMPA\n", conf="match all action nowhere\n")
    assert house.stop()[0] == "exited 0"
    house.remove()
    house.create(*CAREFUL)
    until(lambda: pid(house, USER), "fetchmail")
    provider.deliver(USER, letter("another container"))
    until(lambda: "another container" in subjects(house, USER, "After"), "a message")


def test_a_new_fetchmailrc_replaces_the_process(house: Container, provider: Container) -> None:
    other = pid(house, OTHER)
    house.user(USER, rc=rc(provider, USER, DELIVER))
    (house.config / "users" / USER / "fdm.conf").unlink()
    home = f"/run/fetchmail/{USER}/fetchmailrc.0"
    until(lambda: "deliver" in house.sh(f"cat {home}", user="vmail"), "the new file")
    until(lambda: pid(house, USER), "fetchmail")
    provider.deliver(USER, letter("directly"))
    until(lambda: "directly" in subjects(house, USER), "a message in INBOX")
    assert pid(house, OTHER) == other
    (house.config / "users" / USER / "fetchmailrc").unlink()
    until(lambda: not pid(house, USER), "nothing is fetched any more")
    until(lambda: USER not in house.sh("ls /run/s6-fetch /run/s6 /run/fetchmail"), "nothing is left of it")
    assert pid(house, OTHER) == other


def test_a_keeper_that_is_killed_disturbs_nobody(house: Container) -> None:
    other = pid(house, OTHER)
    house.sh("s6-svc -k /run/s6/keeper")
    house.user("late", passwd="{PLAIN}x")
    until(lambda: house.has_user("late"), "the next keeper")
    assert pid(house, OTHER) == other


def test_a_fetchmail_that_is_killed_comes_back(house: Container, provider: Container) -> None:
    before = pid(house, OTHER)
    house.sh(f"s6-svc -k /run/s6-fetch/fetch:{OTHER}:0")
    until(lambda: pid(house, OTHER) not in ("", before), "another process")
    provider.deliver(OTHER, letter("after the kill"))
    until(lambda: "after the kill" in subjects(house, OTHER), "a message")


def test_a_certificate_that_changes_is_picked_up(house: Container, tmp_path_factory: pytest.TempPathFactory) -> None:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    pair = authority.issue("good")
    folder = house.config / "etc/ssl/dovecot"
    folder.mkdir(parents=True)
    other = pid(house, OTHER)
    shutil.copy(pair.key, folder / "server.key")
    shutil.copy(pair.certificate, folder / "server.pem")

    def shown() -> bool:
        client = imaplib.IMAP4_SSL(house.address, 993, ssl_context=trusting(authority.path), timeout=ANSWER)
        client.logout()
        return True

    until(shown, "the new certificate")
    assert pid(house, OTHER) == other


def test_a_configuration_of_somebody_elses_can_be_read(container: Container) -> None:
    """A folder that a user of the host has made: root in the container has not the right to pass over its modes."""
    container.user(USER, passwd="{PLAIN}" + PASSWORD, rc="poll x protocol IMPA\n", conf=RULES.format(folder="A"))
    for path in (container.config, *container.config.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    own(container.config, 1000, 1000)
    container.create(*CAREFUL)
    until(lambda: container.has_user(USER), "the user")
    container.saw(f"{USER}: fdm.conf: in use")
    container.saw(f"{USER}: fetchmailrc:1: syntax error")
