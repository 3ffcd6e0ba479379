"""The keeper when something is wrong: with files, with processes, with itself."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rulesmith.container import configdump, fdm_conf, services
from rulesmith.container.accounts import Account
from rulesmith.container.configdump import as_mail, environment
from rulesmith.container.household import Household
from rulesmith.container.keeper import Keeper
from rulesmith.container.places import Places
from tests.container import fetchmail
from tests.container.house import RC, RULES, USER, House
from tests.container.pop3 import Mailbox
from tests.container.supervisor import Supervisor, until


def test_a_fault_leaves_the_last_good_one_at_work(house: House) -> None:
    house.user(USER, rc=RC, conf=RULES)
    house.look(1)
    pid = house.running(USER)
    house.user(USER, rc="pol 127.0.0.1\n", conf="match all action nowhere\n")
    house.look()
    assert "user@example.com: fetchmailrc: refused; the last good one goes on working" in house.said
    assert "user@example.com: fdm.conf: refused; the last good one goes on working" in house.said
    assert any(": fetchmailrc:1: syntax error" in said for said in house.said), house.said
    assert any(": fdm.conf:1:" in said for said in house.said), house.said
    assert (house.places.home(USER) / "fdm.conf").read_text() == RULES
    assert house.pid(USER) == pid
    told = len(house.said)
    house.look(3)
    # Once is enough.
    assert len(house.said) == told
    house.user(USER, rc=RC, conf=RULES + "# repaired\n")
    house.look()
    assert house.said[told:] == [f"{USER}: fdm.conf: in use", f"{USER}: fetchmailrc: in use"]
    assert house.pid(USER) == pid


def test_the_last_good_one_survives_the_container(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC, conf=RULES)
    house.look(1)
    house.running(USER)
    house.user(USER, passwd="", rc="pol 127.0.0.1\n", conf="match all action nowhere\n")
    shutil.rmtree(house.places.users / "gone", ignore_errors=True)
    second = house.places.homes.parent / "second"
    second.mkdir()
    other = fetchmail.places(second, house.places.fetchmail)
    places = dataclasses.replace(other, users=house.places.users, state=house.places.state)
    said: list[str] = []
    supervisor = Supervisor(places.scan)
    try:
        Keeper(places, supervisor.s6, lambda: "", lambda _, sentence: said.append(sentence)).look()
        assert (places.home(USER) / "fdm.conf").read_text() == RULES
        assert (places.home(USER) / "fetchmailrc.0").read_text() == RC
        assert places.passwd.read_text() == f"{USER}:{{PLAIN.B64}}eA==::::::\n"
        assert len([sentence for sentence in said if sentence.endswith("the last good one goes on working")]) == 3
    finally:
        supervisor.close()


def test_a_first_file_with_a_fault_hurts_nobody_else(house: House) -> None:
    house.user("bad", passwd="", rc="poll", conf=RULES)
    house.user("good", passwd="{PLAIN}x", rc=RC, conf=RULES)
    house.look(1)
    house.running("good")
    assert not services.existing(house.places, "bad")
    assert "bad: fetchmailrc: refused, and there is no earlier one" in house.said
    assert "bad: passwd: it is empty, and nobody can log in without a password" in house.said
    assert house.passwd() == ["good:{PLAIN.B64}eA==::::::"]


def test_no_mail_is_fetched_before_the_rules_are_in_order(house: House) -> None:
    house.user(USER, rc=RC, conf="match all action nowhere\n")
    house.look()
    assert not services.existing(house.places, USER)
    assert f"{USER}: no mail is fetched until there are rules that can be used" in house.said
    assert not (house.places.home(USER) / "fdm.conf").exists()
    household = Household(house.places, USER)
    assert [*household.update("fdm.conf", b"match all action nowhere\n")]
    assert household.report()["missing"] == ["fdm.conf"]
    house.user(USER, conf=RULES)
    house.look()
    house.running(USER)


def test_a_file_that_is_being_written_is_waited_for(house: House) -> None:
    house.user(USER, rc=RC)
    house.look(1)
    pid = house.running(USER)
    path = house.user(USER, rc=RC + "poll") / "fetchmailrc"
    for piece in (" localhost", " proto imap user a", " pass b"):
        house.look(1)
        with path.open("a") as file:
            file.write(piece)
    house.look(1)
    assert not any("refused" in said for said in house.said)
    assert house.pid(USER) == pid
    house.looks_until(lambda: house.service(USER, 1).exists(), "the whole file is read")
    assert not any("refused" in said for said in house.said)


def test_fetching_waits_for_the_daemons(house: House) -> None:
    house.lacks = "rspamd: no answer"
    house.user(USER, passwd="{PLAIN}x", rc=RC)
    house.look(3)
    assert house.passwd()
    assert not services.existing(house.places)
    assert house.said.count(": fetching waits for rspamd: no answer") == 1
    house.lacks = ""
    house.look(1)
    house.running(USER)


def test_a_new_keeper_disturbs_nothing(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC + RC.replace("INBOX", "A"), conf=RULES)
    house.look(1)
    pids = [house.running(USER, number) for number in range(2)]
    house.keeper = house.fresh()
    house.lacks = "everything"
    house.look(3)
    assert [house.pid(USER, number) for number in range(2)] == pids


def test_a_keeper_that_was_ended_half_way_is_continued(house: House) -> None:
    house.user(USER, rc=RC)
    house.look(1)
    house.running(USER)
    # The last one has asked it to end, and has put down another that nobody has started yet.
    house.supervisor.s6.down(house.service(USER))
    until(lambda: not house.pid(USER), "fetchmail ends")
    orphan = house.places.services / "fetch:nobody:3"
    orphan.mkdir()
    house.keeper = house.fresh()
    house.looks_until(lambda: house.pid(USER) and not orphan.exists(), "it runs again, the other is gone")


def test_users_that_went_while_nobody_looked(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC)
    house.look(1)
    house.running(USER)
    shutil.rmtree(house.places.users / USER)
    house.keeper = house.fresh()
    house.looks_until(lambda: not house.places.home(USER).exists(), "nothing is left")
    assert not services.existing(house.places)
    assert not house.places.last_good(USER).exists()
    assert house.passwd() == []


def test_a_configuration_that_cannot_be_read_is_no_configuration_without_users(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC)
    house.look(1)
    pid = house.running(USER)
    config = house.places.users.parent
    config.rename(config.with_name("elsewhere"))
    house.look(3)
    assert house.pid(USER) == pid
    assert house.passwd()
    blind = f"{house.places.users} cannot be read, so everything stays as it is: there is no such folder"
    assert [said for said in house.said if "cannot be read" in said] == [f": {blind}"]
    assert house.report()["blind"] == blind


def test_no_users_at_all(house: House) -> None:
    house.places.users.rmdir()
    house.look()
    assert house.said == []
    assert house.passwd() == []


def test_what_is_no_file_is_named(house: House) -> None:
    folder = house.user(USER, rc=RC)
    os.mkfifo(folder / "passwd")
    (folder / "fdm.conf").mkdir()
    (folder / "notes.txt").write_text("ignored")
    house.look(1)
    assert f"{USER}: passwd: it cannot be read: it is not a file" in house.said
    assert f"{USER}: fdm.conf: it cannot be read: it is not a file" in house.said


def test_a_delivery_under_way_may_end(house: House, tmp_path: Path) -> None:
    """fetchmail's end closes the pipe to its command, which would take what it has for a whole message."""
    go, got, part = tmp_path / "go", tmp_path / "got", tmp_path / "part"
    os.mkfifo(go)
    command = tmp_path / "mda"
    # It takes a part of the message, more than fetchmail can hand over at once is left, and waits.
    command.write_text(
        f"#!/bin/sh\nhead -c 1000 >{part}.new && mv {part}.new {part}\nread -r _ <{go}\n"
        f"cat >{got}.new && mv {got}.new {got}\n"
    )
    command.chmod(0o755)
    body = b"".join(b"line %06d\r\n" % number for number in range(30_000))
    with Mailbox(b"Subject: big\r\n\r\n" + body) as mailbox:
        house.user(
            USER, rc=f"poll 127.0.0.1 proto pop3 port {mailbox.port} user a pass b mda '{command}' keep sslproto ''\n"
        )
        house.look(1)
        until(part.exists, "the delivery is under way")
        pid = house.pid(USER)
        house.user(USER, rc=None)
        house.look(3)
        assert house.pid(USER) == pid
        go.write_text("go\n")
        until(got.exists, "the delivery has ended")
        house.looks_until(lambda: not house.service(USER).exists(), "fetchmail has ended")
    whole = part.read_bytes() + got.read_bytes()
    assert whole.endswith(body.replace(b"\r\n", b"\n")[-1000:])
    assert len(whole) > len(body) - 30_000


