"""One fetchmailrc for several processes, checked against what the real fetchmail makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rulesmith.container import configdump, household
from rulesmith.container.configdump import Dump
from rulesmith.container.fetchmailrc import Split, split
from rulesmith.container.passwd import Refused
from rulesmith.container.places import Places
from tests.container import fetchmail
from tests.parts import needed

SEED = """\
poll mail.example.com protocol IMAP port 993
      user 'user@example.com' there with ssl with password 'password' folder 'INBOX' idle ssl keep
      mda "{mda}"
"""
MDAS = (
    "/usr/libexec/dovecot/deliver -d user@example.com",
    "rspamc --mime | /usr/libexec/dovecot/deliver -d user@example.com",
    "rspamc --mime | /usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch",
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    command = needed(fetchmail.command)
    made = fetchmail.places(tmp_path_factory.mktemp("places"), command)
    household.make_home(made, "someone")
    return made


def taken_apart(places: Places, text: str) -> Split:
    return split(places, "someone", text.encode())


def latin(text: str) -> str:
    return text.encode().decode("latin-1")


def dumps(places: Places, made: Split) -> list[Dump]:
    return [configdump.dump(places, "someone", process.text.decode("latin-1")) for process in made.processes]


def accounts(dump: Dump) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for server in dump.servers:
        for user in server["users"]:
            yield {name: value for name, value in server.items() if name != "users"}, user


def mailboxes(dump: Dump) -> list[tuple[str, str, bool, list[str]]]:
    return [(server["pollname"], user["remote"], user["idle"], user["mailboxes"]) for server, user in accounts(dump)]


@pytest.mark.parametrize("mda", MDAS)
def test_the_files_of_the_seed_are_run_as_they_are(places: Places, mda: str) -> None:
    text = SEED.format(mda=mda)
    [process] = taken_apart(places, text).processes
    assert process.text.decode() == text
    assert process.idfile == "fetchids"
    assert process.does == "waits for mail of user@example.com at mail.example.com, folder INBOX"
    # It may wait, so a lost connection is opened again soon.
    assert process.interval == 60


def test_without_idle_one_process_polls_everything(places: Places) -> None:
    text = "set daemon 77\npoll a proto pop3 user x pass y\npoll b proto imap user idle pass idle folder 'idle' A\n"
    [process] = taken_apart(places, text).processes
    assert (process.text.decode(), process.interval, process.does) == (text, 77, "polls")


def test_each_account_that_waits_has_a_process(places: Places) -> None:
    made = taken_apart(places, SEED.format(mda="a") + SEED.format(mda="b").replace("user@", "other@"))
    assert [mailboxes(dump) for dump in dumps(places, made)] == [
        [("mail.example.com", "user@example.com", True, ["INBOX"])],
        [("mail.example.com", "other@example.com", True, ["INBOX"])],
    ]
    assert len({process.idfile for process in made.processes}) == 2
    assert made.remarks == ["fetchmailrc: 2 processes wait for mail (idle), each in one folder"]


def test_folders_and_what_is_polled_are_separated(places: Places) -> None:
    made = taken_apart(
        places,
        """
        set daemon 300   # idle
        defaults proto imap idle mda "cat > 'idle'"
        poll one user a there pass 'no idle' folder INBOX, 'Lists idle' is x here
                 user b there pass idle no idle
                 user idle there pass "c" folder X idle noidle
        poll two proto pop3 user d pass e
        skip three user f pass g idle
        poll four user h pass i
        """,
    )
    rest, *waiting = dumps(places, made)
    assert [mailboxes(dump) for dump in waiting] == [
        [("one", "a", True, ["INBOX"])],
        [("one", "a", True, ["Lists idle"])],
        [("four", "h", True, [])],
    ]
    assert mailboxes(rest) == [
        ("one", "b", False, []),
        ("one", "idle", False, ["X"]),
        ("two", "d", False, []),
        ("three", "f", False, []),
    ]
    assert all(process.interval == 300 for process in made.processes)
    assert made.remarks == [
        "fetchmailrc: idle means nothing with POP3, so d at two is polled",
        "fetchmailrc: 3 processes wait for mail (idle), each in one folder, and one polls the rest",
    ]


def test_folders_of_the_defaults_are_separated(places: Places) -> None:
    made = taken_apart(places, "defaults proto imap folder A B pass x\npoll h user a idle\npoll i user b idle folder C")
    assert [mailboxes(dump) for dump in dumps(places, made)] == [
        [("h", "a", True, ["A"])],
        [("h", "a", True, ["B"])],
        [("i", "b", True, ["C"])],
    ]


def test_an_account_without_the_word_user_is_separated(places: Places) -> None:
    made = taken_apart(places, "poll h proto imap pass x folder A B idle keep\npoll i proto imap idle pass y")
    assert [mailboxes(dump)[0][2:] for dump in dumps(places, made)] == [(True, ["A"]), (True, ["B"]), (True, [])]


def test_a_process_keeps_its_idfile_when_others_come(places: Places) -> None:
    two = "poll h proto imap user a pass x idle\npoll i proto imap user b pass y idle\n"
    before = {process.idfile for process in taken_apart(places, two).processes}
    after = {
        process.idfile for process in taken_apart(places, "poll g proto imap user c pass z idle\n" + two).processes
    }
    assert before < after


def test_lines_keep_their_numbers(places: Places) -> None:
    made = taken_apart(places, "poll h proto imap user a pass x idle\n# two\n\npoll i proto imap user b pass y idle\n")
    assert made.processes[1].text.decode().splitlines()[3].split() == "poll i proto imap user b pass y idle".split()


@pytest.mark.parametrize("text", ["", "# nothing\n", "set daemon 5\n", "skip h proto imap user a pass b idle\n"])
def test_nothing_to_poll_is_no_process(places: Places, text: str) -> None:
    made = taken_apart(places, text)
    assert made.processes == []
    assert made.remarks == ["fetchmailrc: it names no server to poll, so nothing is fetched"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("poll h proto imap\nuser a pass b\nuzer\n", "fetchmailrc:3: syntax error at a word that is not shown"),
        ("poll h proto imap user a password b c3cret\n", "fetchmailrc:1: syntax error at a word that is not shown"),
        ("poll h proto imap user a folder idle keep\n", "fetchmailrc:1: syntax error at keep"),
        ("poll h user a pass b proto imap\n", "fetchmailrc:1: server option after user options at "),
        ("poll h proto imap user a pass b idle\nboo", "fetchmailrc:2: syntax error at a word that is not shown"),
    ],
)
def test_a_fault_is_told_in_the_words_of_fetchmail_but_no_secret(places: Places, text: str, line: str) -> None:
    with pytest.raises(Refused) as refused:
        taken_apart(places, text)
    assert any(said.startswith(line) for said in refused.value.lines), refused.value.lines
    assert "c3cret" not in str(refused.value)


def test_the_log_stays_ours(places: Places) -> None:
    text = "set logfile /nowhere/log\nset syslog\nset pidfile /nowhere/pid\nset idfile /nowhere/id\n"
    [process] = taken_apart(places, text + "poll h proto pop3 user a pass b\n").processes
    assert process.text.decode().startswith(text)


def test_an_idfile_that_cannot_be_used_stops_nothing(places: Places, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    made = taken_apart(places, f"set idfile '{mine}'\npoll h proto pop3 user a pass b\n")
    assert made.idfile is None
    assert len(made.processes) == 1
    assert made.remarks[0].startswith("fetchmailrc: its idfile is not used: ")


def test_set_daemon_0_is_no_way_to_fetch_for_ever(places: Places) -> None:
    made = taken_apart(places, "set daemon 0\npoll h proto pop3 user a pass b\n")
    assert [process.interval for process in made.processes] == [600]
    assert made.remarks == ["fetchmailrc: it has no usable `set daemon`; mail is fetched every 600 seconds"]


def test_all_that_6_4_knows_goes_along(places: Places) -> None:
    made = taken_apart(places, EVERYTHING + "poll z proto imap user q pass r idle\n")
    rest, last = dumps(places, made)
    [whole] = configdump.dump(places, "someone", EVERYTHING).servers
    assert rest.servers == [whole]
    assert mailboxes(last) == [("z", "q", True, [])]


EVERYTHING = """
set postmaster "postmaster" set no bouncemail set spambounce set no softbounce set properties "x" set invisible
set showdots set no syslog
poll a.example via b.example aka c.example d.example local e.example proto imap port 1143 timeout 7 interval 3
 envelope 2 "X-Envelope-To" qvirtual "q-" auth password principal p esmtpname en esmtppassword ep no dns checkalias
 no uidl plugin "nc %h %p" plugout "nc %h %p" tracepolls bad-header accept
 user "remote" there password "secret" is "b c"=joe mary * here folders INBOX "with blank" smtphost s1 s2/2525
 fetchdomains f.example smtpaddress sa.example smtpname sn@example.com antispam 571 -1 mda "rspamc | x %T" bsmtp "-"
 preconnect "true" postconnect "true" no keep flush limitflush fetchall no rewrite forcecr no stripcr pass8bits
 dropstatus dropdelivered mimedecode ssl sslkey k sslcert c sslproto "TLS1.2+" no sslcertck sslcertfile f sslcertpath d
 sslcommonname n sslfingerprint "00:11" limit 1000 warnings 60 fetchlimit 5 fetchsizelimit 6 fastuidl 7 batchlimit 8
 expunge 9 properties "y"
