"""/config/etc over /etc, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulesmith.container.config_etc import install


class House:
    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self.source, self.etc, self.pristine = folder / "config/etc", folder / "etc", folder / "pristine"
        for each in (self.etc, self.pristine):
            (each / "dovecot").mkdir(parents=True)
            (each / "dovecot/dovecot.conf").write_text("the image's\n")
        self.source.mkdir(parents=True)

    def put(self, name: str, text: str = "own\n") -> Path:
        path = self.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def start(self) -> list[str]:
        return [
            str(path.relative_to(self.etc)) for path in install(self.source, self.etc, self.pristine, self.said.append)
        ]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_own_files_win_and_new_ones_are_added(house: House) -> None:
    house.put("dovecot/dovecot.conf")
    house.put("dovecot/deep/er/local.conf")
    assert house.start() == ["dovecot/deep/er/local.conf", "dovecot/dovecot.conf"]
    assert (house.etc / "dovecot/dovecot.conf").read_text() == "own\n"
    assert (house.etc / "dovecot/deep/er/local.conf").read_text() == "own\n"
    assert house.said == []


def test_what_is_taken_away_is_the_images_again_at_the_next_start(house: House) -> None:
    house.put("dovecot/dovecot.conf").chmod(0o600)
    house.put("dovecot/local.conf")
    house.start()
    for path in house.source.rglob("*.conf"):
        path.unlink()
    assert house.start() == []
    assert (house.etc / "dovecot/dovecot.conf").read_text() == "the image's\n"
    assert not (house.etc / "dovecot/local.conf").exists()


def test_daemons_can_read_what_only_root_could(house: House) -> None:
    house.put("dovecot/local.conf").chmod(0o600)
    house.put("script").chmod(0o700)
    house.put("ssl/dovecot/server.key").chmod(0o644)
    house.start()
    modes = {name: (house.etc / name).stat().st_mode & 0o777 for name in ("dovecot/local.conf", "script")}
    assert modes == {"dovecot/local.conf": 0o644, "script": 0o755}
    assert (house.etc / "ssl/dovecot/server.key").stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(house: House) -> None:
    (house.source / "localtime").symlink_to("/usr/share/zoneinfo/Europe/Helsinki")
    house.start()
    assert str((house.etc / "localtime").readlink()) == "/usr/share/zoneinfo/Europe/Helsinki"
    house.start()
    assert str((house.etc / "localtime").readlink()) == "/usr/share/zoneinfo/Europe/Helsinki"


def test_what_the_engine_mounts_is_left_alone(house: House) -> None:
    house.put("hosts")
    assert house.start() == []
    assert "container engine" in house.said[0]


def test_a_file_in_the_place_of_a_folder_is_said_and_the_rest_copied(house: House) -> None:
    house.put("dovecot/dovecot.conf/strange")
    house.put("zzz")
    assert house.start() == ["zzz"]
    assert "strange cannot be copied" in house.said[0]


def test_nothing_there_is_nothing_to_say(house: House) -> None:
    house.source.rmdir()
    assert house.start() == []
    assert house.said == []
