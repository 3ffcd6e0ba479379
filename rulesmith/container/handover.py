"""A fetchmailrc in which messages go to `rulesmith serve` by LMTP, in place of a program for each (`mda`).

Only where that program is fdm with nothing but the user's rules, and nothing in the file is meant for another way by
SMTP: any other account keeps its mda, with the reason for the log. What comes out is compared with what fetchmail reads
in the user's own file.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from rulesmith.container.passwd import Refused
from rulesmith.container.rc_shape import Part, Server, Shape, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rulesmith.container.configdump import Dump, Record
    from rulesmith.container.places import Places
    from rulesmith.container.rc_words import Word

    Reader = Callable[[str], Dump]

_FDM = re.compile(r"(rspamc[ \t]+--mime[ \t]*\|)?[ \t]*(?:exec[ \t]+)?/usr/bin/fdm((?:[ \t]+\S+)+)[ \t]*")
_OWN_RULES = ("~/fdm.conf", "$HOME/fdm.conf", '"$HOME/fdm.conf"', "${HOME}/fdm.conf")
# Settings of an account that mean nothing beside `mda`, and something by LMTP; and what they are in most files.
_OTHER_WAYS = {
    "bsmtp": None,
    "lmtp": False,
    "smtphunt": ["localhost"],
    "smtpname": None,
    "smtpaddress": None,
    "antispam": "",
    "fetchdomains": [],
    "forcecr": False,
}
# One name, which fetchmail hides behind `smtpname`; another form of address it would hand over as it is.
_ONE_NAME = re.compile(r"""\["[\w.+-]+"\]""", re.ASCII)
_SCAN = re.compile(rb'^[ \t]*set[ \t]+scan[ \t]+"([^"\n]*)"', re.MULTILINE)
_INCLUDES = re.compile(rb"\binclude\b")
_SAYS_MORE = re.compile(rb"\binclude\b|\bset\s+scan\b")


class Handed(NamedTuple):
    """A user's file with its accounts handed over. Without any, `recipient` is empty, and `text` what it was.

    `recipient` stands for the name that the service of each process gives itself.
    """

    text: str
    recipient: str
    remarks: list[str]


class _Account(NamedTuple):
    server: Server
    part: Part
    poll: Record
    user: Record
    why: str  # it is left as it is; empty: it is not


def scans_all(places: Places, rules: bytes) -> bool:
    """Whether the settings for all users ask for the scan, and one's own rules say nothing else of it."""
    try:
        site = places.site.read_bytes()
    except OSError:
        return False
    asked = _SCAN.findall(site)
    return bool(asked and asked[-1]) and not _INCLUDES.search(site) and not _SAYS_MORE.search(rules)


def reason(mda: str | None, scanned: bool) -> str:
    """Why a program cannot be done without; empty where it can. `scanned`: the rules have every message scanned."""
    found = _FDM.fullmatch(mda or "")
    if not found:
        return "its mda is no fdm with the user's rules" if mda else "it has no mda"
    words = found[2].split()
    if words.pop() != "fetch":
        return "its mda does something else than `fetch`"
    left = iter(words)
    said: dict[str, str] = {}
    for word in left:
        if word in ("-a", "-f") and word not in said:
            said[word] = next(left, "")
        elif not re.fullmatch(r"-[lmvq]+", word):
            return f"its mda has {word!r}, which only fdm can do"
    if said.get("-f") not in _OWN_RULES or said.get("-a") != "stdin":
        return "its mda does not say `-a stdin -f ~/fdm.conf`"
    if found[1] and not scanned:
        return (
            "it is scanned by `rspamc --mime`; with `set scan` in /config/etc/rulesmith.conf, and nothing of it in "
            "fdm.conf, rulesmith does that itself"
        )
    return ""


def hand_over(places: Places, user: str, reader: Reader, text: str, scanned: bool) -> Handed:
    """The file with every account that allows it. Raises Refused where fetchmail does not read the file at all."""
    recipient = "deliver-" + hashlib.sha256(user.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    whole = shape(text)
    plain = reader(whole.without(whole.idle_words()))
    counted = [len(server.accounts) for server in whole.servers]
    if counted != [len(record["users"]) for record in plain.servers] or recipient in text:
        return _untouched(text, "it is not clear which account has which `mda`")
    accounts = list(_accounts(whole, plain, scanned))
    remarks = [_remark(each) for each in accounts if each.poll["active"]]
    if all(each.why for each in accounts):
        return Handed(text, "", remarks)
    made = shape(_rewritten(whole, accounts, f'smtphost "{places.handover}" lmtp smtpname "{recipient}"'))
    try:
        same = _expected(plain, accounts, str(places.handover), recipient) == _bare(
            reader(made.without(made.idle_words()))
        )
    except Refused:
        same = False
    if not same:
        return _untouched(text, "fetchmail would read something else in it")
    return Handed(made.text, recipient, remarks)


def _untouched(text: str, why: str) -> Handed:
    return Handed(text, "", [f"fetchmailrc: delivered by `mda`, as {why}"])


def _accounts(whole: Shape, plain: Dump, scanned: bool) -> Iterator[_Account]:
    for server, poll in zip(whole.servers, plain.servers, strict=True):
        for part, user in zip(server.accounts, poll["users"], strict=True):
            why = reason(user["mda"], scanned) if poll["active"] else "it is skipped"
            odd = [name for name, value in _OTHER_WAYS.items() if user[name] != value]
            odd += [name for name in ("stripcr",) if whole.value(server, part, name)]
            if not why and (odd or poll["plugout"]):
                why = f"it has settings for another way: {' '.join(odd) or 'plugout'}"
            elif not why and not _ONE_NAME.fullmatch(user["localnames"]):
                why = "it says who gets the mail here (`is`, `to`)"
            yield _Account(server, part, poll, user, why)


def _remark(account: _Account) -> str:
    who = f"fetchmailrc: mail of {account.user['remote']} at {account.poll['pollname']} is delivered by "
    return who + (f"`mda`, as {account.why}" if account.why else "LMTP")


def _rewritten(whole: Shape, accounts: list[_Account], instead: str) -> str:
    """Every `mda` is taken out, and each account gets what is its own."""
    gone: list[Word] = []
    for part in whole.parts():
        gone += part.option_words("mda", whole.text)
    added = []
    for each in accounts:
        program = whole.value(each.server, each.part, "mda")
        if each.why:
            own = f"mda {whole.text[program.start : program.end]}" if program else ""
        last = (each.part.words or each.server.head.words)[-1]
        added.append((last.end, own if each.why else instead))
    return whole.without(gone, *added)


def _bare(dump: Dump) -> tuple[Record, list[Record]]:
    return dump.settings, dump.servers


def _expected(plain: Dump, accounts: list[_Account], socket: str, recipient: str) -> tuple[Record, list[Record]]:
    """What fetchmail shall read: the same, but for how messages are handed over."""
    changed = {id(each.user): each for each in accounts if not each.why}
    # Only for a program fetchmail takes the CR off the lines by itself.
    by_lmtp = {"mda": None, "smtphunt": [socket], "lmtp": True, "smtpname": recipient, "stripcr": False}

    def of_server(server: Record) -> Record:
        users = [{**user, **by_lmtp} if id(user) in changed else user for user in server["users"]]
        return {**server, "users": users}

    return plain.settings, [of_server(server) for server in plain.servers]
