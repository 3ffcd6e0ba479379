"""What root does as another user: in a process of its own, which tells what there is to say."""

from __future__ import annotations

import _signal
import marshal
import posix

from rulesmith import environment
from rulesmith.delivery.world import World
from rulesmith.effects import Failure, stopping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    User = tuple[bytes, int, int, bytes]


def switch(user: User) -> None:
    """Become `user` for good: uid, primary group, no other groups. Raises OSError."""
    _, uid, gid, _ = user
    posix.setgroups(())
    posix.setresgid(gid, gid, gid)
    posix.setresuid(uid, uid, uid)


def call(
    user: User,
    world: World,
    function: Callable[[Any, bytes, User, World], dict[bytes, bytes]],
    args: Any,
    raw: bytes,
) -> dict[bytes, bytes]:
    """`function(args, raw, user, world)`, done by `user`.

    Warnings and trace events reach `world` in their order, while the other process works. Raises Failure: the
    function's own, or one that says how the other process ended without an answer.
    """
    listen, tell = posix.pipe()
    pid = posix.fork()
    if not pid:
        try:
            posix.close(listen)
            _work(user, world, function, args, raw, tell)
        finally:
            # Never back into our caller's code, whatever happened.
            posix._exit(1)  # noqa: SLF001  # documented as os._exit
    posix.close(tell)
    answer: Any = None
    try:
        with open(listen, "rb") as stream:
            answer = _listen(stream, world)
    except BaseException:
        posix.kill(pid, _signal.SIGTERM)
        raise
    finally:
        status = posix.waitpid(pid, 0)[1]
    if answer is None:
        how = f"got signal: {posix.WTERMSIG(status)}" if posix.WIFSIGNALED(status) else f"exited with {status >> 8}"
        raise Failure("child " + how)
    if isinstance(answer, str):
        raise Failure(answer)
    tags: dict[bytes, bytes] = answer
    return tags


def _work(user: User, world: World, function: Any, args: Any, raw: bytes, tell: int) -> None:
    """The other process: one record for each thing said, the last is the tags or the text of the failure."""

    def say(*record: Any) -> None:
        data = marshal.dumps(record)
        data = len(data).to_bytes(4, "little") + data
        while data:
            data = data[posix.write(tell, data) :]

    # Our parent says when we end. Where everybody is told at once (a service manager, Ctrl-C), we have its grace too:
    # it waits for our answer, and what we have stored must not be called a failure.
    stopping.forget()
    stopping.held = True
    try:
        switch(user)
        there = World(
            world.settings,
            world.account,
            world.hostname,
            lambda text: say("warn", text),
            lambda *event: say("trace", *event),
            world.level,
        )
        tags = function(args, raw, user, there)
    except Failure as failure:
        say("end", failure.text)
    except Exception as error:  # noqa: BLE001
        # Whatever it is, our caller shall not take a dead process for a stored message.
        if not isinstance(error, OSError):
            import traceback  # a fault of ours, which is told in full

            for line in traceback.format_exc().splitlines():
                say("warn", line.encode("utf-8", "backslashreplace"))
        say("end", f"{environment.text_of(user[0])}: {error}")
    else:
        say("end", tags)


def _listen(stream: Any, world: World) -> Any:
    """Pass on what is said; the last record's answer, None without one."""
    while True:
        head = stream.read(4)
        body = stream.read(int.from_bytes(head, "little"))
        if len(head) < 4 or not body:
            return None
        word, *rest = marshal.loads(body)  # noqa: S302  (our own child wrote it)
        if word == "end":
            return rest[0]
        if word == "warn":
            world.warn(*rest)
        else:
            world.trace(*rest)
