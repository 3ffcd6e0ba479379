"""What is in the image, and what is not."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.image.house import Container, tool

MEGABYTES = 300


def test_it_is_small(capsys: pytest.CaptureFixture[str]) -> None:
    told = tool("contents").out.decode()
    with capsys.disabled():
        print("\n" + told)
    assert int(re.findall(r": (\d+) MB", told)[0]) < MEGABYTES


def test_it_says_what_it_is() -> None:
    config = json.loads(tool("inspect", "{{json .Config}}").out)
    assert config["Labels"]["org.opencontainers.image.licenses"] == "GPL-3.0-or-later"
    assert set(config["ExposedPorts"]) == {"143/tcp", "993/tcp", "11334/tcp"}
    assert set(config["Volumes"]) == {"/config", "/home/vmail", "/var/lib/redis", "/var/lib/rspamd"}
    assert config["StopSignal"] in ("SIGTERM", "15")
    # docker and podman keep it in different places.
    check = config.get("Healthcheck") or json.loads(tool("inspect", "{{json .HealthCheck}}").out)
    assert check["Test"] == ["CMD", "rulesmith", "health"]


def test_it_names_no_host_that_its_packages_came_from(container: Container) -> None:
    hosts = package_hosts()
    if not hosts:
        return
    script = 'grep -rlaF "$0" /etc /opt /root /tmp /usr /var 2>/dev/null; echo searched'
    container.run(command=("sh", "-c", script, "\n".join(sorted(hosts))))
    assert container.saw("searched") == "searched"
    assert container.logs().split() == ["searched"]


def package_hosts() -> set[str]:
    """Where this machine has its packages from; Debian's own servers are no secret."""
    places = [*Path("/etc/apt").rglob("*.list"), *Path("/etc/apt").rglob("*.sources"), Path("/etc/pip.conf")]
    texts = [path.read_text(errors="replace") for path in places if path.is_file()]
    texts += [value for name, value in os.environ.items() if name.startswith("PIP_")]
    found = {host for text in texts for host in re.findall(r"https?://(?:[^/@\s]*@)?([^/:\s]+)", text)}
    return {host for host in found if not host.endswith(("debian.org", "pypi.org", "pythonhosted.org"))}


def test_it_has_no_key_and_no_tool_that_its_services_do_not_need(container: Container) -> None:
    script = """
        find / -xdev -name '*.key' -size +0 -not -path '*/share/*' -o -xdev -name 'ssl-cert-snakeoil*'
        command -v gcc pip pip3 perl5 curl wget
        find / -xdev -perm /6000 -type f
        echo searched
    """
    container.run(command=("sh", "-c", script))
    assert container.saw("searched")
    left = [line for line in container.logs().split() if line != "searched"]
    # What Debian's base has; nothing of it is of use under no-new-privileges.
    assert [path for path in left if not re.fullmatch(r"/usr/(s?bin|lib/[\w/.-]+)/[\w.-]+", path)] == []
    assert [path for path in left if path.endswith((".key", ".pem"))] == []


def test_packages_can_be_added_to_it(container: Container) -> None:
    container.run(command=("sh", "-c", "apt-get check && dpkg --audit && echo whole"))
    assert container.saw("whole")


def test_python_finds_everything_compiled(container: Container) -> None:
    script = """
import pathlib, sys
import rulesmith.fdm, rulesmith.mda
cached = {name: getattr(module, "__cached__", None) for name, module in list(sys.modules.items())}
print("old", [name for name, file in cached.items() if file and not pathlib.Path(file).exists()])
"""
    container.run(command=("/opt/rulesmith/bin/python3", "-I", "-c", script))
    assert container.saw("old") == "old []"
