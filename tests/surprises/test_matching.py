"""L52 to L77: matching."""

from __future__ import annotations

import pytest

from tests.surprises.stage import ACCOUNT, MAIL, Stage, days_ago

CHECK = ("-n", "-f", "conf")
CRLF = MAIL.replace(b"\n", b"\r\n")
HEADERS_ONLY = MAIL.partition(b"\n\n")[0] + b"\n"
MIXED = b"""\
Subject: mime
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: text/plain

text
--B
Content-Type: application/pdf; name="a.pdf"

pdf
--B--
"""
ALTERNATIVE_LAST = b"""\
Subject: mime
Content-Type: multipart/mixed; boundary="B"

--B
Content-Type: application/pdf; name="a.pdf"

pdf
--B
Content-Type: multipart/alternative; boundary="C"

--C
Content-Type: text/plain

text
--C
Content-Type: text/html

html
--C--

--B--
"""


def matched(stage: Stage, *conditions: str, mail: bytes = MAIL, head: str = "") -> list[str]:
    """Which of the conditions hold; both programs agree on that."""
    rules = "".join(f'match {each} action write "{number}" continue\n' for number, each in enumerate(conditions))
    ours = stage.agree(head + rules, mail)
    return [each for number, each in enumerate(conditions) if ours.read(str(number)) is not None]


def test_l52_the_first_match_stops_unless_it_says_continue(stage: Stage) -> None:
    ours = stage.agree('match all action tag "x"\nmatch all action write "never"')
    assert ours.read("never") is None
    assert stage.agree('match all action tag "x" continue\nmatch tagged "x" action write "in"').read("in")


def test_l53_and_binds_no_closer_than_or(stage: Stage) -> None:
    conditions = ('"hello" or "hello" and "nosuch"', '"nosuch" and "hello" or "hello"', 'not "nosuch" and "nosuch"')
    assert matched(stage, *conditions) == ['"nosuch" and "hello" or "hello"']


def test_l54_an_area_belongs_to_one_regexp(stage: Stage) -> None:
    conditions = ('"body text" or "nosuch" in headers', '"body text" in headers or "nosuch" in headers')
    assert matched(stage, *conditions) == ['"body text" or "nosuch" in headers']


def test_l55_a_regexp_is_not_anchored(stage: Stage) -> None:
    conditions = ('"From: bob" in headers', '"^From: bob" in headers')
    assert matched(stage, *conditions, mail=b"X-Original-From: bob\n\nx\n") == ['"From: bob" in headers']


def test_l56_upper_and_lower_case_are_the_same_unless_case_is_given(stage: Stage) -> None:
    assert matched(stage, '"^SUBJECT: HELLO"', 'case "^SUBJECT: HELLO"') == ['"^SUBJECT: HELLO"']


@pytest.mark.parametrize("received", ["", "set no-received\n"])
@pytest.mark.parametrize("mail", [CRLF, HEADERS_ONLY, HEADERS_ONLY.replace(b"\n", b"\r\n")])
def test_l57_mail_with_crlf_or_without_a_body_has_headers(mail: bytes, received: str, stage: Stage) -> None:
    conf = received + 'match "^Subject: (hello)" in headers action write "%1 %[message_id] %[mail_year]"'
    ours, theirs = stage.both(conf, mail)
    assert ours.read("hello 1@example.org 2020")
    assert [path.name for path in theirs.folder.glob("hello*")] == []


def test_l57_plain_text_has_none(stage: Stage) -> None:
    conditions = ('"hello" in headers', '"hello" in body')
    assert matched(stage, *conditions, mail=b"hello, this is\nno mail: at all\n") == ['"hello" in body']


@pytest.mark.parametrize("mail", [CRLF, HEADERS_ONLY])
def test_l58_a_header_added_to_such_mail_is_a_header(mail: bytes, stage: Stage) -> None:
    ours, theirs = stage.both('match all action { add-header "X" value "y" stdout }', mail)
    end = b"\r\n" if mail is CRLF else b"\n"
    head, empty, body = mail.partition(end * 2)
    head = head.removesuffix(end)
    assert ours.out.endswith(head + end + b"X: y" + end + (end + body if empty else b""))
    assert theirs.out.endswith(b"+0000X: y\n\n" + mail)


def test_l59_fdms_own_received_line_is_searched(stage: Stage) -> None:
    conditions = ('"by .* .fdm" in headers', 'not "account .stdin."')
    assert matched(stage, *conditions) == [conditions[0]]
    assert stage.agree('set no-received\nmatch "fdm" action drop\nmatch all action write "in"').read("in")


def test_l60_submatches_are_those_of_the_last_regexp_that_was_tried(stage: Stage) -> None:
    conf = """
        match "^Subject: (.*)" action write "a-%1" continue
        match "no (such) text" action drop
        match all action write "b-%1" continue
        match "^Subject: (.*)" or "^From: (.*)" action tag "s" value "%1" continue
        match "^To: .*" and string "(x)" to "(.)" action { write "c-%1" write "d-%[s]" } continue
        """
    ours = stage.agree(conf)
    assert sorted(path.name for path in ours.folder.glob("?-*")) == ["a-hello", "b-", "c-", "d-hello"]


