"""Ports for servers that a test starts."""

from __future__ import annotations

import contextlib
import socket


def reserved_port(stack: contextlib.ExitStack) -> int:
    """A port that nobody else is given until the stack ends, but on which a server can listen at once.

    The server has to set SO_REUSEADDR, as Dovecot and rspamd do: Linux lets two such sockets have a port as long as
    only one of them listens.
    """
    holder = stack.enter_context(socket.socket())
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    return port
