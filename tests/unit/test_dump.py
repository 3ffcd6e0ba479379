"""The configuration as `fdm -nvv` prints it; what is expected here was printed by fdm 2.2."""

from __future__ import annotations

from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.dump import dump
from rulesmith.compiler.environment import Holdings, Imagined

USUAL = (
    'maximum-size=33554432, timeout=900, default-user="user", command-user="user", file-umask=077, '
    'queue-high=2, queue-low=1, strip-characters="\\<>$%^&*|{}[]"\'`;"'
)


def lines(
    text: str,
    level: int = 3,
    files: dict[str, bytes] | None = None,
    keep_all: bool = False,
    allow_multiple: bool = False,
) -> list[str]:
    holdings = Holdings(files=files or {}, groups={b"staff": 50}, outputs={"echo hi": "hi\n", "echo 4": "4\n"})
    compiled = compile_text("conf", text, Imagined(holdings))
    dumped = dump(compiled, b"user", keep_all=keep_all, allow_multiple=allow_multiple)
    return [line.decode() for at, line in dumped if at <= level]


def test_every_kind_of_item_is_shown() -> None:
    text = """action "b" users { "x" "%a" } {
 drop keep stdout tag "a" tag "a" value "b%1" tag "a" value "" maildir "~/x"
 mbox "q" mbox "q" compress exec "c" pipe "c" rewrite "x" write "a" append "~/b" add-header "A" "B"
 remove-header "A" remove-headers { "A" "B" } add-to-cache "a" key "k" to-cache "~/b" key "k"
 remove-from-cache "%%d" key "%1" smtp server "h" smtp server "h" port 26 from "f" to "t" lmtp server "h"
 lmtp server "/s" to "x" lmtp server "h" port 25 from "q" to "t" imap server "h" user "u" pass "p"
 imaps server "h" port 12 user "u" pass "p" folder "f%1" no-verify action "a" actions { "a" "b" } }
"""
    assert lines(text)[0] == (
        'added action "b": users="x" "%a" deliver=0:drop 1:keep 2:stdout 3:tag "a" 4:tag "a" value "b%1" '
        '5:tag "a" value "" 6:maildir "~/x" 7:mbox "q" 8:mbox "q" compress 9:exec "c" 10:pipe "c" 11:rewrite "x" '
        '12:write "a" 13:append "~/b" 14:add-header "A" value "B" 15:remove-header "A" 16:remove-header "A" "B" '
        '17:add-to-cache "a" key "k" 18:add-to-cache "/home/user/b" key "k" 19:remove-from-cache "%d" key "%1" '
        '20:smtp server "h" port smtp to "" 21:smtp server "h" port 26 to "t" 22:lmtp-inet "h" port "24" to "(null)" '
        '23:lmtp-unix "/s" to "x" 24:lmtp-inet "h" port "25" to "t" 25:imap server "h" port imap folder "INBOX" '
        '26:imaps server "h" port 12 folder "f%1" 27:action "a" 28:action "a" "b" '
    )


def test_every_condition_is_shown() -> None:
    text = """account "stdin" stdin
match case "a%%b" in headers and not case "c" or string "%1" to "q" and exec "~/c" user "q" returns (1,) action "u"
match pipe "c" returns (,case "q") or exec "c" returns (5,"q") user "b" actions { "q" "r" } continue
match age < 5 days and age > 1 or age invalid and in-cache "~/b" key "%1" action action "u"
match attachment count != 1 or attachment total-size < 4K or attachment any-size > 4 or attachment any-type "q" {
match attachment any-name "w" and accounts { "stdin" "b%1" } or tagged q
 or size < 5 and matched or unmatched action drop
}
""".replace("tagged q", 'tagged "q"')
    shown = lines(text)[1:-3]
    assert shown[0] == (
        'added rule 0: matches=regexp "a%b" in headers and not regexp "c" in any or string "%1" to "q" '
        'and exec "~/c" user "q" returns (1, ) actions="u"'
    )
    assert shown[1] == (
        'added rule 1: users="b" matches=pipe "c" returns (, "q") or exec "c" returns (5, "q") actions="q" "r"'
    )
    assert shown[2] == (
        "added rule 2: matches=age < 432000 seconds and age > 1 seconds or age invalid "
        'and in-cache "/home/user/b" key "%1" lambda=0:action "u" '
    )
    assert shown[3] == (
        "added rule 3: matches=attachment count != 1 or attachment total-size < 4096 or attachment any-size > 4 "
        'or attachment any-type "q" nested'
    )
    assert shown[4] == (
        'added rule 4: matches=attachment any-name "w" and account "stdin" "b%1" or tagged q or size < 5 '
        "and matched or unmatched lambda=0:drop "
    )


