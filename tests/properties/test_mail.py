"""Whatever octets a mail is made of, the functions over it keep their promises."""

from __future__ import annotations

import ctypes
import ctypes.util

from hypothesis import given, settings
from hypothesis import strategies as st

from rulesmith.mail import address, date, glob, header, mbox_text, structure

FOLD = 16  # FNM_CASEFOLD of glibc
libc = ctypes.CDLL(ctypes.util.find_library("c"))

# Lines that mean something, and lines that do not.
LINES = st.sampled_from(
    [
        b"A: 1",
        b"Received: x",
        b"received:y",
        b"From: <bob@x.org>",
        b"Date: Mon, 2 Mar 2020 10:00:00 +0000",
        b"Content-Type: multipart/mixed; boundary=B",
        b'Content-Type: multipart/x; boundary="C"',
        b'Content-Type: text/plain; name="a;b"',
        b" folded",
        b"\tfolded",
        b"",
        b" ",
        b"text",
        b"--B",
        b"--C",
        b"--B--",
        b"--C--",
        b"From x",
        b">From y",
        b"\xff\0\r",
    ]
)
MAILS = st.builds(
    lambda lines, end, last: end.join(lines) + last,
    st.lists(LINES, min_size=1, max_size=20),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\n", b"\r\n"]),
) | st.binary(max_size=200)

TOKENS = st.sampled_from(
    [
        *(b"a", b"B", b"*", b"?", b"[a-c]", b"[!a]", b"[^B]", b"[[:lower:]]", b"[[:upper:]x]", b"[A-C]", b"\\*"),
        *(b"\\a", b"[]a]", b"[!]]", b"[a-]", b"[\\]]", b"[[=a=]]", b"[[.b.]-c]", b"[Z-a]", b"[\x80-\xff]", b"-", b"]"),
    ]
)
LETTERS = st.sampled_from([b"a", b"b", b"c", b"A", b"B", b"x", b"*", b"]", b".", b"/", b"-", b"\xe9", b"_"])


@given(st.lists(TOKENS, max_size=6).map(b"".join), st.lists(LETTERS, max_size=6).map(b"".join), st.booleans())
@settings(max_examples=600)
def test_globs_agree_with_fnmatch_of_the_c_library(pattern: bytes, name: bytes, fold: bool) -> None:
    assert glob.matches(pattern, name, fold) == (libc.fnmatch(pattern, name, FOLD * fold) == 0)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_pattern_is_answered(pattern: bytes, name: bytes) -> None:
    assert glob.matches(pattern, name) in (True, False)
    assert glob.matches(name.translate(None, b"*?[\\"), name.translate(None, b"*?[\\"))


@given(MAILS)
def test_the_body_begins_behind_an_empty_line_or_at_an_end(raw: bytes) -> None:
    body_at = header.boundary(raw)
    assert body_at in (0, len(raw)) or raw[:body_at].endswith((b"\n\n", b"\n\r\n")) or raw[:body_at] in (b"\n", b"\r\n")


@given(MAILS)
def test_fields_put_together_are_the_header_again(raw: bytes) -> None:
    assert b"".join(header.fields(raw)) == raw


@given(MAILS)
def test_unfolding_leaves_no_fold_and_no_other_change(raw: bytes) -> None:
    raw = raw[: header.boundary(raw)]
    flat = header.unfold(raw)
    assert b"\n " not in flat
    assert b"\n\t" not in flat
    assert header.unfold(flat) == flat
    assert flat.translate(None, b" \r\n") == raw.translate(None, b" \r\n")


@given(MAILS)
def test_an_added_field_is_the_last_one_and_can_be_taken_out_again(raw: bytes) -> None:
    body_at = header.boundary(raw)
    more = header.add(raw, body_at, b"X-New", b"value")
    after = body_at + len(more) - len(raw)
    head, body = more[:after], more[after:]
    assert body == raw[body_at:]
    assert header.first(head, b"x-new") == b"value"
    assert [field for field in header.fields(head) if field.strip(b"\r\n")][-1].startswith(b"X-New: value")
    less = header.remove(more, after, [b"x-NEW"])
    assert less.endswith(body)
    assert b"X-New" not in less


@given(MAILS, st.sampled_from([b"*", b"A", b"[R-r]*", b"nope"]))
def test_removing_takes_whole_fields_and_leaves_the_body(raw: bytes, pattern: bytes) -> None:
    body_at = header.boundary(raw)
    less = header.remove(raw, body_at, [pattern])
    after = body_at + len(less) - len(raw)
    assert less[after:] == raw[body_at:]
    left = iter(header.fields(raw[:body_at]))
    assert all(field in left for field in header.fields(less[:after]))  # in order


@given(MAILS)
def test_inserting_received_changes_nothing_else(raw: bytes) -> None:
    body_at = header.boundary(raw)
    more, after = header.insert_received(raw, body_at, b"Received: me\n")
    assert more.replace(b"Received: me\n", b"", 1) == raw
    assert more[after:] == raw[body_at:]
    # A mail that begins with a blank continues the line that is put above it.
    assert (header.first(more[:after], b"received") or b"").split()[0] == b"me"


@given(MAILS)
def test_parts_lie_in_the_mail_and_leaves_do_not_overlap(raw: bytes) -> None:
    body_at = header.boundary(raw)
    found = structure.parts(raw, body_at)
    assert len(found) != 1
    assert sum(size for _, _, size, _ in found) <= len(raw) - body_at
    assert all(size == 0 for _, _, size, is_container in found if is_container)
    assert all(size > 0 for _, _, size, is_container in found if not is_container)
    assert not found or found[0][3]


@given(MAILS | st.binary(max_size=80))
def test_quoted_text_has_no_separator_and_comes_back(raw: bytes) -> None:
    quoted = mbox_text.quote(raw)
    assert not any(line.startswith(b"From ") for line in quoted.split(b"\n"))
    assert mbox_text.unquote(quoted) == raw


@given(
    st.binary(max_size=80)
    | st.lists(st.sampled_from([b"Mon, ", b"2 ", b"Mar", b"20", b":", b"1", b" +0", b"(", b"Z"])).map(b"".join)
)
def test_any_value_is_a_date_from_1970_on_or_none(value: bytes) -> None:
    when = date.parse(value)
    assert when is None or when >= 0


@given(st.integers(min_value=0, max_value=253402214399))
def test_a_written_date_is_read_again(when: int) -> None:
    assert date.parse(date.rfc822(when)) == when


@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([b"a", b"@", b"<", b">", b" ", b'"', b",", b"x.org"])).map(b"".join)
)
def test_an_address_is_a_piece_of_the_value_without_blanks(value: bytes) -> None:
    found = address.sender_address(value)
    assert found is None or (b"@" in found and found in value and not found[1:].strip(b"<>").count(b" "))
