"""Who does what: root becomes the user a delivery is for, everybody else stays what he is (fdm(1))."""

from __future__ import annotations

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    User = tuple[bytes, int, int, bytes]


def must_switch(user: User) -> bool:
    """Whether something that is done for `user` needs another process."""
    return user[1] != posix.geteuid() and posix.geteuid() == 0
