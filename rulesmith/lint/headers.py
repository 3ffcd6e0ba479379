"""Header fields: the names that mail has, and those that a regexp begins with."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Of mail as it is sent and delivered; in lower case.
_COMMON = """
    from to cc bcc subject date sender reply-to message-id in-reply-to references received return-path delivered-to
    x-original-to envelope-to list-id list-post list-unsubscribe list-subscribe list-help list-owner list-archive
    mailing-list x-mailing-list x-loop x-been-there x-beenthere precedence auto-submitted errors-to x-mailer user-agent
    mime-version content-type content-transfer-encoding content-disposition organization x-spam x-spam-flag
    x-spam-status x-spam-level x-spam-score x-spam-checker-version x-spam-report x-spamd-result x-spamd-bar
    x-rspamd-server x-rspamd-action x-rspamd-queue-id x-bogosity x-virus-scanned x-priority importance
    authentication-results dkim-signature received-spf apparently-to resent-from resent-to resent-cc resent-date
    x-mailman-version x-gm-thrid x-envelope-from x-envelope-to thread-topic
    """
HEADERS = frozenset(_COMMON.split())
# Rare ones, that a name near them is not a slip.
_RARE = """
    resent-sender resent-message-id resent-reply-to content-language content-id content-description content-length
    content-md5 content-location expires newsgroups followup-to distribution path lines xref supersedes status x-status
    x-keywords keywords comments encrypted priority sensitivity x-face face feedback-id list-software list-name
    list-id-x arc-seal arc-message-signature arc-authentication-results domainkey-signature disposition-notification-to
    return-receipt-to thread-index accept-language x-originating-ip x-sender x-feed x-feedname x-mailinglist
    x-mailing-list-name x-list x-listname original-recipient reporting-mta final-recipient bounces-to abuse-reports-to
    posted-to mail-followup-to mail-reply-to in-replyto x-to x-from x-cc x-subject approved archived-at autocrypt
    fwd-from errors x-sent x-date x-topic topic tags category x-category x-tag x-label labels label
    sender-id send-to bounce-to from-name x-gmail-labels owner ticket
    """
KNOWN = HEADERS | frozenset(_RARE.split())
_NAME = r"[A-Za-z0-9][A-Za-z0-9-]*"
_BEGIN = re.compile(
    rf"""(?P<open>\(?) (?P<caret>\^?) (?P<stem>(?:[A-Za-z][A-Za-z0-9-]*)?)
         (?:\((?:\?:)?(?P<names>{_NAME}:?(?:\|{_NAME}:?)*)\))? (?P<tail>[A-Za-z0-9-]*) [ ]? :""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Named:
    """The field names that a regexp begins with, whether `^` comes first, and where the value begins."""

    anchored: bool
    names: tuple[str, ...]
    end: int


def named(regexp: str) -> Named | None:
    """What a regexp like `^To:` or `^(To|Cc):` names; None for any other."""
    begin = _BEGIN.match(regexp)
    if begin is None:
        # `^(To:|Cc:)`
        inner = re.match(rf"(\^?)\((?:\?:)?({_NAME}:(?:\|{_NAME}:)+)\)", regexp)
        if inner is None:
            return None
        return Named(bool(inner[1]), tuple(name.rstrip(":") for name in inner[2].split("|")), inner.end())
    middle = begin["names"].split("|") if begin["names"] else [""]
    names = tuple(begin["stem"] + each.rstrip(":") + begin["tail"] for each in middle)
    if not all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name) for name in names):
        return None
    return Named(bool(begin["caret"]), names, begin.end())


def one_slip(name: str) -> str | None:
    """The common field name that one slip of the finger away from `name` is: a letter more, less, other or swapped."""
    lower = name.lower()
    if lower in KNOWN or len(lower) < 4:
        return None
    return next((known for known in sorted(HEADERS) if len(known) > 3 and _near(lower, known)), None)


def _near(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    rest, its = one[at:], other[at:]
    if len(one) == len(other):
        return rest[1:] == its[1:] or (rest[:2] == its[:2][::-1] and rest[2:] == its[2:])
    return rest[1:] == its if len(one) > len(other) else rest == its[1:]
