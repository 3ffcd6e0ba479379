"""What fdm refuses when it reads a configuration, with fdm's own words; every line was tried on fdm 2.2."""

from __future__ import annotations

import pytest

from rulesmith.compiler.compile import Compiled, compile_text
from rulesmith.compiler.defines import read_defines
from rulesmith.compiler.environment import Holdings, Imagined

LONG = "a" * 64


def compiled(text: str, **holdings: object) -> Compiled:
    return compile_text("conf", text, Imagined(Holdings(**holdings)))  # type: ignore[arg-type]


REFUSED = {
    # accounts
    'account "" stdin': "invalid account name",
    'account "%1" stdin': "invalid account name",
    f'account "{LONG}" stdin': f"account name too long: {LONG}",
    'account "a" stdin account "%1a" stdin': "duplicate account: a",
    'account "a" user {"" "b"} stdin': "empty string in list",
    'account "a" maildir ""': "invalid path",
    'account "a" maildir {"" "b"}': "invalid path",
    'account "a" mbox "%1"': "invalid path",
    'account "a" pop3 server "" user "" pass ""': "invalid host",
    'account "a" pop3 server "h" user "" pass ""': "invalid user",
    'account "a" pop3 server "h" user "a" pass ""': "invalid pass",
    'account "a" pop3 server "h" port "" user "a" pass ""': "invalid port",
    'account "a" pop3 server "h" port 0 user "a" pass "b"': "invalid port",
    'account "a" pop3 server "" port 65536 user "a" pass "b"': "invalid port",
    'account "a" imap server "h" user "a" pass "b" folder ""': "invalid folder",
    'account "a" imap server "h" user "a" pass "b" folders {"a" ""}': "empty string in list",
    'account "a" nntp server "h" user "a" pass "b" group "" cache ""': "invalid group",
    'account "a" nntp server "h" user "a" pass "b" group "a" cache ""': "invalid cache",
    'account "a" pop3 pipe "" user "" pass ""': "invalid user",
    'account "a" pop3 pipe "" user "b" pass "c"': "invalid pipe command",
    'account "a" imap pipe ""': "invalid pipe command",
    'account "a" pop3s server "h" user "a" pass "b" starttls': "use either pop3s or set starttls",
    'account "a" imaps server "h" user "a" pass "b" starttls': "use either imaps or set starttls",
    'account "a" imaps server "h" user "b"': "/home/user/.netrc: No such file or directory",
    'account "" pop3 server "" user "" pass ""': "invalid host",
    # actions
    'action "" drop': "invalid action name",
    f'action "{LONG}" drop': f"action name too long: {LONG}",
    'action "a" drop action "a" drop': "duplicate action: a",
    'action "" { tag "" }': "invalid tag",
    'action "a" maildir ""': "invalid path",
    'action "a" mbox "" compress': "invalid path",
    'action "a" exec ""': "invalid command",
    'action "a" pipe ""': "invalid command",
    'action "a" rewrite ""': "invalid command",
    'action "a" write ""': "invalid path",
    'action "a" append ""': "invalid path",
    'action "a" add-header "" ""': "invalid header",
    'action "a" remove-header ""': "invalid header",
    'action "a" remove-headers {"a" ""}': "empty string in list",
    'action "a" add-to-cache "" key ""': "invalid path",
    'action "a" remove-from-cache "a" key ""': "invalid key",
    'action "a" smtp server ""': "invalid host",
    'action "a" smtp server "a" port ""': "invalid port",
    'action "a" lmtp server "" port 26': "invalid host",
    'action "a" imap server "" user "b" pass ""': "invalid host",
    'action "a" imap server "a" user "" pass "b"': "invalid user",
    'action "a" imap server "h"': "/home/user/.netrc: No such file or directory",
    'action "a" imaps server "h" user "a" pass "b" starttls': "use either imaps or set starttls",
    'action "a" action ""': "invalid action name",
    'action "a" action {"" "b"}': "empty string in list",
    'action "a" users {"" "b"} drop': "empty string in list",
    # rules
    'match all action ""': "invalid action name",
    'match all action {"" "b"}': "empty string in list",
    'match all user {"" "n"} action "b"': "empty string in list",
    'match account "c" action drop': "no matching accounts: c",
    'match account "%[x]" action drop': "no matching accounts: %[x]",
    'match account "" action drop': "invalid account name",
    'match account {"" "b"} action drop': "empty string in list",
    'match exec "" returns (1,) action drop': "invalid command",
    'match pipe "|" returns (1,) action drop': "invalid command",
    'match exec "" user "" returns (,) action drop': "invalid command",
    'match exec "a" returns (,) action drop': "return code or regexp must be specified",
    'match exec "" returns (256,) action drop': "invalid return code",
    'match tagged "" action drop': "invalid tag",
    'match string "" to "" action drop': "invalid string",
    'match in-cache "%1" key "a" action drop': "invalid path",
    'match in-cache "a" key "" action drop': "invalid key",
    "match age > 0 days action drop": "invalid time",
    'match attachment any-type "" action drop': "invalid string",
    'match "(" action drop': "missing closing parenthesis",
    'match string "a" to "*" action drop': "quantifier does not follow a repeatable item",
    # caches
    'cache "a" cache "a"': "duplicate cache path",
    'cache "~/a" cache "%h/a"': "duplicate cache path",
    # settings
    'set proxy "http://"': "invalid proxy",
    'set proxy "http://u@h"': "invalid proxy",
    'set proxy "http://h:"': "invalid proxy",
    'set proxy "HTTP://h"': "invalid proxy",
    "set file-umask 8": "invalid umask: 008",
    "set file-umask 1000": "invalid umask: 1000",
    "set file-umask 123456789": "invalid umask: 1234567",
    'set file-group ""': "invalid group",
    'set file-group "no%1such"': "unknown group: nosuch",
    "set file-group 99999": "unknown gid: 99999",
    "set file-group 4294967296": "invalid gid: 4294967296",
    "set queue-low 5": "queue-high not specified",
    "set queue-high 9 set queue-low 9": "queue-low must be smaller than queue-high",
    "set queue-high 50 set queue-low 3 set queue-high 3": "queue-high must be larger than queue-low",
    "set queue-high 0": "zero queue-high",
    "set queue-high 51": "queue-high too big: 51",
    "set queue-high 3 set queue-low 51": "queue-low too big: 51",
    "set parallel-accounts 0": "parallel-accounts cannot be zero",
    "set parallel-accounts 2147483648": "parallel-accounts too big: 2147483648",
    "set purge-after 0": "invalid purge-after value: 0",
    "set purge-after 4294967296": "purge-after value too large: 4294967296",
    "set timeout 0": "zero timeout",
    "set timeout 2147484": "timeout too long: 2147484",
    "set maximum-size 0": "zero maximum size",
    "set maximum-size 1025M": "maximum size too large: 1074790400",
    "set lock-types fcntl flock": "fcntl and flock locking cannot be used together",
    # ours (fdm-dialect, L85): fdm would write to a file called ~nosuch
    'match all action maildir "~nosuch/a"': "unknown user: nosuch",
    'cache "~nosuch/a"': "unknown user: nosuch",
}


