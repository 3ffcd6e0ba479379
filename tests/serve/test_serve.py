"""What becomes of messages that are handed to the resident door."""

from __future__ import annotations

import os
import select
import smtplib
import socket
from pathlib import Path

import pytest

from tests.serve.conftest import Starter
from tests.serve.service import NAME, WAITS_FOR_WORKERS, Service, a_mail, until, wire

ONE = 'match all action maildir "box"\n'
OTHER = "other@example.com"


@pytest.fixture
def service(make: Starter) -> Service:
    made = make()
    made.configure(ONE)
    return made.start()


def test_a_message_is_stored_when_the_answer_comes(service: Service) -> None:
    mail = a_mail() + b".\n..two dots\nlast\n"
    assert service.hand(mail) == 250
    assert service.box("box") == [mail]


@pytest.mark.parametrize(
    ("mail", "added"),
    [
        (b"A: b\n\nx\n", True),
        (b"X" * 990 + b":\n\nx\n", True),
        (b"A : b\n\nx\n", True),
        (b"just text\n", False),
        (b"\nbody: x\n", False),
        (b"X" * 1100 + b": y\n", False),
        (b" folded: x\n\n", False),
    ],
)
def test_who_sent_it_is_on_top_where_there_is_a_header(service: Service, mail: bytes, added: bool) -> None:
    with service.connect() as client:
        client.begin()
        for octet in wire(mail):
            client.say(bytes((octet,)))
        assert client.code() == 250
    [path] = (service.users / NAME / "box" / "new").iterdir()
    assert path.read_bytes() == (b"Return-Path: <a@example.org>\n" if added else b"") + mail


@pytest.mark.parametrize("queued", [False, True], ids=["journal", "queue"])
def test_an_account_that_does_not_read_it_is_no_answer_for_a_message(make: Starter, queued: bool) -> None:
    service = make(words=["-a", "old"])
    if queued:
        service.site.write_text(f'set queue "{service.folder}/queue"\n')
    home = service.configure(f'account "old" maildir "src"\n{ONE}')
    for name in ("new", "cur", "tmp"):
        (home / "src" / name).mkdir(parents=True)
    (home / "src" / "new" / "1").write_bytes(a_mail(2))
    service.start()
    assert service.hand(a_mail()) == 451
    assert "no accounts found" in service.log.read_text()
    assert (service.box("box"), service.queue()) == ([], [])


def test_pythons_own_client_gets_on_with_it(service: Service) -> None:
    with smtplib.LMTP(str(service.socket)) as client:
        assert client.sendmail("a@example.org", [NAME], wire(a_mail()).removesuffix(b".\r\n")) == {}
        assert client.has_extn("pipelining")
        assert client.has_extn("8bitmime")
        assert client.has_extn("size")
        assert client.has_extn("enhancedstatuscodes")
        assert client.rset()[0] == 250
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("a@example.org", ["nobody@example.com"], b"x")
        assert refused.value.recipients["nobody@example.com"][0] == 450
    assert service.box("box") == [a_mail()]


