"""`account` statements: where mail comes from. Their fetch arguments, as the program has them:

    stdin ()  maildir, mbox (paths,)
    pop3, pop3s (host, port, user, password, only, cache, flags)  imap, imaps (…, password, folders, only, flags)
    pop3-pipe (command, user, password, only, cache, flags)       imap-pipe (command, user, password, folders, only)
    nntp, nntps (host, port, user, password, groups, cache, flags)

Everything is octets but `only` ("new-only", "old-only" or None) and the flags, which are words; user and password
may be None, paths, folders and groups are tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rulesmith.compiler.scope import Scope
    from rulesmith.syntax.tree import Phrase, Text

Args = tuple[Any, ...]


def lower_fetch(fetch: Phrase, scope: Scope) -> Args:
    """The arguments of a source."""
    return () if fetch.word == "stdin" else _FETCHES[fetch.word](fetch, scope)


def explain_fetch(word: str, args: Args) -> bytes:
    """A source in the words of `fdm -nvv`."""
    name = word.encode()
    if word == "stdin":
        return name
    if word in ("maildir", "mbox"):
        return name + b" " + _quoted(args[0])
    if word in ("pop3-pipe", "imap-pipe"):
        user = b"" if args[1] is None else b' user "%s"' % args[1]
        text = b'%s pipe "%s"%s' % (name[:4], args[0], user)
        return text if word == "pop3-pipe" else text + b" folders " + _quoted(args[3])
    server = b'%s server "%s" port %s' % (name, args[0], args[1])
    if word in ("nntp", "nntps"):
        # fdm prints nntps as nntp here.
        return b'nntp server "%s" port %s groups %s cache "%s"' % (args[0], args[1], _quoted(args[4]), args[5])
    server += b' user "%s"' % (args[2] or b"")
    return server if word in ("pop3", "pop3s") else server + b" folders " + _quoted(args[4])


def _quoted(texts: tuple[bytes, ...]) -> bytes:
    return b" ".join(b'"%s"' % text for text in texts)


def _paths(fetch: Phrase, scope: Scope) -> Args:
    return (tuple(scope.load_path(path, "invalid path") for path in fetch.args[0]),)


def _folders(folders: tuple[Text, ...], scope: Scope) -> tuple[bytes, ...]:
    return scope.load_listed(folders, "invalid folder") if folders else (b"INBOX",)


def _pop3(fetch: Phrase, scope: Scope) -> Args:
    server, user, password, only, cache, flags = fetch.args
    host, port = scope.server(server, fetch.word)
    name, secret = scope.login(user, password, host, fetch.span, True)
    if fetch.word == "pop3s" and "starttls" in flags:
        _tls_twice(fetch, scope)
    return host, port, name, secret, only, None if cache is None else scope.load_path(cache), tuple(flags)


def _pop3_pipe(fetch: Phrase, scope: Scope) -> Args:
    command, user, password, only, cache, flags = fetch.args
    name, secret = scope.load_text(user, "invalid user"), scope.load_text(password, "invalid pass")
    line = scope.load_text(command, "invalid pipe command")
    return line, name, secret, only, None if cache is None else scope.load_path(cache), tuple(flags)


def _imap(fetch: Phrase, scope: Scope) -> Args:
    server, user, password, folders, only, flags = fetch.args
    host, port = scope.server(server, fetch.word)
    name, secret = scope.login(user, password, host, fetch.span, True)
    chosen = _folders(folders, scope)
    if fetch.word == "imaps" and "starttls" in flags:
        _tls_twice(fetch, scope)
    return host, port, name, secret, chosen, only, tuple(flags)


def _imap_pipe(fetch: Phrase, scope: Scope) -> Args:
    command, user, password, folders, only = fetch.args
    name = None if user is None else scope.load_text(user, "invalid user")
    secret = None if password is None else scope.load_text(password, "invalid pass")
    chosen = _folders(folders, scope)
    return scope.load_text(command, "invalid pipe command"), name, secret, chosen, only


def _nntp(fetch: Phrase, scope: Scope) -> Args:
    server, user, password, groups, cache, flags = fetch.args
    host, port = scope.server(server, fetch.word)
    # News can be read without logging in: only half a login must be completed.
    name, secret = scope.login(user, password, host, fetch.span, user is not None or password is not None)
    chosen = scope.load_listed(groups, "invalid group")
    return host, port, name, secret, chosen, scope.load_path(cache, "invalid cache"), tuple(flags)


def _tls_twice(fetch: Phrase, scope: Scope) -> None:
    scope.error(
        "tls-twice",
        fetch,
        f"a connection of {fetch.word} is encrypted already",
        hint=f"{fetch.word[:-1]} server … starttls",
        fdm=f"use either {fetch.word} or set starttls",
    )


_FETCHES = {
    "maildir": _paths,
    "mbox": _paths,
    "pop3": _pop3,
    "pop3s": _pop3,
    "pop3-pipe": _pop3_pipe,
    "imap": _imap,
    "imaps": _imap,
    "imap-pipe": _imap_pipe,
    "nntp": _nntp,
    "nntps": _nntp,
}
