"""A fetchmailrc whose messages go to `rulesmith serve`, checked against what the real fetchmail makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rulesmith.container import configdump, handover, household, services
from rulesmith.container.fetchmailrc import Split, split
from rulesmith.container.household import Household
from rulesmith.container.passwd import Refused
from rulesmith.container.places import Places
from tests.container import fetchmail
from tests.parts import needed

FDM = "/usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"
DELIVER = "/usr/libexec/dovecot/deliver -d x"
SOCKET = "/run/serve/lmtp"
NAMES = ("user@example.com", "a b", "o'neil", 'say "x"', "joe+lists@example.com", "jürgen@exämple.com", "$(id)", "-f")
DEFAULTS = {"mda": None, "smtphunt": ["localhost"], "lmtp": False, "smtpname": None, "stripcr": False}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    command = needed(fetchmail.command)
    top = tmp_path_factory.mktemp("places")
    made = replace(fetchmail.places(top, command), handover=Path(SOCKET), recipients=top, site=top / "site")
    for name in NAMES:
        household.make_home(made, name)
    return made


def read(places: Places, text: bytes) -> list[dict[str, Any]]:
    """The accounts of a file, without idle: several that wait cannot be printed."""
    plain = text.decode("latin-1").replace(" idle", " ")
    return [user for server in configdump.dump(places, NAMES[0], plain).servers for user in server["users"]]


def made(places: Places, text: str, scanned: bool = False) -> Split:
    return split(places, NAMES[0], text.encode(), scanned)


def by_lmtp(places: Places, text: str, scanned: bool = False) -> list[bool]:
    """Of each account whether it is handed over; everything else must be as before."""
    found = made(places, text, scanned)
    [process] = found.processes
    told = []
    for now, before in zip(read(places, process.text), read(places, text.encode()), strict=True):
        handed = now["smtphunt"] == [SOCKET]
        if handed:
            expected = {"mda": None, "smtphunt": [SOCKET], "lmtp": True, "smtpname": process.recipient}
            assert now == {**before, **expected, "stripcr": False}
        else:
            assert now == before
        told.append(handed)
    assert sum("is delivered by LMTP" in remark for remark in found.remarks) == sum(told)
    assert bool(process.recipient) == any(told)
    return told


@pytest.mark.parametrize(
    "mda",
    [
        FDM,
        "/usr/bin/fdm -f ~/fdm.conf -a stdin fetch",
        "exec /usr/bin/fdm -lmv -a stdin -f $HOME/fdm.conf fetch ",
    ],
)
def test_fdm_with_the_users_rules_is_handed_over(places: Places, mda: str) -> None:
    assert handover.reason(mda, scanned=False) == ""
    assert by_lmtp(places, f'poll a proto imap user x pass y keep mda "{mda}"\n') == [True]


@pytest.mark.parametrize(
    "mda",
    [
        DELIVER,
        f"rspamc --mime | {DELIVER}",
        f"rspamc --mime | {FDM}",
        f"{FDM}; true",
        f"{FDM} || true",
        f"tee copy | {FDM}",
        f"HOME=/x {FDM}",
        "/usr/local/bin/fdm -a stdin -f ~/fdm.conf fetch",
        "/usr/bin/fdm -a stdin -f ~/fdm.conf -n fetch",
        "/usr/bin/fdm -a stdin -f ~/fdm.conf -D x=y fetch",
        "/usr/bin/fdm -a stdin -f ~/fdm.conf -u nobody fetch",
        "/usr/bin/fdm -a stdin -f ~/fdm.conf -k fetch",
        "/usr/bin/fdm -a stdin -a mail -f ~/fdm.conf fetch",
        "/usr/bin/fdm -a mail -f ~/fdm.conf fetch",
        "/usr/bin/fdm -f ~/fdm.conf fetch",
        "/usr/bin/fdm -a stdin -f ~/other.conf fetch",
        "/usr/bin/fdm -a stdin fetch",
        "/usr/bin/fdm -a stdin -f ~/fdm.conf poll",
        "/usr/bin/fdm -a stdin -f",
        "/usr/bin/fdm",
        "",
    ],
)
def test_any_other_program_stays_and_the_log_says_why(places: Places, mda: str) -> None:
    assert handover.reason(mda, scanned=False)
    text = f"poll a proto imap user x pass y keep mda '{mda}'\n"
    assert by_lmtp(places, text) == [False]
    found = made(places, text)
    assert found.processes[0].text.decode() == text
    assert "fetchmailrc: mail of x at a is delivered by `mda`, as " in found.remarks[-1]


def test_the_scan_in_front_goes_only_where_it_is_done_inside(places: Places) -> None:
    text = f'poll a proto imap user x pass y mda "rspamc --mime | {FDM}"\n'
    assert by_lmtp(places, text) == [False]
    assert by_lmtp(places, text, scanned=True) == [True]
    # Another scan is another one.
    assert by_lmtp(places, text.replace("--mime", "--mime -h other"), scanned=True) == [False]


SITE = 'set scan "unix:/run/rspamd/normal.sock"\n'


@pytest.mark.parametrize(
    ("site", "rules", "scans"),
    [
        (SITE, "match all action drop\n", True),
        ("", "match all action drop\n", False),
        (f"# {SITE}", "", False),
        (f'{SITE}set scan ""\n', "", False),
        (f'{SITE}include "more"\n', "", False),
        (SITE, 'set scan ""\n', False),
        (SITE, 'set\n  scan "http://x"\n', False),
        (SITE, 'include "more"\n', False),
    ],
)
def test_what_counts_as_a_scan_inside(places: Places, site: str, rules: str, scans: bool) -> None:
    places.site.write_text(site)
    assert handover.scans_all(places, rules.encode()) == scans


def test_rules_that_turn_the_scan_off_bring_the_program_back(places: Places) -> None:
    places.site.write_text(SITE)
    house = Household(places, NAMES[0])
    list(house.update("fetchmailrc", f'poll a proto imap user x pass y mda "rspamc --mime | {FDM}"\n'.encode()))
    assert [bool(each.recipient) for each in house.processes()] == [True]
    rules = b'account "stdin" disabled stdin\nmatch all action drop\n'
    said = list(house.update("fdm.conf", rules))
    assert [line for line in said if "delivered by" in line] == []
    [line] = [line for line in house.update("fdm.conf", rules + b'set scan ""\n') if "delivered by" in line]
    assert "`mda`, as it is scanned by `rspamc --mime`" in line
    assert [bool(each.recipient) for each in house.processes()] == [False]
    [line] = [line for line in house.update("fdm.conf", rules) if "delivered by" in line]
    assert line.endswith("by LMTP")


@pytest.mark.parametrize(
    "text",
    [
        f'poll a proto imap\n  user "x" there with password "y" # mda "no"\n  mda\n  # and\n  "{FDM}"\n',
        f"poll a proto imap user x pass y \\\n  mda '{FDM}' \\\n  keep # end",
        f'poll a proto imap user mda pass mda mda "{FDM}" folder "mda"\n',
        f'poll a proto imap user x pass \'mda "{DELIVER}"\' mda "{FDM}"\n',
        f'poll a proto imap user "x\\"y pass "b\\\\" mda "{FDM}"\n',
        'poll a proto imap user x pass y mda "/usr/bin/fdm\\x20-a stdin -f \\126/fdm.conf\\x20fetch"\n',
        f'poll a proto imap mda "{FDM}"\n',
        f'poll a proto imap user x is joe here pass y mda "{FDM}"\n',
        f'poll a proto imap user ü pass "pässwörd" mda "{FDM}" folder "Ünïcode"\n',
        f'poll a proto imap user x pass y mda "{DELIVER}" keep mda "{FDM}"\n',
        f'\ufeffpoll a proto imap user x pass y mda "{FDM}"',
    ],
)
def test_however_it_is_written(places: Places, text: str) -> None:
    found = made(places, text)
    [process] = found.processes
    [account] = read(places, process.text)
    assert (account["mda"], account["lmtp"], account["smtphunt"]) == (None, True, [SOCKET])
    # Lines keep their numbers, and passwords and folders are as they were.
    assert process.text.count(b"\n") - text.encode().count(b"\n") in (0, 1)
    before = read(places, text.removeprefix("\ufeff").encode() + b"\n")[0]
    assert {**account, **DEFAULTS} == {**before, **DEFAULTS}


def test_each_of_several_accounts_is_looked_at_by_itself(places: Places) -> None:
    text = f"""\
