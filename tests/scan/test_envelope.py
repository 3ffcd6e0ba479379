"""What a request tells rspamd of a message, and what it keeps to itself."""

from __future__ import annotations

import json
from typing import Any

from tests.scan import scripted
from tests.scan.asking import ask
from tests.scan.test_faults import VERDICT

ANSWER = scripted.says(scripted.ok(json.dumps(VERDICT).encode()))
HEAD = b"From: a@example.com\nSubject: s\n\n"


def _asked(raw: bytes, user: bytes = b"me@home.example", **settings: Any) -> scripted.Asked:
    with scripted.rspamd(ANSWER) as server:
        ask(raw, server.url, user, **settings)
    assert server.body == raw
    return server


def test_the_request_is_one_post_of_rspamds_own_client() -> None:
    asked = _asked(HEAD + b"body\n")
    assert asked.head.startswith(b"POST /checkv2 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert asked.field("User-Agent") == ["rspamc"]
    assert asked.field("Connection") == ["close"]
    assert asked.field("Deliver-To") == ["me@home.example"]
    for name in ("User", "IP", "Helo", "Hostname", "From", "Rcpt", "Settings", "Pass"):
        assert not asked.field(name), name


def test_the_envelope_comes_from_the_header() -> None:
    asked = _asked(
        b"Return-Path: <bounce@sender.example>\nX-Original-To: alias@provider.example\n"
        b"Delivered-To: me@provider.example\nDelivered-To: older@provider.example\n" + HEAD
    )
    assert asked.field("From") == ["bounce@sender.example"]
    assert asked.field("Rcpt") == ["alias@provider.example", "me@provider.example"]


def test_a_bounce_has_the_null_sender() -> None:
    assert _asked(b"Return-Path: <>\n" + HEAD).field("From") == ["<>"]


def test_one_recipient_is_told_once() -> None:
    assert _asked(b"Delivered-To: a@b\nX-Original-To: a@b\n" + HEAD).field("Rcpt") == ["a@b"]


def test_no_field_of_a_message_becomes_a_field_of_the_request() -> None:
    asked = _asked(
        b"Return-Path: <a@b>\rUser: root\r\nDelivered-To: a\0b\rPass: all\n\tSettings: {}\n"
        b"X-Original-To: " + b"x" * 600 + b"\n"
        b"Received: from h\rUser: root (n.example [192.0.2.1]) by x\n" + HEAD,
        user=b"me\r\nUser: root",
    )  # fmt: skip
    assert asked.field("From") == ["a@b"]
    for name in ("User", "Pass", "Settings", "Rcpt", "Deliver-To"):
        assert not asked.field(name), name
    assert b"root" not in asked.head
    assert b"\0" not in asked.head


def test_the_hand_off_hop_is_the_accounts() -> None:
    raw = (
        b"Received: from h1 (a.provider.example [203.0.113.1]) by x; Fri, 15 Jan 2027 08:00:20 +0000\n"
        b"Received: from h2 (b.sender.example [198.51.100.7]) by y; Fri, 15 Jan 2027 08:00:20 +0000\n" + HEAD
    )
    trusting = _asked(raw, trusted_hops=((b"stdin", (b"203.0.113.0/24",)),))
    assert trusting.field("IP") == ["198.51.100.7"]
    assert trusting.field("Helo") == ["h2"]
    assert trusting.field("Hostname") == ["b.sender.example"]
    assert _asked(raw, trusted_hops=((b"other", (b"203.0.113.0/24",)),)).field("IP") == ["203.0.113.1"]
