"""What a scan loads on the way of a message: a socket and a JSON reader in C, and no library around them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.scan.rspamd import Rspamd

ROOT = Path(__file__).parents[2]
RUN = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
import rulesmith.mda
before = set(sys.modules)
from rulesmith.scan import scan
from rulesmith.scan.no_verdict import CAUSES
settings = {{
    "scan-timeout": 10, "scan-failure": dict.fromkeys(CAUSES, ("defer", None)), "scan-maximum-size": None,
    "trusted-hops": ((None, (b"*.example",)),), "scan": sys.argv[1].encode(),
}}
raw = b"Received: from a (b.example [192.0.2.1]) by c; Fri, 15 Jan 2027 08:00:20 +0000\\nSubject: weight\\n\\nHello\\n"
_, verdict = scan(raw, settings, b"stdin", b"me", 0, lambda: None, print)
assert verdict["action"]
print(*sorted(set(sys.modules) - before))
"""


def test_a_scan_loads_no_library(rspamd: Rspamd) -> None:
    command = [sys.executable, "-I", "-S", "-c", RUN, rspamd.normal]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    names = ("client", "envelope", "fields", "hops", "network", "no_verdict", "policy", "received", "reply", "request",
             "response", "server")  # fmt: skip
    ours = {"rulesmith.scan", "rulesmith.mail.glob_automaton", *(f"rulesmith.scan.{name}" for name in names)}
    assert set(run.stdout.split()) <= ours | {"_json", "_socket", "binascii"}