def test_rulesmith_that_takes_too_long_is_told_to_leave_and_fetchmail_hears_what_it_says(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else fetchmail would be ended before it can say at the provider that it has the message, and fetch it again."""
    # Whoever has been told is given the time that he needs here.
    monkeypatch.setattr(services, "DOOR", 600)
    begun = tmp_path / "begun"
    (tmp_path / "fdm").write_text(
        f"#!/bin/sh\ntrap 'echo told >>{begun}; kill $!; exit 0' TERM\n"
        f"cat >/dev/null\necho one >>{begun}\nsleep 1000 & wait\n"
    )
    (tmp_path / "fdm").chmod(0o755)
    with Mailbox(b"Subject: 1\r\n\r\n1\r\n", b"Subject: 2\r\n\r\n2\r\n") as mailbox:
        mda = f"cat | {tmp_path}/fdm"
        house.user(
            USER,
            rc=f"poll 127.0.0.1 proto pop3 port {mailbox.port} uidl user a pass b mda '{mda}' keep sslproto ''\n",
        )
        house.look(1)
        until(begun.exists, "a delivery is under way")
        (house.service(USER) / "data/patience").write_text("1\n")
        pid = house.running(USER)
        house.supervisor.s6.down(house.service(USER))
        until(lambda: not house.pid(USER), "fetchmail has ended")
        assert begun.read_text().split()[:2] == ["one", "told"]
        assert not os.path.exists(f"/proc/{pid}")
        second = mailbox.times[1]
        house.supervisor.s6.up(house.service(USER))
        # The first message is not fetched again.
        until(lambda: mailbox.times[1] > second, "the second message")
        assert mailbox.times[0] == 1


def test_stops_between_many_messages_lose_and_cut_none_and_repeat_hardly_any(house: House, tmp_path: Path) -> None:
    command = tmp_path / "mda"
    # What is shut out is stored when the test lets it in: else all might be through before a stop.
    command.write_text(
        f"#!/bin/sh\ncd {tmp_path}\ncat >new.$$\nnumber=$(sed -n 's/^Subject: //p' new.$$)\n"
        "while [ -e shut.$number ]; do sleep 0.02; done\nsleep 0.05\nmv new.$$ got.$$\n"
    )
    command.chmod(0o755)
    body = b"".join(b"line %06d\r\n" % number for number in range(300))

    def count() -> int:
        return len(list(tmp_path.glob("got.*")))

    def shut(number: int) -> Path:
        path = tmp_path / f"shut.{number}"
        path.touch()
        return path

    with Mailbox(*(b"Subject: %d\r\n\r\n" % number + body for number in range(30))) as mailbox:
        last = shut(0)
        house.user(
            USER,
            rc=f"poll 127.0.0.1 proto pop3 port {mailbox.port} uidl user a pass b mda '{command}' keep sslproto ''\n",
        )
        house.look(1)
        house.running(USER)
        for _ in range(4):
            enough = count() + 3
            during, after = shut(enough + 1), shut(enough + 3)
            last.unlink()
            house.supervisor.s6.up(house.service(USER))
            until(lambda enough=enough: count() >= enough, "some messages")  # type: ignore[misc]
            house.supervisor.s6.down(house.service(USER))
            during.unlink()
            until(lambda: not house.pid(USER), "fetchmail has ended")
            assert count() < 30
            last = after
        last.unlink()
        sessions = mailbox.sessions
        house.supervisor.s6.up(house.service(USER))
        until(lambda: mailbox.sessions > sessions, "all are fetched")
    got = sorted(int(path.read_bytes().partition(b"Subject: ")[2].split()[0]) for path in tmp_path.glob("got.*"))
    assert set(got) == set(range(30))
    # Of a command that is about to end nobody can say whether it has stored its message; on a busy machine it happens
    # that one is killed then.
    assert len(got) <= 31
    assert {len(path.read_bytes().partition(b"\n\n")[2]) for path in tmp_path.glob("got.*")} == {len(body) - 300}


def test_fetchmail_is_started_again_when_it_is_killed(house: House) -> None:
    house.user(USER, rc=RC)
    house.look(1)
    pid = house.running(USER)
    os.kill(house.fetchmail(USER), 9)
    until(lambda: house.pid(USER) not in (0, pid), "it runs again")


def test_refused_logins_are_not_repeated_at_once(house: House) -> None:
    # Without a password it ends with the same status as when all logins were refused.
    house.user(USER, rc=RC.replace("pass 'pass word'", ""))
    house.look(1)
    not_before = house.service(USER) / "data" / "not-before"
    # The shell makes it first, and writes it then.
    until(lambda: not_before.exists() and not_before.read_text(), "fetchmail has given up")
    assert int(not_before.read_text())
    house.user(USER, rc=RC)
    pipe = house.places.home(USER) / "fetchmail.0.pid"
    house.looks_until(pipe.exists, "a new file is tried at once")
    assert not not_before.exists()


def test_checks_are_never_run_by_root(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RSPAMD_PASSWORD", "hidden")
    places = dataclasses.replace(house.places, mail=Account(5000, 5001))
    assert "hidden" not in environment(places, USER).values()
    if os.geteuid() == 0:
        ran = subprocess.run(["id"], capture_output=True, text=True, check=True, **as_mail(places)).stdout
        assert ran.startswith("uid=5000")
        assert "groups=5001" in ran
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert as_mail(places) == {"user": 5000, "group": 5001, "extra_groups": []}


def test_an_interval_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulesmith.container.places.account", lambda _: Account(1, 2))
    for value, seconds in (("120", 120), ("", 600), ("0", 600), ("soon", 600)):
        monkeypatch.setenv("RULESMITH_FETCH_INTERVAL", value)
        assert Places.of_image().interval == seconds


@pytest.mark.parametrize("file", ["fetchmailrc", "fdm.conf"])
def test_a_check_has_a_limit(house: House, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    for module in (fdm_conf, configdump):
        monkeypatch.setattr(module, "PATIENCE", 0.2)
    for_ever = ("sh", "-c", "exec sleep 99")
    places = dataclasses.replace(house.places, fetchmail=for_ever, rulesmith=for_ever)
    first, *_ = Household(places, USER).update(file, b"x")
    assert first.endswith(" within 0.2 seconds")


def test_mailboxes_are_there_before_anything_is_checked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.user("a", conf=RULES)
    house.user("b", passwd="{PLAIN}x")
    found: list[list[str]] = []

    def check(*_: object) -> list[str]:
        found.append(house.passwd())
        return []

    monkeypatch.setattr(fdm_conf, "check", check)
    house.look(1)
    assert found == [["b:{PLAIN.B64}eA==::::::"]]