@pytest.mark.parametrize(("text", "words"), REFUSED.items(), ids=REFUSED)
def test_it_is_refused_in_the_words_of_fdm(text: str, words: str) -> None:
    found = compiled(text)
    assert found.program is None
    assert found.refusal is not None
    assert found.refusal.fdm == words
    assert found.refusal.message[-1] != "."


ACCEPTED = [
    'account "a" user "" stdin',
    'account "a" nntp server "h" group "g" cache "c"',
    'account "a" pop3 server "h" user "a" pass "b" new-only cache ""',
    'match account "x" action drop account "x" stdin',
    'account "a" stdin match account "[a-c]" action drop',
    'action "a" exec "|"',
    'action "a" add-header "a" ""',
    'action "a" imap server "a" user "a" pass "b" folder ""',
    'match exec "%1" returns (255, "") action drop',
    "match size < 0 action drop",
    'cache ""',
    'cache "a" cache "./a"',
    "set lock-types none dotlock",
    'set proxy "http://h/"',
    "set lock-timeout 0",
    'action "a" maildir "~root/x"',
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_it_is_accepted_as_by_fdm(text: str) -> None:
    found = compiled(text, users=[(b"root", 0, 0, b"/root")])
    assert found.refusal is None
    assert found.program is not None


def test_the_refusal_is_that_of_the_first_faulty_statement() -> None:
    found = compiled('cache "a"\nmatch tagged "" action drop\nset timeout 0\ncache "a"\n')
    assert found.refusal is not None
    assert (found.refusal.fdm, found.refusal.at.span.line) == ("invalid tag", 2)
    assert [each.fdm for each in found.diagnostics] == ["invalid tag", "zero timeout", "duplicate cache path"]


def test_a_syntax_error_above_comes_first() -> None:
    found = compiled('match all actoin "x"\nset timeout 0\n')
    assert found.refusal is not None
    assert found.refusal.fdm == "unknown token: actoin"


def test_what_could_not_be_read_is_not_reported_again_for_its_value() -> None:
    found = compiled("set timeout %nosuch\n")
    assert [each.fdm for each in found.diagnostics] == ["undefined macro: %nosuch"]


def test_names_of_torn_definitions_are_not_called_unknown() -> None:
    found = compiled('action "inbox" maildri "x"\nmatch all action "inbox"\n')
    assert [each.name for each in found.diagnostics if each.name == "unknown-action"] == []
    assert found.program is None


@pytest.mark.parametrize(
    ("define", "words"),
    [
        ("x", "invalid macro: x"),
        ("%a=-1", "number is too small: -1"),
        ("%a=99999999999999999999", "number is too large: 99999999999999999999"),
        ("%a=5 ", "number is invalid: 5 "),
        ("%a=", "number is invalid: "),
        ("$" + "a" * 63, "macro name too long: $" + "a" * 63),
    ],
)
def test_a_faulty_define_refuses(define: str, words: str) -> None:
    macros, faults = read_defines([define])
    found = compile_text("conf", "match all action drop", Imagined(macros=macros), faults)
    assert found.refusal is not None
    assert found.refusal.fdm == words


def test_the_first_define_of_a_name_wins_and_no_value_is_empty() -> None:
    macros, faults = read_defines(["$a=b=c", "$a=x", "%n", "$e"])
    assert (macros, faults) == ({"$a": "b=c", "%n": 0, "$e": ""}, [])
