"""rspamd for commands that people and timers run: httpx, with the once-per-message client's requests and replies."""

from __future__ import annotations

import os

import httpx

from rulesmith.limits import SCAN_REPLY_OCTETS
from rulesmith.scan import reply, request
from rulesmith.scan.no_verdict import NoVerdict
from rulesmith.scan.server import Server


class Rspamd:
    """One rspamd, asked with a limit of `seconds` for each step (connecting, sending a piece, waiting for one).

    `password` is what a controller may want to hear; `version` is what the last answer said of itself, or nothing.
    """

    def __init__(self, url: bytes, seconds: float, password: bytes = b"") -> None:
        """Raises NoVerdict when the URL is none."""
        self.server = Server(url)
        self.version = ""
        path = self.server.path
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=os.fsdecode(path) if path is not None else None),
            base_url="http://" + self.server.name().decode(),
            timeout=seconds,
            headers={b"Password": password} if password else None,
            # A proxy of the environment is for the web.
            trust_env=False,
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def ping(self) -> bool:
        """Whether it answers as rspamd does. Raises NoVerdict when nobody answers."""
        status, body = self._ask("GET", request.PING, b"", [])
        return status == 200 and body.strip() == b"pong"

    def learn(self, kind: str, raw: bytes, user: bytes) -> tuple[int, bytes]:
        """Teach it a message as "spam" or "ham", for `user` if any; HTTP's status and body. Raises NoVerdict."""
        return self._ask("POST", request.LEARN[kind], raw, [(b"Deliver-To", user)])

    def learned(self) -> dict[str, int]:
        """How many messages the controller says each class of its Bayes classifier has learned. Raises NoVerdict."""
        status, body = self._ask("GET", request.STAT, b"", [])
        if status != 200:
            raise NoVerdict("error", f"{self.server}: rspamd answers {status}")
        found = {}
        for each in reply.parse(body).get("statfiles") or []:
            if isinstance(each, dict) and isinstance(each.get("revision"), int):
                found[str(each.get("symbol"))] = each["revision"]
        return found

    def _ask(self, method: str, target: bytes, raw: bytes, told: list[tuple[bytes, bytes]]) -> tuple[int, bytes]:
        body = b""
        try:
            with self._client.stream(method, target.decode(), content=raw, headers=request.fields(told)) as answer:
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > SCAN_REPLY_OCTETS:
                        raise NoVerdict("error", "the answer is too long")
                self.version = reply.version(answer.headers.get("Server", "").encode()).decode()
                return answer.status_code, body
        except httpx.ConnectError as error:
            raise NoVerdict("unreachable", f"{self.server}: {error}") from None
        except httpx.TimeoutException:
            raise NoVerdict("timeout", f"{self.server}: no answer in time") from None
        except httpx.HTTPError as error:
            raise NoVerdict("error", f"{self.server}: {error}") from None
