"""Servers, and accounts that fetch: what must parse here, and acts where there are servers."""

from __future__ import annotations

from tests.differential.maker import Maker
from tests.differential.tags import tagged

HOSTS = ("mail.example.org", "127.0.0.1", "%[hostname]", "h")
POP_FLAGS = ("no-apop", "no-verify", "no-uidl", "starttls", "insecure")
IMAP_FLAGS = ("no-verify", "no-cram-md5", "no-plain", "no-login", "starttls", "insecure", "oauthbearer", "xoauth2")
# fdm's flags set each other on the action (L97).
IMAP_ACTION_FLAGS = ("no-verify", "no-cram-md5", "no-plain", "no-login", "starttls", "xoauth2")


def server(maker: Maker, hosts: tuple[str, ...] = HOSTS) -> list[str]:
    tokens = ["server", maker.spelled(maker.one(hosts))]
    way = maker.number(0, 2)
    if way == 1:
        maker.note("port string")
        tokens += ["port", maker.spelled(maker.one(("imap", "1143", "smtp", "%%x")))]
    elif way == 2:
        maker.note("port number")
        tokens += ["port", maker.spelled_number(maker.one((1, 25, 993, 65535)))]
    return tokens


def login(maker: Maker) -> list[str]:
    return [
        "user",
        maker.spelled(maker.one(("bob", "%[nosuch]u", "b b"))),
        "pass",
        maker.spelled(maker.one(("secret", "p\\w", '"'))),
    ]


def flags(maker: Maker, words: tuple[str, ...], secure: bool) -> list[str]:
    """Some of them, in their order."""
    chosen = []
    for word in words:
        if not (secure and word == "starttls") and maker.chance(30):
            maker.note("flag " + word)
            chosen.append(word)
    return chosen


def mail_server(maker: Maker, kind: str) -> list[str]:
    tokens = server(maker, (*HOSTS, "/run/lmtp") if kind == "lmtp" else HOSTS)
    for word in ("from", "to"):
        if maker.chance(75):
            maker.note(f"{kind} {word}")
            tokens += [word, maker.spelled(maker.one(("a@b", "", None)) or tagged(maker))]
    return tokens


def imap_action(maker: Maker, secure: bool = False) -> list[str]:
    tokens = server(maker) + login(maker)
    if maker.chance(50):
        maker.note("imap action folder")
        tokens += [maker.one(("folder", "folders")), maker.spelled("f" + tagged(maker))]
    return tokens + flags(maker, IMAP_ACTION_FLAGS, secure)


def fetching(maker: Maker, kind: str) -> list[str]:
    """What follows the name of an account that fetches from a server."""
    secure = kind.endswith("s")
    if kind in ("pop3", "pop3s"):
        return [kind, *server(maker), *login(maker), *_only(maker, cache=True), *flags(maker, POP_FLAGS, secure)]
    if kind in ("imap", "imaps"):
        tokens = [kind, *server(maker), *login(maker), *_folders(maker), *_only(maker, cache=False)]
        return [*tokens, *flags(maker, IMAP_FLAGS, secure)]
    if kind in ("nntp", "nntps"):
        word = maker.one(("group", "groups"))
        maker.note("word " + word)
        tokens = [kind, *server(maker), *login(maker), *_list(maker, word, ("comp.x", "a.b.%d", "alt"))]
        return [*tokens, "cache", maker.spelled("news.cache"), *flags(maker, ("no-verify", "insecure"), secure)]
    kind = kind.removesuffix(" pipe")
    tokens = [kind, "pipe", maker.spelled(maker.one(("ssh host popd", "cat")))]
    if kind == "pop3":
        return [*tokens, *login(maker), *_only(maker, cache=True), *flags(maker, ("no-apop",), secure)]
    if maker.chance(50):
        tokens += login(maker)
    return [*tokens, *_folders(maker), *_only(maker, cache=False)]


def _only(maker: Maker, cache: bool) -> list[str]:
    if not maker.chance(50):
        return []
    word = maker.one(("new-only", "old-only"))
    maker.note("word " + word)
    return [word, "cache", maker.spelled("pop.cache")] if cache else [word]


def _folders(maker: Maker) -> list[str]:
    if not maker.chance(60):
        return []
    word = maker.one(("folder", "folders"))
    maker.note("word " + word)
    return _list(maker, word, ("INBOX", "Sent %y", "a/b"))


def _list(maker: Maker, word: str, values: tuple[str, ...]) -> list[str]:
    if maker.chance(50):
        return [word, maker.spelled(maker.one(values))]
    maker.note("list of accounts' words")
    return [word, "{", *(maker.spelled(value) for value in maker.some(values, 1, 3)), "}"]
