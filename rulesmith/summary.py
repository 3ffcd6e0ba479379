"""One line for each mail, from its sender to its folders. Loaded only where RULESMITH_SUMMARY asks for it.

    user: <id> from x@y "subject", score 3.2/15 → rule 3 (fdm.conf:12) → alias@example.com/Received

It goes to standard error, with one write of less than a pipe takes at once, so that lines of several processes do
not mix; as text or as a JSON object. RULESMITH_LOG_PRIVATE leaves subjects and addresses out.
"""

from __future__ import annotations

import posix

from rulesmith import environment
from rulesmith.effects import DELIVER, RUN, Failure
from rulesmith.mail import address, header
from rulesmith.mail.words import cut, printable, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rulesmith.delivery.drive import Steps
    from rulesmith.delivery.entry import Entry
    from rulesmith.evaluate import Asking, Verdict

# What a pipe takes at once (PIPE_BUF), and so the longest line.
LONGEST = 4096
_SUBJECT, _ADDRESS, _PLACE, _REASON = 120, 100, 120, 400
# Places that one line names.
_PLACES = 20
_AGENTS = ("deliver", "dovecot-lda")
# Characters around an `@` that belong to an address.
_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-=~!#$&*'?^`{|}…")
_DOMAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]_")


def wanted(whole: Callable[[], bytes], word: str = "stdin") -> Summary | None:
    """A summary for the message that `whole` gives, from an account of that kind; None where none is asked for."""
    form = environment.variable(b"RULESMITH_SUMMARY")
    private = bool(environment.variable(b"RULESMITH_LOG_PRIVATE"))
    return Summary(whole, word, form == b"json", private) if form else None