"""

# --- generated files

TEXTS = st.text(st.sampled_from("ab =;:,#'\"\\\n\tü0"), min_size=1, max_size=6) | st.sampled_from(
    [
        "idle",
        "no idle",
        "noidle",
        "user",
        "poll x",
        "#idle",
        "folder",
        "defaults",
        "here",
        "with",
        "no",
        "a\\",
        "'idle'",
    ]
)
GAPS = st.sampled_from([" ", "\n", "  \t", " , ", "; ", " # idle\n", " # 'it\n", " with ", " \\\n", " and "])


@dataclass(frozen=True)
class Account:
    name: str
    options: tuple[str, ...]
    idle: tuple[bool, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True)
class Host:
    kind: str
    name: str
    options: tuple[str, ...]
    accounts: tuple[Account, ...]


def quoted(text: str) -> str:
    """As a string of fetchmail's, with as little hidden as can be."""
    if "'" not in text and not text.endswith("\\"):
        return f"'{text}'"
    return '"' + text.replace("\\", "\\\\").replace('"', "\\x22") + '"'


@st.composite
def _accounts(draw: st.DrawFn) -> Account:
    options = draw(
        st.lists(
            st.one_of(
                TEXTS.map(lambda text: f"password {quoted(text)}"),
                TEXTS.map(lambda text: f"mda {quoted(text)}"),
                TEXTS.map(lambda text: f"is {quoted(text)} here"),
                st.sampled_from(["keep", "no keep", "nokeep", "ssl", "no ssl", "limit 5", "fetchall", "password idle"]),
                st.sampled_from(["is idle", "to user=idle here", "smtphost 'idle' x", "antispam 5 -6", "expunge 3"]),
            ),
            max_size=4,
        )
    )
    return Account(
        draw(st.sampled_from(["u", "'u v'", "idle", "user", '"no"'])),
        tuple(options),
        tuple(draw(st.lists(st.booleans(), max_size=2))),
        tuple(draw(st.lists(TEXTS, max_size=3, unique=True))),
    )


