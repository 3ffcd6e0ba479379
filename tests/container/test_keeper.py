"""The keeper with the real fetchmail and the real s6: users come, change and go while it runs."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from rulesmith.container import passwd, services
from tests.container.house import RC, RULES, USER, House
from tests.container.supervisor import until


def commands_of(pid: int) -> list[list[str]]:
    """What a process and its children were called with; nothing of those that have ended meanwhile."""
    try:
        found = [Path(f"/proc/{pid}/cmdline").read_text().split("\0")]
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    for child in children:
        found += commands_of(int(child))
    return found


def test_a_user_is_set_up(house: House) -> None:
    house.user(USER, passwd="{PLAIN}secret\n", rc=RC, conf=RULES)
    house.look(1)
    assert house.passwd() == [f"{USER}:{{PLAIN.B64}}c2VjcmV0::::::"]
    assert stat.S_IMODE(house.places.passwd.stat().st_mode) == 0o640
    home = house.places.home(USER)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for name, text in (("fetchmailrc", RC), ("fdm.conf", RULES), ("fetchmailrc.0", RC)):
        assert (home / name).read_text() == text
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    pid = house.running(USER)
    number = house.fetchmail(USER)
    assert not any("secret" in word or "pass word" in word for argv in commands_of(pid) for word in argv)
    [argv] = [argv for argv in commands_of(pid) if argv[0].endswith("fetchmail")]
    assert argv[-4:-1] == [str(home / "fetchmail.0.pid"), "--idfile", str(house.places.idfiles(USER) / "fetchids")]
    assert argv[argv.index("-d") + 1] == "60"
    assert f"RULESMITH_CALLER={number}" in Path(f"/proc/{number}/environ").read_text().split("\0")
    assert house.report()["users"] == {
        USER: {
            "mailbox": True,
            "fetching": [f"waits for mail of {USER} at 127.0.0.1, folder INBOX"],
            "refused": {},
            "missing": [],
        }
    }


def test_what_fetchmail_says_goes_to_its_pipe(house: House) -> None:
    house.user(USER, rc=RC)
    house.look(1)
    pipe = os.open(house.places.logs / f"fetch:{USER}:0", os.O_RDWR | os.O_NONBLOCK)
    said = b""

    def refused() -> bool:
        nonlocal said
        try:
            said += os.read(pipe, 65536)
        except BlockingIOError:
            return False
        return b"onnection refused" in said

    until(refused, "a line of fetchmail's")
    os.close(pipe)


@pytest.mark.parametrize(
    "name", ["with blank", 'it\'s "quoted"', "a+b@example.com", "Ünï@exämple.com", "$(id);`id`", "-x"]
)
def test_any_name_is_safe(house: House, name: str) -> None:
    house.user(name, passwd="{PLAIN}x", rc=RC, conf=RULES)
    house.look(1)
    house.running(name)
    house.fetchmail(name)
    assert house.passwd() == [passwd.line(name, "{PLAIN.B64}eA==").removesuffix("\n")]
    assert services.unescape(services.escape(name)) == name


def test_names_that_cannot_be(house: House) -> None:
    for name in (".hidden", "a:b", "#x", "a\nb", "User", "x" * 240):
        (house.places.users / name).mkdir()
    (house.places.users / os.fsdecode(b"\xff")).mkdir()
    house.user("user", passwd="{PLAIN}x")
    house.user("USER", passwd="{PLAIN}y")
    (house.places.users / "README").write_text("no folder")
    house.look(1)
    assert sorted(house.said) == sorted(
        [
            "a:b: not a user: Dovecot's list of users cannot hold a name with a colon",
            "#x: not a user: Dovecot takes a name with # at its start for a comment",
            "a\nb: not a user: there is a control character in the name",
            "x" * 240 + ": not a user: the name is too long",
            "\\xff: not a user: the name of the folder is not UTF-8",
            "User: not a user: to Dovecot it is the same name as USER",
            "user: not a user: to Dovecot it is the same name as USER",
            "USER: passwd: in use",
        ]
    )
    assert house.passwd() == ["user:{PLAIN.B64}eQ==::::::"]


def test_one_user_changes_and_the_others_do_not_notice(house: House) -> None:
    house.user("one", rc=RC)
    house.user("two", rc=RC)
    house.look(1)
    one, two = house.running("one"), house.running("two")
    house.user("one", rc=RC.replace("INBOX", "Other"))
    house.user("three", passwd="{PLAIN}x", rc=RC)
    house.looks_until(
        lambda: house.pid("one") not in (0, one) and house.pid("three"), "one has changed, three has come"
    )
    assert house.pid("two") == two
    assert (house.places.home("one") / "fetchmailrc.0").read_text() == RC.replace("INBOX", "Other")
    assert (
        "one: fetchmail was started again and waits for mail of user@example.com at 127.0.0.1, folder Other"
        in house.said
    )


def test_a_new_password_disturbs_no_fetching(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC)
    house.look(1)
    before = house.running(USER)
    house.user(USER, passwd="$6$salt$hash\n")
    house.look()
    assert house.passwd() == [f"{USER}:$6$salt$hash::::::"]
    house.look()
    assert house.pid(USER) == before


def test_a_user_goes(house: House) -> None:
    house.user(USER, passwd="{PLAIN}x", rc=RC, conf=RULES)
    house.user("other", rc=RC)
    house.look(1)
    pid, other = house.running(USER), house.running("other")
    (house.places.idfiles(USER) / "fetchids.other").write_text("kept")
    shutil.rmtree(house.places.users / USER)
    house.looks_until(lambda: not house.places.home(USER).exists(), "nothing is left in /run")
    assert not Path(f"/proc/{pid}").exists()
    assert not house.service(USER).exists()
    assert not (house.places.scan / house.service(USER).name).is_symlink()
    assert house.passwd() == []
    assert not house.places.last_good(USER).exists()
    assert (house.places.idfiles(USER) / "fetchids.other").exists()
    assert house.pid("other") == other
    assert list(house.report()["users"]) == ["other"]  # type: ignore[call-overload]


def test_an_account_goes_and_the_others_of_the_user_stay(house: House) -> None:
    polled = RC.replace(" idle", "").replace("127.0.0.1", "localhost")
    house.user(USER, rc=RC + RC.replace("INBOX", "A") + polled)
    house.look(1)
    pids = [house.running(USER, number) for number in range(3)]
    house.user(USER, rc=RC.replace("INBOX", "A") + polled)
    gone = house.places.home(USER) / "fetchmailrc.1"
    house.looks_until(lambda: not gone.exists() and not house.service(USER, 1).exists(), "one process less")
    assert [house.pid(USER, 0), house.pid(USER, 2)] == [pids[0], pids[2]]


def test_files_come_and_go_one_by_one(house: House) -> None:
    house.user(USER, conf=RULES)
    house.look(1)
    home = house.places.home(USER)
    assert sorted(path.name for path in home.iterdir()) == ["fdm.conf"]
    house.user(USER, conf=None, passwd="{PLAIN}x")
    house.look()
    assert not home.exists()
    house.user(USER, rc=RC)
    house.look()
    house.running(USER)
    assert not (home / "fdm.conf").exists()


def test_an_idfile_of_the_users_own_is_taken_over_once(house: House, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("a@127.0.0.1 UID-1\n")
    mine.chmod(0o600)
    text = f"set idfile '{mine}'\n" + RC.replace("imap", "pop3").replace(" idle", "")
    house.lacks = "time"
    house.user(USER, rc=text)
    house.look(1)
    ours = house.places.idfiles(USER) / "fetchids"
    assert ours.read_text() == "a@127.0.0.1 UID-1\n"
    assert house.said[-2] == f"{USER}: fetchmailrc: {mine} has been copied to {ours}, where fetchmail goes on with it"
    mine.write_text("")
    house.user(USER, rc=text + "# changed\n")
    house.look()
    assert ours.read_text() == "a@127.0.0.1 UID-1\n"