defaults mda "{FDM}" keep
poll a proto imap
    user x pass y
    user z pass y mda "{DELIVER}"
skip s proto pop3 user x pass y
poll b proto pop3 user v pass y mda '{FDM}' user w pass y mda "rspamc --mime | {FDM}"
"""
    # `skip` is not polled, and fetchmail reads it as before all the same.
    assert by_lmtp(places, text) == [True, False, False, True, False]
    assert len([each for each in made(places, text).remarks if "delivered by" in each]) == 4


@pytest.mark.parametrize(
    "more",
    [
        "smtphost other",
        "smtpname joe",
        "smtpaddress example.com",
        "bsmtp /tmp/x",
        "lmtp smtphost /x",
        "antispam 451",
        "stripcr",
        "forcecr",
        "is joe jane here",
        "is joe@example.com here",
        "to '*' here",
    ],
)
def test_settings_that_mean_something_by_lmtp_are_not_put_to_use(places: Places, more: str) -> None:
    assert by_lmtp(places, f'poll a proto imap user x pass y {more} mda "{FDM}"\n') == [False]


def test_a_program_for_connections_stays(places: Places) -> None:
    assert by_lmtp(places, f'poll a proto imap plugout "nc %h %p" user x pass y mda "{FDM}"\n') == [False]


def test_several_that_wait_are_handed_over_each_by_its_own_process(places: Places) -> None:
    text = f"""\
