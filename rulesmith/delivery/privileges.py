"""Who does what: root becomes the user a delivery is for, everybody else stays what he is (fdm(1))."""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rulesmith.delivery.world import World

    User = tuple[bytes, int, int, bytes]


def must_switch(user: User) -> bool:
    """Whether something that is done for `user` needs another process."""
    return user[1] != posix.geteuid() and posix.geteuid() == 0


def as_user(
    user: User,
    world: World,
    function: Callable[[Any, bytes, User, World], dict[bytes, bytes]],
    args: Any,
    raw: bytes,
) -> dict[bytes, bytes]:
    """`function(args, raw, user, world)`, done by `user` where we are root and he is not.

    Warnings and trace events reach `world` in their order, while the other process works. Raises Failure: the
    function's own, or one that says how the other process ended without an answer.
    """
    if not must_switch(user):
        return function(args, raw, user, world)
    from rulesmith.delivery import other_user  # root's deliveries only

    return other_user.call(user, world, function, args, raw)