def test_l61_a_failed_regexp_leaves_no_submatches(stage: Stage, fdm19: str) -> None:
    conf = 'match "no such" or all action { add-header "X" value "<%0%1>" stdout }'
    assert b"\nX: <>\n" in stage.agree(conf).out
    assert b"\nX: <Received: by" in stage.theirs(conf, fdm=fdm19).out


def test_l62_submatches_of_the_body_are_what_matched_there(stage: Stage) -> None:
    ours, theirs = stage.both('match "(b..y) (text)" in body action write "%0,%1,%2"')
    assert ours.read("body text,body,text")
    assert theirs.read("body text,body,text") is None


def test_l63_a_group_that_is_not_set_hides_no_other(stage: Stage, fdm19: str) -> None:
    conf = 'match "^Subject: (re: )?(h)(x*)(ello)" action write "%1,%2,%3,%4"'
    assert stage.agree(conf).read(",h,,ello")
    assert stage.theirs(conf, fdm=fdm19).read(",,,")


def test_l64_folded_text_is_unfolded_everywhere(stage: Stage) -> None:
    mail = MAIL.replace(b"hello", b"one\n\ttwo")
    conf = """match "^Subject: (.*)" action { tag "s" value "%1" add-header "A" value "%1" } continue
        match "^Subject: (.*)" and string "%1" to "^one \ttwo$" and exec "echo '%1' >c" returns (0, )
        action { add-header "B" value "%[s]" stdout }"""
    ours, theirs = stage.both(conf, mail)
    assert b"\nA: one \ttwo\nB: one \ttwo\n\n" in ours.out
    assert (ours.read("c"), theirs.read("c")) == (b"one \ttwo\n", b"one\n\ttwo\n")
    assert b"\nA: one\n\ttwo\n" in theirs.out
    # The header itself stays as it came.
    assert b"Subject: one\n\ttwo\n" in ours.out


def test_l65_accounts_may_be_named_before_they_are_defined(stage: Stage) -> None:
    ours, theirs = stage.both('match account "stdin" action stdout\n' + ACCOUNT, account="")
    assert (ours.status, ours.out.endswith(MAIL), theirs.status) == (0, True, 1)
    assert theirs.log == "conf: no matching accounts: stdin at line 1\n"
    for run in stage.both('match account "wrok" action drop\nmatch all action stdout', call=CHECK):
        assert (run.status, run.log.splitlines()[0]) == (1, "conf: no matching accounts: wrok at line 2")
    assert matched(stage, 'account { "wrok" }', 'accounts { "wrok" "std*" }') == ['accounts { "wrok" "std*" }']


def test_l66_the_empty_regexp_matches_empty_text_only(stage: Stage) -> None:
    conditions = ('"${undefined}"', '"" in body', 'string "%[nosuch]" to ""')
    assert matched(stage, *conditions) == ['string "%[nosuch]" to ""']
    assert matched(stage, '"" in body', mail=b"A: 1\n\n") == ['"" in body']


def test_l67_mail_without_a_date_is_not_young(stage: Stage) -> None:
    conditions = ("age < 1 week", "age > 1 week", "not age < 1 week", "not age < 1 week and not age invalid")
    assert matched(stage, *conditions, mail=b"A: 1\n\nx\n") == ["not age < 1 week"]


@pytest.mark.parametrize(
    ("date", "moment", "zone"),
    [
        (b"Mon, 02 Mar 2020 10:00:00 +0000", "05:00:00 -0500", "America/New_York"),
        (b"Mon, 02 Mar 2020 10:00:00 -0500", "10:00:00 -0500", "America/New_York"),
        (b"Mon, 02 Mar 2020 10:00:00 EST", "15:00:00 +0000", "UTC"),
        (b"Mon, 02 Mar 2020 10:00:00 MST", "17:00:00 +0000", "UTC"),
        (b"Mon, 02 Mar 2020 10:00:00 PDT", "17:00:00 +0000", "UTC"),
    ],
)
def test_l68_a_date_depends_on_its_own_zone_alone(date: bytes, moment: str, zone: str, stage: Stage) -> None:
    mail = MAIL.replace(b"Mon, 02 Mar 2020 10:00:00 +0000", date)
    ours, theirs = stage.both('match all action write "%[mail_rfc822date]"', mail, env={"TZ": zone})
    assert ours.read(f"Mon, 02 Mar 2020 {moment}")
    assert theirs.read(f"Mon, 02 Mar 2020 {moment}") is None


def test_l68_nor_does_its_age(stage: Stage) -> None:
    conf = 'match age < 1 hour action write "young"'
    # What fdm takes for four or five hours later lies in the future, and is of age 0.
    ours, theirs = stage.both(conf, days_ago(0.1), env={"TZ": "America/New_York"})
    assert (ours.read("young") is None, theirs.read("young") is None) == (True, False)
    ours, theirs = stage.both(conf, days_ago(0), env={"TZ": "Asia/Tokyo"})
    assert (ours.read("young") is None, theirs.read("young") is None) == (False, True)


