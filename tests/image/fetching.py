"""A provider of mail and installations that fetch from it."""

from __future__ import annotations

import asyncio
import socket

import aioimaplib

from tests.image.house import ANSWER, Container, trusting

PASSWORD = "correct horse: battery"
GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
DELIVER = "/usr/libexec/dovecot/deliver -d {user}"
SCAN = "rspamc --mime | /usr/libexec/dovecot/deliver -d {user}"
SORT = "rspamc --mime | /usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"


def rc(provider: Container, mailbox: str, mda: str, more: str = "idle", folder: str = "INBOX") -> str:
    """An entry as the seed has it, but for the name of the provider, which no certificate bears."""
    return (
        f"poll {provider.address} protocol IMAP port 993\n"
        f"      user '{mailbox}' there with ssl with password '{PASSWORD}' folder '{folder}' {more} ssl keep\n"
        f'      no sslcertck mda "{mda.format(user=mailbox)}"\n'
    )


def letter(subject: str, body: bytes = b"Hello.", more: str = "") -> bytes:
    """A message that can be told from others by its subject."""
    return f"From: Bob <bob@example.org>\nTo: me@example.com\nSubject: {subject}\n{more}\n".encode() + body + b"\n"


def near(container: Container) -> str:
    """The address of this machine under which a container reaches it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect((container.address, 9))
        found: str = link.getsockname()[0]
        return found


def subjects(container: Container, user: str, folder: str = "INBOX") -> list[str]:
    """The subjects of a folder, read over IMAPS by aioimaplib; in the order of the folder."""
    return asyncio.run(_subjects(container, user, folder))


async def _subjects(container: Container, user: str, folder: str) -> list[str]:
    client = aioimaplib.IMAP4_SSL(container.address, 993, timeout=ANSWER, ssl_context=trusting(None))
    closed = asyncio.Event()
    client.protocol.conn_lost_cb = lambda _: closed.set()
    await client.wait_hello_from_server()
    try:
        answer = await client.login(user, PASSWORD)
        assert answer.result == "OK", answer
        if (await client.select(folder)).result != "OK":
            return []
        answer = await client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        lines = [bytes(line).decode() for line in answer.lines if isinstance(line, bytearray)]
        return [line.strip().removeprefix("Subject: ") for line in lines]
    finally:
        await client.logout()
        # aioimaplib leaves the connection to the server to end, and the loop would be gone before that.
        client.protocol.transport.close()
        await asyncio.wait_for(closed.wait(), ANSWER)
