"""Who handed the mail over: Received fields as the well-known servers write them, honest and forged."""

from __future__ import annotations

import pytest

from rulesmith.scan import hops, network
from rulesmith.scan.received import Received

FETCHED = (
    b"Received: from imap.provider.example [203.0.113.1]\n\tby localhost with IMAP (fetchmail-6.4.37)\n"
    b"\tfor <me@localhost> (single-drop); Fri, 15 Jan 2027 09:00:00 +0000 (UTC)\n"
)
INSIDE = (
    b"Received: from mx.provider.example (mx.provider.example [203.0.113.25])\n"
    b"\tby store.provider.example with LMTP id 1; Fri, 15 Jan 2027 08:00:30 +0000\n"
)
HANDED = (
    b"Received: from helo.sender.example (out.sender.example [198.51.100.7])\n"
    b"\tby mx.provider.example (Postfix) with ESMTPS id 2; Fri, 15 Jan 2027 08:00:20 +0000\n"
)
HEARSAY = b"Received: from x (good.example [192.0.2.99]) by helo.sender.example; Fri, 15 Jan 2027 08:00:10 +0000\n"
REST = b"From: a@example.com\n\n"
PROVIDER = [b"*.provider.example"]


def _found(head: bytes, patterns: list[bytes] = PROVIDER) -> tuple[bytes, bytes, bytes] | None:
    hop = hops.hand_off(head, patterns)
    return None if hop is None else (hop.address, hop.helo, hop.hostname)


SENDER = (b"198.51.100.7", b"helo.sender.example", b"out.sender.example")


def test_the_hop_below_the_providers_own_is_the_one() -> None:
    assert _found(FETCHED + INSIDE + HANDED + HEARSAY + REST) == SENDER


def test_networks_and_addresses_are_trusted_like_names() -> None:
    mail = FETCHED + INSIDE + HANDED + HEARSAY + REST
    assert _found(mail, [b"203.0.113.0/24"]) == SENDER
    assert _found(mail, [b"203.0.113.25"]) == SENDER
    assert _found(mail, [b"203.0.113.24", b"203.0.113.64/26"]) != SENDER


def test_without_trusted_hops_the_first_public_address_is_taken() -> None:
    assert _found(FETCHED + HANDED + HEARSAY + REST, []) == SENDER


def test_private_addresses_and_fields_without_any_are_hops_inside() -> None:
    inside = (
        b"Received: by 2002:a05:6a10 with SMTP id x; Fri, 15 Jan 2027 08:00:30 +0000\n"
        b"Received: from localhost (localhost [127.0.0.1]) by a with LMTP\n"
        b"Received: from b ([10.1.2.3]) by a\nReceived: from c ([IPv6:fd00::1]) by b\n"
    )
    assert _found(FETCHED + inside + HANDED + HEARSAY + REST) == SENDER


def test_where_everything_is_inside_there_is_none() -> None:
    assert _found(FETCHED + INSIDE + REST) is None
    assert _found(REST) is None
    assert _found(b"") is None


def test_only_on_top_a_field_is_believed_to_be_the_fetching_programs() -> None:
    assert _found(HANDED + FETCHED + HEARSAY + REST) == SENDER
    assert _found(FETCHED.replace(b"IMAP", b"POP3") + FETCHED + HANDED + REST) == SENDER


@pytest.mark.parametrize("name", [b"mx.provider.example", b"by", b"with", b"[203.0.113.25]", b"203.0.113.25", b"from"])
def test_a_name_in_helo_opens_nothing(name: bytes) -> None:
    liar = HANDED.replace(b"helo.sender.example", name)
    found = _found(FETCHED + INSIDE + liar + HEARSAY + REST, [*PROVIDER, b"203.0.113.0/24"])
    assert found == (b"198.51.100.7", name, b"out.sender.example")


def test_a_name_that_was_not_looked_up_opens_nothing() -> None:
    liar = HANDED.replace(b"out.sender.example [", b"[").replace(b"helo.sender", b"mx.provider")
    found = _found(FETCHED + INSIDE + liar + HEARSAY + REST)
    assert found == (b"198.51.100.7", b"mx.provider.example", b"")


def test_trusted_hops_are_per_account() -> None:
    settings = ((None, (b"a", b"b")), (b"work", (b"c",)), (b"home*", (b"d",)))
    assert hops.trusted(settings, b"work") == [b"a", b"b", b"c"]
    assert hops.trusted(settings, b"home2") == [b"a", b"b", b"d"]
    assert hops.trusted((), b"work") == []


