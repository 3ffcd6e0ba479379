"""Configurations and mail whose every text tries to be markup, and the report about them."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from rulesmith.cli import rulesmith

ATTACKS = (
    '<script>fetch("http://127.0.0.1:9/a")</script><img src="http://127.0.0.1:9/b" onerror="alert(1)">',
    '"></td></tr></table><style>*{display:none}</style><svg onload=alert(2)>',
    "]]></desc></svg><iframe src='javascript:alert(3)'></iframe>&lt;b&gt; &amp;",
    "<!-- --><base href=http://127.0.0.1:9/><meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
)
DELIVER = "/usr/libexec/dovecot/deliver -d me@example.org"
START = f"""\
set no-received
set strip-characters ""
account "stdin" stdin
action "inbox" pipe "{DELIVER}"
match "^Subject: plain" in headers action pipe "{DELIVER} -m Lists"
"""
OLD = START + 'match all action "inbox"\n'
# 12 of 40 go on to a folder that the mail names, 4 are dropped, 4 are left.
NEW = (
    START
    + 'match "^X-Gone" in headers action drop\n'
    + f'match "^X-Folder: (.*)" in headers action pipe "{DELIVER} -m \'%1\'"\n'
    + 'match not "^X-Left" in headers action "inbox"\n'
)


def hostile_report(folder: Path) -> Path:
    """The path of the report: 40 messages, 20 of them change."""
    odd = folder / "<img src=x onerror=alert(4)>&\"'"
    (odd / "mail").mkdir(parents=True)
    for number in range(40):
        attack = ATTACKS[number % 4]
        field = "X-Gone: 1\n" if number < 4 else "X-Left: 1\n" if number < 8 else ""
        field += f"X-Folder: {attack.replace(chr(39), '')}\n" if 8 <= number < 20 else ""
        subject = "plain" if number >= 30 else attack
        text = f"From: <b>@x\nSubject: {subject}\nMessage-ID: <{number}{attack}>\n{field}\nbody\n"
        (odd / "mail" / f"<u>{number:02}.eml").write_text(text)
    for name, text in (("old.conf", OLD), ("new.conf", NEW)):
        (odd / name).write_text(text)
        (odd / name).chmod(0o600)
    page = folder / "report.html"
    words = ["diff", str(odd / "old.conf"), str(odd / "new.conf"), "--mail", str(odd / "mail"), "--html", str(page)]
    result = CliRunner().invoke(rulesmith, words)
    assert result.exit_code == 1, result.output
    return page
