"""Header areas: where they end, how they are read and changed."""

from __future__ import annotations

import pytest

from rulesmith.mail import header

NOON = 1583143200
MAIL = b"A: 1\nX-Foo: x\n y\nX-Bar: z\nx-foo: w\nB:2\n\nbody\nX-Foo: inbody\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"A: 1\n\ntext\n", b"text\n"),
        (b"\ntext\n", b"text\n"),
        (b"A: 1\n\n", b""),
        (b"A: 1\r\n\r\nb\r\n", b"b\r\n"),
        (b"\r\nb\r\n", b"b\r\n"),
        (b"A: 1\n\r\nb\n\nc\n", b"b\n\nc\n"),
        (b"A: 1\r\n\nb\r\n\r\nc\r\n", b"b\r\n\r\nc\r\n"),
        (b"A: 1\n \n\nb\n", b"b\n"),
    ],
)
def test_the_body_begins_behind_the_first_empty_line(raw: bytes, body: bytes) -> None:
    assert raw[header.boundary(raw) :] == body


@pytest.mark.parametrize("raw", [b"A: 1\n", b"A: 1\r\nB: 2\r\n", b"A: 1\n b\n\tc\nB : 2\n", b"A: 1"])
def test_a_mail_whose_lines_are_all_fields_is_all_header(raw: bytes) -> None:
    assert header.boundary(raw) == len(raw)


@pytest.mark.parametrize(
    "raw", [b"just text\n", b"A: 1\ntext\n", b" A: 1\n", b": 1\n", b"From x y\nA: 1\n", b"caf\xe9: x\n", b""]
)
def test_a_mail_with_another_line_and_no_empty_one_has_no_header_area(raw: bytes) -> None:
    assert header.boundary(raw) == 0


def test_unfolding_puts_one_blank_in_place_of_the_line_end_and_keeps_the_other() -> None:
    assert header.unfold(b"To: a,\n\tb\nC: d\n\n") == b"To: a, \tb\nC: d\n\n"
    assert header.unfold(b"To: a,\r\n  b\r\n\r\n") == b"To: a,   b\r\n\r\n"
    assert header.unfold(b"A: 1\n \n\t\nB: 2\n") == b"A: 1   \t\nB: 2\n"
    assert header.unfold(b"A: 1\r\r\n b\n") == b"A: 1\r  b\n"


def test_fields_are_cut_with_their_continuation_lines() -> None:
    head = b"A: 1\n b\njunk\nC: 2\r\n\r\n"
    assert header.fields(head) == [b"A: 1\n b\n", b"junk\n", b"C: 2\r\n", b"\r\n"]


@pytest.mark.parametrize(
    ("head", "value"),
    [
        (b"A: 1\nSUBJECT: x y \n\n", b"x y "),
        (b"subject:x\nSubject: y\n", b"x"),
        (b"Subject:\n\tx\n y\n", b"x  y"),
        (b"Subject: x\r\n", b"x"),
        (b"Subject:\n", b""),
        (b"Subject: x", b"x"),
        (b"Subject : x\n", None),
        (b"A: 1\n Subject: x\n", None),
        (b"X-Subject: x\n", None),
        (b"", None),
    ],
)
def test_the_first_field_of_a_name_is_found_in_any_case(head: bytes, value: bytes | None) -> None:
    assert header.first(head, b"Subject") == value


@pytest.mark.parametrize(
    ("head", "value"),
    [
        (b"Message-Id:   <a@b>  \n", b"<a@b>  "),
        (b"Message-ID:\n <x@y>\n", b"<x@y>"),
        (b"MESSAGE-ID: <x@y>\r\n", b"<x@y>"),
        (b"Message-ID:  \n", None),
        (b"Subject: x\n", None),
    ],
)
def test_the_message_id_is_read_unfolded(head: bytes, value: bytes | None) -> None:
    assert header.message_id(head) == value


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        (MAIL, MAIL.replace(b"B:2\n", b"B:2\nN: v\n")),
        (b"A: 1\r\n\r\nb\r\n", b"A: 1\r\nN: v\r\n\r\nb\r\n"),
        (b"\nb\n", b"N: v\n\nb\n"),
        (b"A: 1\nB: 2\n", b"A: 1\nB: 2\nN: v\n"),
        (b"A: 1\r\n", b"A: 1\r\nN: v\r\n"),
        (b"A: 1", b"A: 1\nN: v\n"),
        (b"just text\n", b"N: v\n\njust text\n"),
        (b"just text\r\nmore\r\n", b"N: v\r\n\r\njust text\r\nmore\r\n"),
    ],
)
def test_a_field_is_added_as_the_last_one_with_the_line_end_of_the_mail(raw: bytes, result: bytes) -> None:
    assert header.add(raw, header.boundary(raw), b"N", b"v") == result


def test_text_that_follows_the_received_line_directly_gets_its_empty_line_with_the_first_added_field() -> None:
    line = header.received(b"h", b"1", b"a", b"stdin", NOON)
    raw, body_at = header.insert_received(b"just text\n", 0, line)
    assert (raw, body_at) == (line + b"just text\n", len(line))
    once = header.add(raw, body_at, b"N", b"v")
    assert once == line + b"N: v\n\njust text\n"
    assert header.add(once, body_at + len(once) - len(raw), b"O", b"w") == line + b"N: v\nO: w\n\njust text\n"