class Summary:
    """What one message's line will say."""

    def __init__(self, whole: Callable[[], bytes], word: str, json: bool, private: bool) -> None:
        self.whole = whole
        self.word = word
        self.json = json
        self.private = private
        self.scan: dict[str, Any] | None = None
        self.unscanned = False
        self._rules: list[tuple[int, str, int, list[str]]] = []  # number, file, line, places
        self._under_way: list[str] = []

    def event(self, event: str, *args: Any) -> None:
        """Something that the engine tells: which rule is at work, and that its work is done."""
        if event == "job":
            number, (path, line) = args[0][0], args[0][1]
            if not self._rules or self._rules[-1][:3] != (number, path.rpartition("/")[2], line):
                self._rules.append((number, path.rpartition("/")[2], line, []))
            self._under_way = ["dropped"] if args[3] == "drop" else []
        elif event == "performed":
            self._rules[-1][3].extend(self._under_way)
            self._under_way = []

    def watch(
        self, engine: Asking, scan: dict[str, Any] | None, wished: bool
    ) -> Generator[tuple[Any, ...], Any, Verdict]:
        """The engine, unchanged, while its deliveries are noted. `scan` is the verdict on a message; `wished`: there
        should be one."""
        self.scan = scan
        self.unscanned = wished and scan is None
        try:
            effect = next(engine)
            while True:
                if effect[0] == DELIVER or (effect[0] == RUN and effect[1] in ("pipe", "exec")):
                    self._under_way.append(place_of(effect))
                try:
                    answer = yield effect
                except Failure as failure:
                    effect = engine.throw(failure)
                else:
                    # What the engine does next may need the memory of what was.
                    effect = ()
                    effect = engine.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def conclude(
        self, again: bool, verdict: Verdict, why: str, problem: str, entry: Entry | None, steps: Steps | None
    ) -> None:
        """Write the line for a run that has ended. `why` it must be tried again, `problem` why it was given up;
        `again`: this was not the first try."""
        if why:
            outcome = "kept" if self.word != "stdin" else "refused"
            if entry is not None:
                outcome = "deferred" if again else "queued"
        elif problem:
            outcome = "problem"
        else:
            outcome = "delivered" if verdict.stored else "dropped" if verdict.dropped else "kept"
        progress = None if steps is None else steps.progress
        self.tell(outcome, why or problem, entry, 0 if progress is None else progress.tries)

    def tell(self, outcome: str, reason: str = "", entry: Entry | None = None, tries: int = 0) -> None:
        """Write the line. `outcome`: delivered, dropped, kept, queued, deferred, refused or problem."""
        about = self._about()
        if self.scan is not None:
            action = self.scan["action"].decode("utf-8", "backslashreplace")
            about.update(score=round(self.scan["score"], 2), required=round(self.scan["required"], 2))
            about["scan"] = printable(action)
        elif self.unscanned:
            about["scan"] = "unscanned"
        about["outcome"] = outcome
        if reason:
            about["reason"] = cut(self._free(printable(reason)), _REASON)
        if entry is not None and outcome in ("queued", "deferred"):
            about.update(queue=entry.name.decode(), tries=tries)
        about["rules"] = [
            {"rule": number, "file": cut(printable(file), _PLACE), "line": line, "to": self._shown(places)}
            for number, file, line, places in self._rules
        ]
        form = _encoded if self.json else _as_line
        line = form(about)
        while len(line.encode("utf-8", "backslashreplace")) >= LONGEST and about["rules"]:
            about["rules"] = about["rules"][: len(about["rules"]) // 2]
            line = form(about)
        try:
            posix.write(2, line.encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            # A closed standard error must not decide what becomes of the mail.
            return

    def _about(self) -> dict[str, Any]:
        head = self._header()
        about: dict[str, Any] = {"mail": 1, "user": cut(printable(user()), _ADDRESS)}
        ident = header.message_id(head) or b""
        if self.private:
            from rulesmith.mail.identity import digest

            about["id"] = f"<{digest(ident)[:4].hex()}>" if ident else ""
            return about
        about["id"] = cut(readable(ident), _PLACE)
        about["from"] = cut(readable(address.sender(head) or header.first(head, b"From") or b""), _ADDRESS)
        about["subject"] = cut(readable(header.first(head, b"Subject") or b""), _SUBJECT)
        return about

    def _header(self) -> bytes:
        try:
            raw = self.whole()
        except (OSError, Failure):
            # Whatever became of the message is said elsewhere; here it has no name.
            return b""
        return raw[: header.boundary(raw)]

    def _shown(self, places: list[str]) -> list[str]:
        shown = [cut(self._free(printable(place)), _PLACE) for place in places[:_PLACES]]
        return shown if len(places) <= _PLACES else [*shown, f"and {len(places) - _PLACES} more"]

    def _free(self, text: str) -> str:
        return without_addresses(text) if self.private else text


def sentence(about: dict[str, Any]) -> str:
    """A summary in words, without the user."""
    line = about["id"] or "(no Message-ID)"
    if "from" in about:
        line += f' from {about["from"] or "(nobody)"} "{about["subject"]}"'
    if "score" in about:
        line += f", score {about['score']:.1f}/{about['required']:.1f}"
    elif "scan" in about:
        line += ", " + about["scan"]
    for rule in about["rules"]:
        line += f" → rule {rule['rule']} ({rule['file']}:{rule['line']})"
        if rule["to"]:
            line += " → " + ", ".join(rule["to"])
    outcome, reason = about["outcome"], about.get("reason", "")
    if outcome in ("delivered", "dropped") and not reason:
        return line if about["rules"] else f"{line} → {outcome}: no rule matched"
    word = {"problem": "delivered to the problem mailbox", "refused": "it stays with the caller"}.get(outcome, outcome)
    if "queue" in about:
        word += f" ({about['queue']})"
    return f"{line}; {word}: {reason}" if reason else f"{line}; {word}"


def _as_line(about: dict[str, Any]) -> str:
    return f"{about['user']}: {sentence(about)}"


def _encoded(value: Any) -> str:
    """JSON, of which the module for it would cost more than the line."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, dict):
        return "{" + ",".join(f'"{name}":{_encoded(each)}' for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_encoded, value)) + "]"
    return repr(value)


def user() -> str:
    """Whose mail it is: the name of the home folder, which the queue keeps with each message."""
    home = (environment.variable(b"HOME") or b"").rstrip(b"/")
    return home.rpartition(b"/")[2].decode("utf-8", "backslashreplace") or "?"


def place_of(effect: tuple[Any, ...]) -> str:
    """Where a delivery goes: a mailbox with its folder, a path, or the kind and the target."""
    if effect[0] == RUN:
        return _place_of_command(effect[2].decode("utf-8", "backslashreplace"))
    kind, args = effect[1], effect[2]
    if kind in ("maildir", "mbox", "write", "append"):
        text: str = args[0].decode("utf-8", "backslashreplace")
        return text
    from rulesmith.delivery.plan import describe  # the others need it not

    return describe(effect).decode("utf-8", "backslashreplace")


def _place_of_command(command: str) -> str:
    """`NAME/FOLDER` where the command ends in Dovecot's agent, else its program: arguments may be secrets."""
    words = _words(command)
    for at, word in enumerate(words):
        if word.rpartition("/")[2] in _AGENTS:
            return _mailbox(words[at + 1 :])
    return "pipe " + (words[0] if words else "")


def _mailbox(words: list[str]) -> str:
    found = {"-d": "", "-m": ""}
    expected = ""
    for word in words:
        if expected:
            found[expected], expected = word, ""
        elif word in found:
            expected = word
        elif word[:2] in found:
            found[word[:2]] = word[2:]
        elif word == "|":
            break
    name = found["-d"] or user()
    return f"{name}/{found['-m']}" if found["-m"] else name


def _words(command: str) -> list[str]:
    """The words of a command as the shell cuts it, as far as quotes and pipes go."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    signs = iter(command)
    for sign in signs:
        if quote:
            if sign == quote:
                quote = ""
            else:
                word = (word or "") + sign
        elif sign in "'\"":
            quote, word = sign, word or ""
        elif sign == "\\":
            word = (word or "") + next(signs, "")
        elif sign.isspace() or sign in "|;&":
            if word is not None:
                words.append(word)
                word = None
            if sign in "|;&":
                words.append("|")
        else:
            word = (word or "") + sign
    return words if word is None else [*words, word]


def without_addresses(text: str) -> str:
    """The text with `…` in place of each address and Message-ID."""
    start = 0
    while (at := text.find("@", start)) >= 0:
        left, right = at, at + 1
        if text[left - 1 : left] == '"':
            left = max(text.rfind('"', 0, left - 1), 0)
        while left > start and text[left - 1] in _LOCAL:
            left -= 1
        while right < len(text) and text[right] in _DOMAIN:
            right += 1
        if left == at or right == at + 1:
            start = at + 1
            continue
        text = text[:left] + "…" + text[right:]
        start = left
    return text