def test_the_address_names_the_user_and_each_user_has_an_answer(service: Service) -> None:
    service.configure('match all action pipe "cat >>box; test -e works"\n', OTHER)
    service.configure(ONE, "local")
    with service.connect() as client:
        client.say(b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<User+x@example.com>\r\nRCPT TO:<%s>\r\n" % OTHER.encode())
        client.say(b"RCPT TO:<nobody@example.com>\r\nRCPT TO:<%s>\r\nRCPT TO:<local@anywhere>\r\n" % NAME.encode())
        assert [client.code() for _ in range(7)] == [250, 250, 250, 250, 450, 250, 250]
        client.say(b"DATA\r\n" + wire(a_mail()))
        assert [client.code() for _ in range(5)] == [354, 250, 451, 250, 250]
    # Two addresses of one user are one message.
    assert service.box("box") == service.box("box", "local") == [a_mail()]
    (service.users / OTHER / "works").touch()
    assert service.hand(a_mail(2), OTHER) == 250


def test_a_user_who_comes_later_has_his_mail_when_he_is_there(service: Service) -> None:
    with service.connect() as client:
        for code in (450, 250):
            client.say(b"LHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<%s>\r\n" % OTHER.encode())
            assert [client.code() for _ in range(3)] == [250, 250, code]
            service.configure(ONE, OTHER)


def test_each_run_has_the_home_of_its_user_and_nothing_of_the_one_before(service: Service) -> None:
    line = 'match all action pipe "cat >/dev/null; pwd >where; env >environment; umask >>environment"\n'
    for name in (NAME, OTHER):
        service.configure(line + ("" if name == NAME else "# the other\n"), name)
    for name in (NAME, OTHER, NAME):
        assert service.hand(a_mail(), name) == 250
        home = service.users / name
        assert (home / "where").read_text() == f"{home}\n"
        assert f"HOME={home}" in (home / "environment").read_text().splitlines()


def test_one_file_for_everybody_is_told_whom_the_message_is_for(make: Starter, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    service = make(users=None, config=str(tmp_path / "fdm.conf"))
    home = service.configure(f'match all action pipe "cat >/dev/null; echo $RECIPIENT >>{seen}"\n')
    (home / "fdm.conf").rename(tmp_path / "fdm.conf")
    service.start()
    for name in ("a@x", "b+c@x"):
        assert service.hand(a_mail(), name) == 250
    assert seen.read_text() == "a@x\nb+c@x\n"


@pytest.mark.parametrize("size", [0, 60_000, 200_000, 6_000_000])
def test_a_message_of_any_size_arrives_whole(service: Service, size: int) -> None:
    mail = a_mail(size=size)
    assert service.hand(mail) == 250
    assert service.box("box") == [mail]
    # No file of it is left open, and none is left lying about.
    assert [path.name for path in service.folder.iterdir() if path.name.startswith("rulesmith.")] == []


def test_what_is_larger_than_the_rules_want_is_asked_for_again(service: Service) -> None:
    service.configure(ONE, settings="set maximum-size 10000\n")
    assert service.hand(a_mail(size=20_000)) == 451
    service.configure(ONE, settings="set maximum-size 10000\nset delete-oversized\n")
    assert service.hand(a_mail(size=20_000)) == 250
    assert service.box("box") == []


def test_what_is_done_is_not_done_again_when_the_client_comes_back(service: Service) -> None:
    home = service.configure('match all action { maildir "box" pipe "cat >/dev/null; test -e works" maildir "last" }\n')
    assert service.hand(a_mail()) == 451
    (home / "works").touch()
    assert service.hand(a_mail()) == 250
    assert service.box("box") == service.box("last") == [a_mail()]
    # Forgotten when the client is told.
    until(lambda: service.records() == [])


def test_with_a_queue_the_answer_comes_before_the_deliveries(make: Starter) -> None:
    service = make()
    service.site.write_text(f'set queue "{service.folder}/queue"\n')
    home = service.configure('match all action { pipe "cat >/dev/null; read x <gate" maildir "box" }\n')
    service.start()
    os.mkfifo(home / "gate")
    assert service.hand(a_mail()) == 250
    assert service.box("box") == []
    (home / "gate").write_text("go\n")
    until(lambda: service.box("box") == [a_mail()] and service.queue() == [])


def test_what_the_queue_cannot_deliver_is_tried_again_from_there(make: Starter) -> None:
    service = make()
    service.site.write_text(f'set queue "{service.folder}/queue"\n')
    home = service.configure('match all action { maildir "box" pipe "cat >/dev/null; test -e works" }\n')
    service.start()
    assert service.hand(a_mail()) == 250
    until(lambda: any(b" fail " in path.read_bytes() for path in (service.folder / "queue").glob("*.progress")))
    # Nobody has it in his hands any more.
    service.stop()
    (home / "works").touch()
    service.work()
    assert service.queue() == []
    assert service.box("box") == [a_mail()]


def test_a_client_that_does_not_wait_for_its_answer_gets_no_second_copy(service: Service) -> None:
    service.connect().vanish(service, a_mail())
    until(lambda: service.records() != [])
    assert service.box("box") == [a_mail()]
    assert service.hand(a_mail()) == 250
    assert service.box("box") == [a_mail()]
    until(lambda: service.records() == [])
    # The same once more is another message.
    assert service.hand(a_mail()) == 250
    assert service.box("box") == [a_mail(), a_mail()]


def test_nor_does_one_whose_message_is_in_the_queue(make: Starter) -> None:
    service = make()
    service.site.write_text(f'set queue "{service.folder}/queue"\n')
    service.configure(ONE)
    service.start()
    service.connect().vanish(service, a_mail())
    until(lambda: any(name.endswith(".ghost") for name in service.queue()))
    assert service.hand(a_mail()) == 250
    until(lambda: service.queue() == [])
    assert service.box("box") == [a_mail()]


def test_a_command_that_hangs_holds_up_nobody_else(make: Starter) -> None:
    service = make(limits=WAITS_FOR_WORKERS)
    service.configure('match all action pipe "cat >/dev/null; exec sleep 60"\n')
    service.configure(ONE, OTHER)
    service.start()
    clients = [service.connect() for _ in range(12)]
    for client in clients:
        client.begin()
        client.say(wire(a_mail()))
    assert service.hand(a_mail(), OTHER) == 250
    # All the others still wait.
    assert select.select([client.socket for client in clients], [], [], 0)[0] == []
    for client in clients:
        client.close()


@pytest.mark.parametrize(("behind", "replies"), [(b"", []), (b"NOOP\r\nQUIT\r\n", [250, 221])])
def test_what_is_said_while_a_message_is_under_way_is_answered_after_it(
    make: Starter, behind: bytes, replies: list[int]
) -> None:
    service = make()
    [client] = service.occupy([NAME])
    client.say(behind)
    client.socket.shutdown(socket.SHUT_WR)
    for _ in range(3):
        # When another one is greeted the server has looked at what was there before.
        service.connect().close()
    service.release(NAME, client)
    with client:
        assert [client.code() for _ in range(len(replies) + 1)] == [*replies, 0]


def test_many_clients_at_once_are_all_served(service: Service) -> None:
    clients = [service.connect() for _ in range(20)]
    for number, client in enumerate(clients):
        client.begin()
        client.say(wire(a_mail(number)))
    assert [client.code() for client in clients] == [250] * 20
    assert sorted(service.box("box")) == sorted(a_mail(number) for number in range(20))
    for client in clients:
        client.close()


def test_the_line_about_a_message_names_its_user(make: Starter) -> None:
    service = make(env={"RULESMITH_SUMMARY": "json"})
    service.configure(ONE)
    service.start()
    assert service.hand(a_mail()) == 250
    [about] = service.summaries()
    assert (about["user"], about["outcome"]) == (NAME, "delivered")