def test_every_source_is_shown() -> None:
    text = """account "a" disabled user "u" stdin keep
account "b" pop3s server "h" port 99 user "u" pass "p" no-apop
account "c" pop3 pipe "cmd %%" user "a" pass "b" old-only cache "q"
account "d" imaps server "h" user "u" pass "p" folders { "f" "g" } new-only
account "e" imap pipe "cmd"
account "f" imap pipe "cmd" user "u" pass "p" folder "x"
account "g" maildirs { "m" "~/n" }
account "h" mbox "m"
account "i" nntps server "h" user "u" pass "p" groups { "g" "h" } cache "c"
"""
    assert [line.partition(":")[2] for line in lines(text)[:-3]] == [
        ' users="u" fetch=stdin',
        ' fetch=pop3s server "h" port 99 user "u"',
        ' fetch=pop3 pipe "cmd %" user "a"',
        ' fetch=imaps server "h" port imaps user "u" folders "f" "g"',
        ' fetch=imap pipe "cmd" folders "INBOX"',
        ' fetch=imap pipe "cmd" user "u" folders "x"',
        ' fetch=maildir "m" "/home/user/n"',
        ' fetch=mbox "m"',
        ' fetch=nntp server "h" port nntps groups "g" "h" cache "c"',
    ]


def test_options_come_last_with_their_defaults() -> None:
    assert lines("") == ["configuration loaded", "locking using: flock ", f"options are: {USUAL}"]


def test_options_that_are_set_come_in_the_order_of_fdm() -> None:
    text = """set strip-characters "abc" set lock-wait set lock-timeout 1 minute set lock-file "/x"
set parallel-accounts 3 set queue-high 50 set queue-low 0 set file-group "staff" set file-umask 27
set unmatched-mail drop set command-user "cu" set default-user "du" set timeout 2 weeks set maximum-size 1G
set purge-after 5 set ignore-errors set verify-certificates set delete-oversized set no-received set no-create
set lock-types none set proxy "socks://u:p@h"
"""
    shown = lines(text, keep_all=True, allow_multiple=True)
    assert shown[:3] == ["configuration loaded", "using proxy: SOCKS5 on h:socks", "locking using: none"]
    assert shown[3] == (
        "options are: allow-multiple, no-received, keep-all, delete-oversized, verify-certificates, ignore-errors, "
        'purge-after=5, maximum-size=1073741824, timeout=1209600, default-user="du", command-user="cu", '
        "unmatched-mail=drop, file-umask=027, file-group=50, queue-high=50, queue-low=0, parallel-accounts=3, "
        'lock-file="/x", lock-timeout=60, lock-wait, strip-characters="abc"'
    )


def test_macros_commands_and_includes_stand_where_fdm_reads_them() -> None:
    text = """$a = "1"
%b = 3
$c = $(echo hi) + "x"
set timeout %(echo 4)
include "x"
match all action "x" include "x" match all {
 $f = "2" match all action drop } action "x" drop"""
    assert lines(text, files={"x": b'$z = "3"\n'})[:-3] == [
        'added macro "$a": "1"',
        'added macro "%b": 3',
        "running command: echo hi",
        'added macro "$c": "hix"',
        "running command: echo 4",
        "including file x",
        "finished file x",
        'added macro "$z": "3"',
        'added rule 0: matches=all actions="x"',
        "including file x",
        "finished file x",
        'added macro "$z": "3"',
        "added rule 1: matches=all nested",
        'added macro "$f": "2"',
        "added rule 2: matches=all lambda=0:drop ",
        'added action "x": deliver=0:drop ',
    ]


def test_macros_and_commands_are_for_vvv() -> None:
    assert lines('$c = $(echo hi)\ncache "a" expire 4 days\n', level=2)[0] == 'added cache "a": expire 345600'


def test_a_refused_configuration_is_shown_up_to_its_fault() -> None:
    assert lines('cache "a"\nmatch all {\ncache "b"\nset timeout 0\ncache "c"\n}\n') == [
        'added cache "a": expire -1',
        "added rule 0: matches=all nested",
        'added cache "b": expire -1',
    ]