@pytest.mark.parametrize("value", [b"", b"a\n b", b"a\nB: b"])
def test_a_value_goes_in_as_the_configuration_wrote_it(value: bytes) -> None:
    assert header.add(b"A: 1\n\nb\n", 6, b"N", value) == b"A: 1\nN: " + value + b"\n\nb\n"


@pytest.mark.parametrize(
    ("patterns", "gone"),
    [
        ([b"X-Foo"], [b"X-Foo: x\n y\n", b"x-foo: w\n"]),
        ([b"x-FOO"], [b"X-Foo: x\n y\n", b"x-foo: w\n"]),
        ([b"A", b"B"], [b"A: 1\n", b"B:2\n"]),
        ([b"X-*"], [b"X-Foo: x\n y\n", b"X-Bar: z\n", b"x-foo: w\n"]),
        ([b"*"], [b"A: 1\n", b"X-Foo: x\n y\n", b"X-Bar: z\n", b"x-foo: w\n", b"B:2\n"]),
        ([b"Nope"], []),
        ([b"A:"], []),
        ([], []),
    ],
)
def test_fields_are_removed_whole_and_only_from_the_header(patterns: list[bytes], gone: list[bytes]) -> None:
    head, body = MAIL.split(b"\n\n", 1)
    head += b"\n"
    for field in gone:
        head = head.replace(field, b"", 1)
    assert header.remove(MAIL, header.boundary(MAIL), patterns) == head + b"\n" + body


def test_the_name_is_all_before_the_first_colon_of_the_unfolded_line() -> None:
    assert header.remove(b"A : 1\nB: 2\n\n", 12, [b"A"]) == b"A : 1\nB: 2\n\n"
    assert header.remove(b"A : 1\nB: 2\n\n", 12, [b"A*"]) == b"B: 2\n\n"
    assert header.remove(b"A\n b: 2\nC: 1\n\n", 14, [b"A*"]) == b"C: 1\n\n"
    assert header.remove(b": x\nA:\n\n", 8, [b"*"]) == b"\n"


def test_lines_without_colon_are_not_removed() -> None:
    raw = b"A: 1\njunk line\n cont\nB: 2\n\nbody\n"
    assert header.remove(raw, header.boundary(raw), [b"*"]) == b"junk line\n cont\n\nbody\n"


def test_other_folds_stay_when_a_list_is_removed() -> None:
    assert header.remove(b"A: 1\nB: 2\n 3\nC: 4\n\nb\n", 19, [b"A", b"C"]) == b"B: 2\n 3\n\nb\n"


def test_crlf_mail_loses_fields_too() -> None:
    assert header.remove(b"A: 1\r\n x\r\nB: 2\r\n\r\nb\r\n", 18, [b"a"]) == b"B: 2\r\n\r\nb\r\n"


def test_the_received_field_is_fdms_to_the_octet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "rfc822", lambda when: b"DATE%d" % when)
    line = header.received(b"host.example", b"2.2", b"mail", b"stdin", 7)
    assert line == b'Received: by host.example (fdm 2.2, account "mail") \n\twith stdin (unencrypted)\n\tDATE7\n'


def test_host_and_account_are_cut_to_350_octets() -> None:
    line = header.received(b"h" * 400, b"1", b"a" * 400, b"stdin", NOON)
    assert line.count(b"h") == 350 + 1  # one in "with"
    assert b'"%s"' % (b"a" * 350) in line


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        (b"A: 1\nB: 2\n\nbody\n", 0),
        (b"A: 1\nReceived: x\n\ty\nB: 2\n\nbody\n", 5),
        (b"A: 1\nRECEIVED: x\nReceived: y\n\nb\n", 5),
        (b"A: 1\n Received: x\nReceived:y\n\nb\n", 18),
        (b"A: 1\nReceived : x\n\nb\n", 0),
        (b"A: 1\n\nReceived: x\n", 0),
        (b"A: 1\nReceived: x\nB: 2\n", 0),  # fdm sees no header here
        (b"A: 1\r\nReceived: x\r\n\r\nb\r\n", 0),  # nor here
        (b"A: 1\r\nReceived: x\r\n\r\nb\n\nc\n", 6),
        (b"A: 1\r\n\r\nReceived: x\n\nb\n", 0),
        (b"\n", 0),
    ],
)
def test_the_received_field_stands_where_fdm_puts_it(raw: bytes, at: int) -> None:
    body_at = header.boundary(raw)
    assert header.insert_received(raw, body_at, b"Received: me\n") == (
        raw[:at] + b"Received: me\n" + raw[at:],
        body_at + 13,
    )


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        (b"From x y\nA: 1\n\nbody\n", b"A: 1\n\nbody\n"),
        (b"From x y\n\nbody\n", b"\nbody\n"),
        (b"From x y\nA: 1\n", b"From x y\nA: 1\n"),
        (b"From x y\r\nA: 1\r\n\r\nb\r\n", b"From x y\r\nA: 1\r\n\r\nb\r\n"),
        (b">From x y\nA: 1\n\nb\n", b">From x y\nA: 1\n\nb\n"),
        (b"From: x\n\nb\n", b"From: x\n\nb\n"),
        (b"from x\nA: 1\n\nb\n", b"from x\nA: 1\n\nb\n"),
    ],
)
def test_a_leading_separator_goes_if_the_mail_has_an_empty_line(raw: bytes, result: bytes) -> None:
    assert header.strip_from_line(raw) == result