@pytest.mark.parametrize(
    "date",
    [
        b"Mon, 02 Mar 2020 10:00 +0000",
        b"Mon, 02 Mar 2020 10:00:00 Z",
        b"Mon, 02 Mar 2020 10:00:00 UT",
        b"Mon, 02 Mar 2020 12:00:00 +02:00",
        b"2 Mar 20 10:00:00 +0000",
    ],
)
def test_l69_dates_are_those_of_rfc_5322(date: bytes, stage: Stage) -> None:
    mail = MAIL.replace(b"Mon, 02 Mar 2020 10:00:00 +0000", date)
    conf = 'match age invalid action write "invalid"\nmatch all action write "%[mail_rfc822date]"'
    ours, theirs = stage.both(conf, mail)
    assert ours.read("Mon, 02 Mar 2020 10:00:00 +0000")
    assert theirs.read("invalid")


def test_l70_containers_and_texts_are_counted(stage: Stage) -> None:
    conditions = [f"attachment count == {number}" for number in range(5)]
    assert matched(stage, *conditions, mail=MIXED) == ["attachment count == 3"]
    assert matched(stage, *conditions) == ["attachment count == 0"]
    assert matched(stage, 'attachment any-type "multipart/*"', mail=MIXED)


@pytest.mark.parametrize(
    ("mail", "count"),
    [
        (MIXED.replace(b"\n", b"\r\n"), 3),
        (ALTERNATIVE_LAST, 5),
        (MIXED.replace(b"--B--\n", b""), 3),
        (MIXED.replace(b'Content-Type: application/pdf; name="a.pdf"\n', b""), 3),
        (MIXED.replace(b'"B"', b'"B;C"').replace(b"--B", b"--B;C"), 3),
    ],
    ids=["CR LF", "nested in last place", "no last boundary", "no type in the last part", "semicolon in the boundary"],
)
def test_l71_attachments_are_found_in_every_multipart(mail: bytes, count: int, stage: Stage) -> None:
    ours, theirs = stage.both(f'match attachment count == {count} action write "found"', mail)
    assert (ours.read("found") is None, theirs.read("found") is None) == (False, True)


def test_l72_the_container_is_small_and_no_attachment_smaller(stage: Stage) -> None:
    conditions = ("attachment any-size < 1", "attachment total-size < 1", "attachment any-size > 0")
    assert matched(stage, *conditions, mail=MIXED) == [conditions[0], conditions[2]]
    assert matched(stage, *conditions) == [conditions[1]]


def test_l73_a_filename_is_a_name(stage: Stage) -> None:
    mail = MIXED.replace(b'pdf; name="a.pdf"', b'pdf\nContent-Disposition: attachment; filename="a.pdf"')
    ours, theirs = stage.both('match attachment any-name "*.pdf" action write "found"', mail)
    assert (ours.read("found") is None, theirs.read("found") is None) == (False, True)
    assert matched(stage, 'attachment any-name "*.pdf"', mail=MIXED)


def test_l74_the_user_is_no_tag_of_the_message(stage: Stage) -> None:
    conf = 'match all action tag "x" continue\nmatch tagged "user" action write "tagged"\n'
    conf += 'match all action write "as %u"'
    ours, theirs = stage.both(conf)
    assert (ours.read("tagged"), theirs.read("tagged") is None) == (None, False)
    assert len(list(ours.folder.glob("as ?*"))) == 1


def test_l75_a_condition_without_a_command_fails_at_once(stage: Stage) -> None:
    conf = 'set timeout 1\nmatch exec "%[nosuch]" returns (0, ) action drop\nmatch all action stdout'
    # The patience of the test is less than that.
    ours = stage.ours(conf.replace("timeout 1", "timeout 900"))
    assert (ours.status, ours.out) == (75, b"")
    assert ours.log.startswith("stdin: empty command\nstdin: fetching error. aborted\n")
    assert stage.theirs(conf).status == 1


@pytest.mark.parametrize(
    ("old", "advice"),
    [
        ('match all account "stdin" action drop', "and account"),
        ('match exec "true" action drop', "returns"),
        ('match all rewrite "cat"', "action"),
        ('$f = "x"\ninclude $f', "quote"),
    ],
)
def test_l76_syntax_of_old_manuals_is_an_error_with_advice(old: str, advice: str, stage: Stage) -> None:
    ours, theirs = stage.both(old, call=CHECK)
    assert (ours.status, theirs.status) == (1, 1)
    assert ours.log.splitlines()[0].partition(" at line")[0] == theirs.log.partition(" at line")[0]
    assert advice in ours.log


def test_l77_a_regexp_sees_octets(stage: Stage) -> None:
    conditions = (
        '"^Subject: .$" in headers',
        '"^Subject: ..$" in headers',
        '"^Subject: É$" in headers',
        '"^Subject: é$" in headers',
        '"text" in body',
    )
    mail = "Subject: é\nContent-Transfer-Encoding: base64\n\ndGV4dAo=\n".encode()
    assert matched(stage, *conditions, mail=mail) == ['"^Subject: ..$" in headers', '"^Subject: é$" in headers']