@st.composite
def _hosts(draw: st.DrawFn, kind: str) -> Host:
    return Host(
        kind,
        draw(st.sampled_from(["h.example", "'i'", "'idle'"])),
        tuple(
            draw(
                st.lists(
                    st.one_of(
                        st.sampled_from(["proto imap", "proto pop3", "port 99", "timeout 5", "via 'idle'", "no dns"]),
                        st.sampled_from(["auth password", "preauth ssh", "aka idle2 'idle'", "envelope 'X'", "uidl"]),
                        TEXTS.map(lambda text: f"plugin {quoted(text)}"),
                    ),
                    max_size=3,
                )
            )
        ),
        tuple(draw(st.lists(_accounts(), min_size=1, max_size=1 if kind == "defaults" else 3))),
    )


@st.composite
def _files(draw: st.DrawFn) -> tuple[list[Host], list[str]]:
    hosts = draw(st.lists(_hosts("poll") | _hosts("skip"), min_size=1, max_size=3))
    if draw(st.booleans()):
        hosts.insert(0, draw(_hosts("defaults")))
    return hosts, draw(st.lists(GAPS, min_size=1, max_size=12))


def written(hosts: list[Host], gaps: list[str], idle: bool) -> str:
    """The file; where `idle` is false, without a word of it."""
    said: list[str] = ["set daemon 99"]
    for host in hosts:
        said += [host.kind if host.kind == "defaults" else f"{host.kind} {host.name}", *host.options]
        for account in host.accounts:
            said += [f"user {account.name}", *account.options]
            if account.folders:
                said.append("folder " + " ".join(map(quoted, account.folders)))
            if idle:
                said += ["idle" if each else "noidle" for each in account.idle]
    text = said[0]
    for number, each in enumerate(said[1:]):
        text += gaps[number % len(gaps)] + each
    return text + "\n"


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(_files())
def test_all_processes_together_do_what_one_would(places: Places, file: tuple[list[Host], list[str]]) -> None:
    hosts, gaps = file
    whole = configdump.dump(places, "someone", latin(written(hosts, gaps, idle=False)))
    made = taken_apart(places, written(hosts, gaps, idle=True))
    defaults = hosts[0].accounts[0] if hosts[0].kind == "defaults" else None
    waiting = []
    rest = []
    flags = [
        (host.kind, (account.idle or (defaults.idle if defaults else ()) or (False,))[-1])
        for host in hosts
        if host.kind != "defaults"
        for account in host.accounts
    ]
    for (server, user), (kind, idle) in zip(accounts(whole), flags, strict=True):
        if idle and kind == "poll" and server["protocol"] in ("IMAP", "auto"):
            waiting += [{**user, "idle": True, "mailboxes": [each]} for each in user["mailboxes"] or [None]]
        elif kind == "poll":
            rest.append(user)
    found = [user for dump in dumps(places, made) for _, user in accounts(dump) if user["idle"]]
    for user in found:
        user["mailboxes"] = user["mailboxes"] or [None]
    assert found == waiting
    # What is skipped may be left out, for it is not fetched either way.
    polled = [(server, user) for dump in dumps(places, made) for server, user in accounts(dump) if not user["idle"]]
    assert [user for server, user in polled if server["active"]] == rest
    servers = [server for dump in dumps(places, made) for server, _ in accounts(dump)]
    assert all(server in [each for each, _ in accounts(whole)] for server in servers)