poll a proto imap user x pass y folder A B idle mda "{FDM}"
poll b proto imap user z pass y idle mda "{DELIVER}"
"""
    found = made(places, text)
    assert [bool(process.recipient) for process in found.processes] == [True, True, False]
    named = services.wanted(places, NAMES[0], found.processes)
    for number, service in enumerate(named):
        [account] = read(places, service.text)
        assert account["smtpname"] == (None if number == 2 else service.name)
        # Who takes the file of the recipient away waits for the end of what is under way.
        assert ("flock -x" in service.run) == (number < 2)


def test_what_fetchmail_refuses_is_refused_as_ever(places: Places) -> None:
    for text in (f'poll a proto imap user x pass y mda "{FDM}" keepp\n', "pol x\n"):
        with pytest.raises(Refused) as mine:
            made(places, text)
        with pytest.raises(Refused) as others:
            split(replace(places, handover=None), NAMES[0], text.encode())
        assert mine.value.lines == others.value.lines


@pytest.mark.parametrize("name", NAMES)
def test_a_user_of_any_name_is_a_recipient(places: Places, name: str) -> None:
    found = split(places, name, f'poll a proto imap user x pass y mda "{FDM}"\n'.encode())
    [service] = services.wanted(places, name, found.processes)
    [account] = read(places, service.text)
    # Letters that are safe in an address, in a fetchmailrc and as a file's name.
    assert account["smtpname"] == service.name == f"fetch:{services.escape(name)}:0"
    assert not set(" '\"<>()\\/") & set(service.name)


def test_by_default_nothing_is_handed_over(places: Places) -> None:
    text = f'poll a proto imap user x pass y mda "{FDM}"\n'
    found = split(replace(places, handover=None), NAMES[0], text.encode(), scanned=True)
    [process] = found.processes
    assert (process.text.decode(), process.recipient, found.remarks) == (text, "", [])
    [service] = services.wanted(places, NAMES[0], [process])
    assert "flock" not in service.run