FORMS = {
    b"from h.example (n.example [192.0.2.1]) by x with SMTP": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from h.example (unknown [192.0.2.1]) by x": (b"192.0.2.1", b"h.example", b""),
    b"from h.example ([192.0.2.1]) by x": (b"192.0.2.1", b"h.example", b""),
    b"from h.example (n.example [192.0.2.1] (may be forged)) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from h.example (joe@n.example [192.0.2.1]) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from h.example (n.example. [192.0.2.1]) by mx.google.com": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from h.example (n.example [IPv6:2001:db8::1]) by x": (b"2001:db8::1", b"h.example", b"n.example"),
    b"from h.example (n.example [2001:db8:0:0::1]) by x": (b"2001:db8::1", b"h.example", b"n.example"),
    b"from n.example ([192.0.2.1] helo=h.example) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from n.example ([192.0.2.1]:4711 helo=h.example ident=joe) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from [192.0.2.1] (helo=h.example) by x": (b"192.0.2.1", b"h.example", b""),
    b"from [192.0.2.1] (helo=[203.0.113.25]) by x": (b"192.0.2.1", b"[203.0.113.25]", b""),
    b"from n.example (HELO h.example) (192.0.2.1) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from unknown (HELO h.example) (joe@192.0.2.1) by x": (b"", b"h.example", b""),
    b"from unknown (HELO h.example) (192.0.2.1) by x": (b"192.0.2.1", b"h.example", b""),
    b"from h.example (192.0.2.1) by x with Microsoft SMTP": (b"192.0.2.1", b"h.example", b""),
    b"from h.example (2001:db8::1) by x": (b"2001:db8::1", b"h.example", b""),
    b"from [192.0.2.1] by x with HTTP": (b"192.0.2.1", b"[192.0.2.1]", b""),
    b"from n.example [192.0.2.1] by x": (b"192.0.2.1", b"n.example", b""),
    b"from [203.0.113.25] (n.example [192.0.2.1]) by x": (b"192.0.2.1", b"[203.0.113.25]", b"n.example"),
    b'from h (n.example [192.0.2.1]) (using TLS (Client CN "[10.0.0.1]")) by x': (b"192.0.2.1", b"h", b"n.example"),
    b"from h.example (n.example [::ffff:192.0.2.1]) by x": (b"192.0.2.1", b"h.example", b"n.example"),
    b"from h.example by x with LMTP": (b"", b"h.example", b""),
    b"by x with SMTP id 7": (b"", b"", b""),
    b"from": (b"", b"", b""),
    b"from (192.0.2.1)": (b"192.0.2.1", b"", b""),
    b"from (((((": (b"", b"", b""),
    b"from x (y [192.0.2.300]) by z": (b"", b"x", b""),
    b"from x (y [192.0.2]) by z": (b"", b"x", b""),
    b"": (b"", b"", b""),
}  # fmt: skip


@pytest.mark.parametrize("value", FORMS)
def test_each_server_has_its_own_form(value: bytes) -> None:
    field = Received(value + b"; Fri, 15 Jan 2027 08:00:20 +0000")
    address = network.address(field.address)
    assert (network.text(address) if address else b"", field.helo, field.hostname) == FORMS[value]
    if value.count(b"(") == value.count(b")"):
        assert field.date.strip() == b"Fri, 15 Jan 2027 08:00:20 +0000"


def test_the_arrival_is_the_newest_date_that_the_provider_wrote() -> None:
    assert hops.arrival(FETCHED + INSIDE + HANDED + REST, PROVIDER) == 1800000030
    assert hops.arrival(FETCHED + REST, []) is None
    assert hops.arrival(FETCHED + INSIDE.replace(b"Fri,", b"Some day,") + HANDED, PROVIDER) == 1800000020
    # Who wrote what stands below the hand-off is not known.
    unknown = HANDED.replace(b"Fri,", b"Some day,")
    assert hops.arrival(FETCHED + unknown + HEARSAY, PROVIDER) is None


def test_a_header_full_of_fields_is_not_read_to_its_end() -> None:
    assert _found(b"Received: from localhost (localhost [127.0.0.1]) by x\n" * 51 + HANDED) is None
    assert _found(b"Received: from " + b"(" * 1_000_000 + b"\n" + HANDED) == SENDER
