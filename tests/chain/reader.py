"""Reads mailboxes as a mail client does: IMAPS, the certificate checked, every message whole."""

from __future__ import annotations

import asyncio
import ssl
from itertools import pairwise
from pathlib import Path

from aioimaplib import IMAP4_SSL

from tests.chain.dovecot import PASSWORD


def mailbox(port: int, authority: Path, user: str, folder: str = "INBOX") -> list[tuple[bytes, bytes]]:
    """Each message's flags and octets, with LF for the line ends of IMAP; nothing is marked as seen."""
    return asyncio.run(_read(port, authority, user, folder))


async def _read(port: int, authority: Path, user: str, folder: str) -> list[tuple[bytes, bytes]]:
    client = IMAP4_SSL("localhost", port, timeout=30, ssl_context=ssl.create_default_context(cafile=str(authority)))
    closed = asyncio.Event()
    client.protocol.conn_lost_cb = lambda _: closed.set()
    await client.wait_hello_from_server()
    try:
        answer = await client.login(user, PASSWORD)
        assert answer.result == "OK", answer
        answer = await client.select(folder)
        if answer.result != "OK":
            return []
        answer = await client.fetch("1:*", "(FLAGS BODY.PEEK[])")
        # Two lines a message: what it is, and the literal.
        lines = [bytes(line) for line in answer.lines]
        found = []
        for about, literal in pairwise(lines):
            if about.endswith(b"}"):
                assert int(about[about.rindex(b"{") + 1 : -1]) == len(literal)
                found.append((about, literal.replace(b"\r\n", b"\n")))
        return found
    finally:
        await client.logout()
        # aioimaplib leaves the connection to the server to end, and the loop would be gone before that.
        client.protocol.transport.close()
        await asyncio.wait_for(closed.wait(), 30)


def texts(port: int, authority: Path, user: str, folder: str = "INBOX") -> list[bytes]:
    """`mailbox` without the flags."""
    return [text for _, text in mailbox(port, authority, user, folder)]
