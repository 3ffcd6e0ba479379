"""What rspamd 3.12.1 answers, recorded (some symbols left out): every form in which it asks for fields.

Rules asked for them with `set_milter_reply`, as text and as a table, once and twice; and with lua_mime's
`modify_headers` in both of its modes. rspamd 3.4, which the other tests run, has the same forms; what is new since
(`thresholds`, `passthrough_module`) says nothing that the message is to bear.
"""

from __future__ import annotations

import json
from pathlib import Path

from rulesmith.mail import header
from tests.scan.asking import ask
from tests.scan.scripted import ok, rspamd, says

REWRITTEN, JUDGED = json.loads(Path(__file__).with_name("rspamd-3.12.1.json").read_bytes())
HEAD = b"From: Alice <alice@example.com>\nSubject: lunch\n"
UNWANTED = (
    b"X-Unwanted: 1\nX-Second: kept\nX-Unwanted: 2\nX-Second: 2\nX-Some: 1\nX-Some: kept\nX-Some: 3\nX-Gone: 1\n"
    b"X-Gone-Too: 1\nX-Gone-Too: 2\nX-Gone-Too: kept\nX-Spam: forged\n"
)


def _judged(said: dict[str, object], raw: bytes) -> tuple[bytes, dict[str, object]]:
    with rspamd(says(ok(json.dumps(said).encode(), b"Server: rspamd/3.12.1"))) as server:
        text, verdict = ask(raw, server.url)
    assert verdict is not None
    return text, verdict


def test_every_form_of_a_field_is_understood() -> None:
    text, verdict = _judged(JUDGED, HEAD + UNWANTED + b"\nbody\n")
    assert text.startswith(HEAD + b"X-Second: kept\nX-Some: kept\nX-Gone-Too: kept\nX-Spam-Scanner: rspamc 3.12.1 (")
    fields = [each.rstrip(b"\n") for each in header.fields(text[: header.boundary(text)])]
    at = next(number for number, each in enumerate(fields) if each.startswith(b"X-Spam-Symbols: "))
    assert sorted(fields[at + 1 :]) == [
        b"",
        b"X-Mod-One: c",
        b"X-Mod-Text: d",
        b"X-Mod-Texts: f",
        b"X-Mod: b",
        b"X-New-Text: h",
        b"X-New: g",
        b"X-Order: first",
        b"X-Order: second",
        b"X-Plain: from a rule",
        b"X-Twice: one",
        b"X-Twice: two",
    ]
    assert text.endswith(b"\n\nbody\n")
    assert verdict == {
        "score": 6.5,
        "required": 15.0,
        "action": b"add header",
        "symbols": {
            b"HFILTER_HOSTNAME_UNKNOWN": 2.5, b"FROM_HAS_DN": 0.0, b"DATE_IN_FUTURE": 4.0, b"MIME_GOOD": -0.1,
        },
    }  # fmt: skip


def test_a_pre_result_rewrites_the_subject() -> None:
    text, verdict = _judged(REWRITTEN, HEAD + b"X-Spam: forged\n\nbody\n")
    assert text.startswith(HEAD.replace(b"lunch", b"*** lunch") + b"X-Spam-Scanner: ")
    assert verdict == {"score": 0.0, "required": 15.0, "action": b"rewrite subject", "symbols": {}}
