"""One fetchmailrc as the files of several processes: fetchmail waits (IDLE) in one folder of one account at a time.

Each such folder gets a process of its own, and all that is polled one more. The files are the user's own text with
what is not theirs blanked out, so nothing has to be written anew; then fetchmail's own reading of them is compared with
its reading of the whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rulesmith.container.configdump import Dump, Record, dump
from rulesmith.container.handover import hand_over
from rulesmith.container.passwd import Refused
from rulesmith.container.rc_shape import Part, Shape, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rulesmith.container.places import Places

    Reader = Callable[[str], Dump]

# Seconds after which a process that waits opens a connection again that has ended, unless `set daemon` says otherwise.
AGAIN = 60
# With these a server can tell of new mail; AUTO tries IMAP first.
_WAITING = frozenset({"IMAP", "auto"})


@dataclass(frozen=True)
class Process:
    """What one fetchmail does."""

    text: bytes
    # Seconds between two polls.
    interval: int
    # The same for the same mailbox, wherever it stands in the file; it names the file of its UIDs.
    idfile: str
    # For the log.
    does: str
    # What stands in the text for the name under which `rulesmith serve` knows the user; empty where nothing does.
    recipient: str = ""


@dataclass(frozen=True)
class Split:
    """All processes of a user, and what there is to say about them."""

    processes: list[Process]
    remarks: list[str]
    # The file of UIDs that the user has named himself, where it has an absolute path.
    idfile: str | None = None


@dataclass(frozen=True)
class _Place:
    """A folder that is waited in."""

    server: int
    account: int
    folder: int
    folders: int


def split(places: Places, user: str, content: bytes, scanned: bool = False) -> Split:
    """The processes for a user's file. Raises Refused with what fetchmail says where it does not accept it.

    `scanned`: rspamd is asked for each message that goes to `rulesmith serve`.
    """

    def reader(text: str) -> Dump:
        return dump(places, user, text)

    made = split_by(reader, content, places.interval)
    if places.handover and made.processes:
        made = _handed_over(places, user, reader, content, scanned, made)
    if not made.processes or not _sets(shape(content.decode("latin-1")), "idfile"):
        return made
    try:
        named = dump(places, user, made.processes[0].text.decode("latin-1"), own_idfile=True).settings["idfile"]
    except Refused as refusal:
        # Nothing but that file can be wrong now, and fetchmail is going to have another.
        return replace(made, remarks=[*made.remarks, f"fetchmailrc: its idfile is not used: {refusal.lines[-1]}"])
    return replace(made, idfile=named if named and named.startswith("/") else None)


def _handed_over(places: Places, user: str, reader: Reader, content: bytes, scanned: bool, made: Split) -> Split:
    """What was `made` of a file, with its messages handed over by LMTP where that is the same."""
    handed = hand_over(places, user, reader, _text(content), scanned)
    if handed.recipient:
        # It is the same file but for the handing over, so that it can be taken apart in the same way.
        made = split_by(reader, handed.text.encode("latin-1"), places.interval)
    mark = handed.recipient.encode()
    processes = [replace(each, recipient=handed.recipient if mark in each.text else "") for each in made.processes]
    return replace(made, processes=processes, remarks=[*made.remarks, *handed.remarks])


def _text(content: bytes) -> str:
    text = content.decode("latin-1").removeprefix("\xef\xbb\xbf")
    # A comment that ends with the file is a word to fetchmail.
    return text if text.endswith("\n") else text + "\n"


def split_by(reader: Reader, content: bytes, interval: int) -> Split:
    """The same with any reader."""
    if b"\0" in content:
        raise Refused("fetchmailrc: there is a NUL in it")
    whole = shape(_text(content))
    plain = reader(whole.without(whole.idle_words()))
    own = int(plain.settings["poll_interval"])
    every = own if own > 0 else interval
    again = own if own > 0 else min(every, AGAIN)
    remarks = []
    if own <= 0 and _sets(whole, "daemon"):
        remarks.append(f"fetchmailrc: it has no usable `set daemon`; mail is fetched every {every} seconds")
    active = [record for record in plain.servers if record["active"]]
    if not active:
        return Split([], [*remarks, "fetchmailrc: it names no server to poll, so nothing is fetched"])
    if not any(whole.idles(server, account) for server in whole.servers for account in server.accounts):
        return Split([_polling(whole.text, every)], remarks)
    if sum(_mailboxes(record) for record in active) == 1:
        return Split([_alone(reader, whole, plain, active[0], every, again)], remarks)
    processes, more = _apart(reader, whole, plain, every, again)
    return Split(processes, remarks + more)


def _sets(whole: Shape, name: str) -> bool:
    return any(whole.text[word.start : word.end] == name for word in whole.settings.words)


def _mailboxes(server: Record) -> int:
    return sum(max(1, len(user["mailboxes"])) for user in server["users"])


def _polling(text: str, every: int) -> Process:
    return Process(text.encode("latin-1"), every, "fetchids", "polls")


def _alone(reader: Reader, whole: Shape, plain: Dump, server: Record, every: int, again: int) -> Process:
    """One mailbox in all: the file is run as it is written."""
    skipped = [word for part in _skipped(whole) for word in part.words]
    text = whole.without(skipped)
    found = reader(text)
    if not _same(_expected(plain, [server]), found, but=("idle",)):
        raise Refused("fetchmailrc: fetchmail reads it in two ways, with `idle` and without")
    [user] = found.servers[0]["users"]
    if not user["idle"] or server["protocol"] not in _WAITING:
        return _polling(text, every)
    return Process(text.encode("latin-1"), again, "fetchids", _does(server, user))


def _skipped(whole: Shape) -> Iterator[Part]:
    for server in whole.servers:
        if server.name == "skip":
            yield server.head
            yield from server.accounts


def _apart(reader: Reader, whole: Shape, plain: Dump, every: int, again: int) -> tuple[list[Process], list[str]]:
    """A process for each folder that is waited in, and one for the rest."""
    counted = [len(server.accounts) for server in whole.servers]
    if counted != [len(record["users"]) for record in plain.servers]:
        raise _unsplit()
    remarks: list[str] = []
    waiting = list(_waiting(whole, plain, remarks))
    processes = [_one(reader, whole, plain, place, again) for place in waiting]
    rest = _rest(reader, whole, plain, waiting, every)
    if len(processes) + len(rest) > 1:
        words = f"{len(processes)} processes wait for mail (idle), each in one folder"
        remarks.append(f"fetchmailrc: {words}{', and one polls the rest' if rest else ''}")
    return rest + processes, remarks


def _unsplit() -> Refused:
    return Refused(
        "fetchmailrc: fetchmail cannot wait (idle) in several folders or accounts at a time, and this file cannot be "
        "taken apart faithfully; give each account with idle a `poll` of its own, with its folders after `folder`"
    )


def _waiting(whole: Shape, plain: Dump, remarks: list[str]) -> Iterator[_Place]:
    for at, (server, record) in enumerate(zip(whole.servers, plain.servers, strict=True)):
        for number, (account, user) in enumerate(zip(server.accounts, record["users"], strict=True)):
            if not record["active"] or not whole.idles(server, account):
                continue
            if record["protocol"] not in _WAITING:
                remarks.append(
                    f"fetchmailrc: idle means nothing with {record['protocol']}, so {user['remote']} at "
                    f"{record['pollname']} is polled"
                )
                continue
            folders = max(1, len(user["mailboxes"]))
            for folder in range(folders):
                yield _Place(at, number, folder, folders)


def _one(reader: Reader, whole: Shape, plain: Dump, place: _Place, again: int) -> Process:
    server = whole.servers[place.server]
    account = server.accounts[place.account]
    gone = whole.idle_words()
    more = "idle"
    if place.folders > 1:
        names = whole.folders(server, account)
        if len(names) != place.folders:
            raise _unsplit()
        name = names[place.folder]
        more = f"folder {whole.text[name.start : name.end]} idle"
        for part in whole.parts():
            gone += part.folder_words()
    for other in whole.servers:
        for part in other.accounts:
            if part is not account:
                gone += part.words
        if other is not server:
            gone += other.head.words
    # What is not there any more when this account's own part is empty stands at the end of its server's options.
    last = (account.words or server.head.words)[-1]
    text = whole.without(gone, (last.end, more))
    record = plain.servers[place.server]
    user = record["users"][place.account]
    one = {**record, "users": [{**user, "mailboxes": user["mailboxes"][place.folder : place.folder + 1]}]}
    found = reader(text)
    if not _same(_expected(plain, [one]), found, but=("idle",)) or not found.servers[0]["users"][0]["idle"]:
        raise _unsplit()
    mailbox = one["users"][0]
    which = [record["pollname"], record["via"], user["remote"], *mailbox["mailboxes"]]
    mark = hashlib.sha256("\0".join(map(str, which)).encode()).hexdigest()[:12]
    return Process(text.encode("latin-1"), again, f"fetchids.{mark}", _does(record, mailbox))


def _does(server: Record, user: Record) -> str:
    folder = f", folder {user['mailboxes'][0]}" if user["mailboxes"] else ""
    return f"waits for mail of {user['remote']} at {server['via'] or server['pollname']}{folder}"


def _rest(reader: Reader, whole: Shape, plain: Dump, waiting: list[_Place], every: int) -> list[Process]:
    """What is left when these have processes of their own: one process, or none."""
    taken = {(place.server, place.account) for place in waiting}
    gone = whole.idle_words()
    expected: list[Record] = []
    for at, (server, record) in enumerate(zip(whole.servers, plain.servers, strict=True)):
        left = []
        for number, account in enumerate(server.accounts):
            if (at, number) in taken:
                gone += account.words
            else:
                left.append(record["users"][number])
        if left:
            expected.append({**record, "users": left})
        else:
            gone += server.head.words
    if not any(record["active"] for record in expected):
        return []
    text = whole.without(gone)
    if not _same(_expected(plain, expected), reader(text)):
        raise _unsplit()
    return [_polling(text, every)]


def _expected(plain: Dump, servers: list[Record]) -> Dump:
    return Dump(plain.settings, servers)


def _same(one: Dump, other: Dump, but: tuple[str, ...] = ()) -> bool:
    """Whether two readings agree in everything but these options of the accounts."""

    def bare(reading: Dump) -> list[Record]:
        return [
            {
                **server,
                "users": [{name: value for name, value in user.items() if name not in but} for user in server["users"]],
            }
            for server in reading.servers
        ]

    return one.settings == other.settings and bare(one) == bare(other)
