"""A configuration that changes while the server runs."""

from __future__ import annotations

import pytest

from tests.serve.conftest import Starter
from tests.serve.service import NAME, Service, a_mail, until


@pytest.fixture
def service(make: Starter) -> Service:
    made = make()
    made.configure('match all action maildir "first"\n')
    return made.start()


def test_the_next_message_goes_by_the_changed_rules(service: Service) -> None:
    assert service.hand(a_mail(1)) == 250
    service.configure('match all action maildir "second"\n')
    assert service.hand(a_mail(2)) == 250
    assert (service.box("first"), service.box("second")) == ([a_mail(1)], [a_mail(2)])


def test_a_file_that_is_included_counts_as_well(service: Service) -> None:
    more = service.folder / "more"
    for name in ("second", "third"):
        more.write_text(f'match all action maildir "{name}"\n')
        service.configure(f'include "{more}"\n')
        assert service.hand(a_mail()) == 250
        assert service.box(name) == [a_mail()]


def test_where_it_has_an_error_the_last_good_one_goes_on_and_that_is_said_once(service: Service) -> None:
    assert service.hand(a_mail(1)) == 250
    service.configure("match all action nonsense\n")
    clients = [service.connect() for _ in range(4)]
    for client in clients:
        client.begin()
    for number, client in enumerate(clients):
        client.say(b"Subject: %d\r\n\r\n.\r\n" % number)
    assert [client.code() for client in clients] == [250] * 4
    assert service.hand(a_mail(2)) == 250
    assert len(service.box("first")) == 6
    assert service.log.read_text().count("the last one that was right goes on") == 1
    for client in clients:
        client.close()
    service.configure('match all action maildir "second"\n')
    assert service.hand(a_mail(3)) == 250
    assert service.box("second") == [a_mail(3)]
    assert service.log.read_text().count("the configuration is in order again") == 1


def test_after_a_restart_too(service: Service) -> None:
    # What has changed just now may change again unseen, so its program is not kept yet.
    until(lambda: service.hand(a_mail(1)) == 250 and any(service.users.glob("*/.cache/rulesmith/*.program")))
    before = len(service.box("first"))
    service.configure("match all action nonsense\n")
    service.stop()
    service.start()
    assert service.hand(a_mail(2)) == 250
    assert len(service.box("first")) == before + 1


def test_one_that_was_never_right_keeps_the_mail_with_the_client_until_it_is(make: Starter) -> None:
    service = make()
    service.configure("match all action nonsense\n")
    service.start()
    for _ in range(3):
        assert service.hand(a_mail()) == 451
    assert service.log.read_text().count("mail waits until it is right") == 1
    service.configure('match all action maildir "first"\n')
    assert service.hand(a_mail()) == 250
    assert service.box("first") == [a_mail()]


def test_what_a_command_says_is_asked_for_each_message(service: Service) -> None:
    """As each start of `fdm` does."""
    here = service.users / NAME
    service.configure("$box = $(cat name)\nmatch all action maildir $box\n")
    for name in ("second", "third"):
        (here / "name").write_text(name)
        assert service.hand(a_mail()) == 250
        assert service.box(name) == [a_mail()]
