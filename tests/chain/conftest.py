"""The bed and its servers, made once for all tests of the chain."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.chain.bed import Bed
from tests.chain.dovecot import Dovecot
from tests.parts import needed


@pytest.fixture(scope="session")
def bed() -> Iterator[Bed]:
    made = needed(Bed)
    yield made
    made.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def _dovecot(bed: Bed, authority: Authority) -> Dovecot:
    return Dovecot(bed, "dovecot", authority.issue("good"), mail="vmail")


@pytest.fixture(scope="session")
def _provider(bed: Bed, authority: Authority) -> Dovecot:
    return Dovecot(bed, "provider", authority.issue("good"), mail="provider")


@pytest.fixture
def dovecot(bed: Bed, _dovecot: Dovecot) -> Dovecot:
    """The local server, whose mailboxes deliver fills; they are empty at first, and no message is known yet."""
    shutil.rmtree(bed.home / ".local", ignore_errors=True)
    _dovecot.clear()
    return _dovecot


@pytest.fixture
def provider(_provider: Dovecot) -> Dovecot:
    """The server mail is fetched from; its mailboxes are empty at first."""
    _provider.clear()
    return _provider


@pytest.fixture
def ca(authority: Authority) -> Path:
    """The certificate that vouches for the servers."""
    return authority.path
