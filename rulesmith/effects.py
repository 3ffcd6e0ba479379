"""What the engine asks of the world: plain tuples, yielded by `evaluate`, answered by a driver.

A driver answers with `send`, or with `throw(Failure(text))` when the thing could not be done.

    (DELIVER, kind, args, user, raw)              -> dict of tags to set (bytes to bytes), maybe empty
    (RUN, purpose, command, stdin, user, until)   -> (status, output)
    (LOOK_UP, path, key)                          -> bool
    (REMEMBER, path, key), (FORGET, path, key)    -> None
    (WHO, name)                                   -> (name, uid, gid, home) or None
    (AHEAD, effects)                              -> None

`kind` is the word of the action and `args` are listed in program.py, all templates expanded. `purpose` is the
word that runs the command: "exec", "pipe" and "rewrite" for actions, "condition" for conditions. `stdin` is
octets, or None for /dev/null. `until`, where not None, is called with each line of output and stops the command
by returning True. `status` is the exit status, or None when `until` stopped it; death by a signal and
running out of time are failures. `output` is the standard output as octets, empty unless the purpose is
"rewrite". `user` is (name, uid, gid, home); names and homes are bytes. `effects` are pipes of the same message, which
will be asked for next, in this order, as long as none fails; only a driver that wants to know is told (evaluate.py).
"""

from __future__ import annotations

DELIVER = "deliver"
RUN = "run"
LOOK_UP = "look up"
REMEMBER = "remember"
FORGET = "forget"
WHO = "who"
AHEAD = "ahead"


class Failure(Exception):
    """Something could not be done; the text says what, in fdm's words where fdm has some.

    The mail must stay where it is: every door turns it into "try again later" (EX_TEMPFAIL).
    """

    def __init__(self, text: str | bytes) -> None:
        self.text = text if isinstance(text, str) else text.decode("utf-8", "surrogateescape")
        super().__init__(self.text)


class Stopped(BaseException):
    """Somebody wants the run to end. Whoever is at work undoes what is half done and kills what it waits for."""


class Stopping:
    """What the handler of a signal and the run tell each other.

    `asked` is the name of the signal that came, "" before. While `held`, the handler raises nothing: a delivery
    is being made and written down, and gets a moment to come to its end. `over`: Stopped is raised already.
    """

    __slots__ = ("asked", "held", "over")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As in a new process."""
        self.asked = ""
        self.held = False
        self.over = False

    def heed(self) -> None:
        """A safe point. Raises Stopped if somebody asked."""
        if self.asked and not self.over:
            self.over = True
            raise Stopped(self.asked)


stopping = Stopping()
