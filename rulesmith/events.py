"""fdm's log lines for what happens: events of the engine and of deliveries become text with a level.

People grep for these lines, so they are fdm's own (level 1 is `-v`, 2 is `-vv`, 3 is `-vvv`). Every event is
written once, in the table at the end; nothing else but wording.py knows how fdm puts things.
"""

from __future__ import annotations

from rulesmith.conditions import condition
from rulesmith.wording import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.mail.message import Message

# What fdm calls the deliveries in its log, where that is not the word of the configuration.
_KINDS = {"exec": "pipe", "append": "write"}


def kind(word: str) -> str:
    """The name of an action in the log: exec is `pipe` there, append is `write`."""
    return _KINDS.get(word, word)


def explain_term(term: tuple[Any, ...]) -> str:
    """A condition in the words of `fdm -nvv`, without its `not`, `and` or `or`."""
    return text_of(condition(term[2]).explain(term[3]))


def _tried(rule: Any, position: int, own: bool | None, result: bool | None, message: Any) -> str:
    return f"tried {explain_term(rule[2][position])}, result now {int(bool(result))}"


def _deliver_user(user: Any) -> str:
    name, uid, gid, home = user
    return f"deliver user is: {text_of(name)} ({uid}/{gid}), home is: {text_of(home)}"


def _took(rule: Any, name: bytes, index: int, word: str, user: Any, number: int, seconds: float) -> str:
    return f"message {number} delivered (rule {rule[0]}, {kind(word)}) in {seconds:.3f} seconds"


def _running(rule: Any, name: bytes, index: int, word: str, user: Any, number: int) -> str:
    return f"message {number}, running action {text_of(name)}:{index} ({kind(word)}) as user {text_of(user[0])}"


# event -> (level, how its arguments become text).
EVENTS: dict[str, tuple[int, Callable[..., str]]] = {
    # reading
    "fetch-started": (2, lambda pid: f"fetch started, pid {pid}"),
    "user-is": (2, lambda uid: f"user is {uid}"),
    "started": (2, lambda: "started processing"),
    "fetching": (2, lambda: "fetching"),
    "found-lines": (2, lambda lines, body: f"found {lines} lines, {body} in body"),
    "message-id": (2, lambda value: f"message-id is: {text_of(value)}"),
    "no-message-id": (2, lambda: "message-id not found"),
    "bad-date": (2, lambda: "bad date header, using current time"),
    "wrapped": (2, lambda lines: f"found {lines} wrapped lines"),
    "got": (1, lambda number, size, body: f"got message {number}: size {size}, body {body}"),
    # matching
    "tried": (3, _tried),
    "finished": (3, lambda rule, holds: f"finished rule {rule[0]}, result {int(holds)}"),
    "matched": (2, lambda rule: f"matched to rule {rule[0]}"),
    "entering": (2, lambda rule: "entering nested rules"),
    "leaving": (2, lambda rule: "exiting nested rules"),
    "age": (2, lambda age, now, then: f"time difference is {age} (now {now}, then {then})"),
    "no-attachments": (3, lambda: "no attachments"),
    "matching-to-cache": (2, lambda path, key: f"matching to cache {text_of(path)}: {text_of(key)}"),
    "opened-cache": (3, lambda path, count: f"opened cache {text_of(path)}: {count} keys"),
    "expired-cache": (3, lambda path, count: f"cache {text_of(path)}: expired {count} keys"),
    "command-started": (2, lambda c, status, expr: f"{text_of(c)}: started (ret={status} re={text_of(expr)})"),
    "command-output": (3, lambda command, line: f"{text_of(command)}: out: {text_of(line)}"),
    "command-found": (3, lambda command: f"{text_of(command)}: found. stopping early"),
    "command-returned": (2, lambda c, status, found: f"{text_of(c)}: returned {status}, found {int(found)}"),
    "looking-for-actions": (2, lambda pattern: f"looking for actions matching: {text_of(pattern)}"),
    "found-actions": (2, lambda count: f"found {count} actions"),
    # delivering
    "job": (2, _running),
    "deliver-started": (2, lambda pid: f"deliver started, pid {pid}"),
    "deliver-user": (2, _deliver_user),
    "tagging": (2, lambda name, value: f"tagging message: {text_of(name)} ({text_of(value)})"),
    "adding-header": (2, lambda name: f"adding header: {text_of(name)}"),
    "removing-header": (2, lambda pattern: f"removing header: {text_of(pattern)}"),
    "piping": (2, lambda command: f'piping to "{text_of(command)}"'),
    "executing": (2, lambda command: f'executing "{text_of(command)}"'),
    "rewriting": (2, lambda command: f'rewriting using "{text_of(command)}"'),
    "rewritten": (2, lambda size: f"using new mail, size {size}"),
    "modified": (2, lambda number, size, body: f"message {number}, received modified mail: size {size}, body {body}"),
    "writing": (2, lambda path: f"writing to {text_of(path)}"),
    "appending": (2, lambda path: f"appending to {text_of(path)}"),
    "writing-stdout": (2, lambda: "writing to stdout"),
    "saving-maildir": (2, lambda path: f"saving to maildir {text_of(path)}"),
    "creating": (2, lambda path: f"creating {text_of(path)}"),
    "moving": (2, lambda old, new: f"moving {text_of(old)} to {text_of(new)}"),
    "saving-mbox": (2, lambda path: f"saving to mbox {text_of(path)}"),
    "quoting": (2, lambda line: f"quoting from line: {text_of(line)}"),
    "from-line": (3, lambda line: f"using from line: {text_of(line)}"),
    "saving-to-cache": (2, lambda path, key: f"saving to cache {text_of(path)}: {text_of(key)}"),
    "removing-from-cache": (2, lambda path, key: f"removing from cache {text_of(path)}: {text_of(key)}"),
    "together": (1, lambda count, seconds: f"{count} mailboxes of Dovecot have it, in {seconds:.3f} seconds"),
    "performed": (1, _took),
    "moving-failed": (2, lambda path: f"{text_of(path)}: moving failed"),
    "waiting-for-lock": (3, lambda path, seconds: f"{text_of(path)}: sleeping {seconds:.3f} seconds for lock"),
    # folders as accounts
    "trying": (3, lambda path: f"trying path: {text_of(path)}"),
    "saving-mbox-account": (2, lambda path, kept, total: f"{text_of(path)}: saving mbox: {kept} kept, {total} total"),
    # ending
    "deleting": (1, lambda number: f"deleting message {number}"),
    "keeping": (1, lambda number: f"keeping message {number}"),
    "finished-processing": (2, lambda: "finished processing. exiting"),
}


def introduce(message: Message, about: dict[bytes, bytes], trace: Callable[..., None]) -> None:
    """What fdm says of a mail before its rules are tried (`-vv`)."""
    if message.date() is None:
        trace("bad-date")
    trace("found-lines", int(about[b"lines"]), int(about[b"body_lines"]))
    if b"message_id" in about:
        trace("message-id", about[b"message_id"])
    else:
        trace("no-message-id")
    head = message.raw[: message.body_at]
    trace("wrapped", head.count(b"\n ") + head.count(b"\n\t"))
