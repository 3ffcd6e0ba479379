"""Fixtures that many tests share, and the rule that CI skips nothing."""

from __future__ import annotations

import compileall
import gc
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
IN_CI = os.environ.get("CI", "").lower() not in ("", "0", "false")

# How long an example takes says how busy the machine is. CI draws the same examples for the same tests: what it finds
# can be found again. Everybody else's runs explore.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("everybody", UNTIMED)
settings.register_profile("ci", UNTIMED, derandomize=True, print_blob=True)
settings.load_profile("ci" if IN_CI else "everybody")

# A shell lets what it starts in the background ignore these, and so would everything that a test starts.
for number, way in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, way)


@pytest.fixture(scope="session")
def fdm22() -> Iterator[str]:
    """The real fdm 2.2, built with PCRE2: the path of a program that any user may run."""
    yield from _real_fdm("2.2")


@pytest.fixture(scope="session")
def fdm19() -> Iterator[str]:
    """The real fdm 1.9, with POSIX regexps."""
    yield from _real_fdm("1.9")


def _real_fdm(version: str) -> Iterator[str]:
    folder = ROOT / ".cache" / "oracle" / version
    install = subprocess.run(
        [ROOT / "tests/oracle/install", version, folder], capture_output=True, text=True, check=False
    )
    if install.returncode:
        pytest.skip(f"no fdm {version} to compare with: {install.stderr.strip()}")
    if os.geteuid():
        yield str(folder / "fdm")
        return
    # Tests that root runs as another user need it where that user can get at it.
    open_to_all = Path(tempfile.mkdtemp(prefix="fdm."))
    try:
        open_to_all.chmod(0o755)
        shutil.copytree(folder, open_to_all, symlinks=True, dirs_exist_ok=True)
        open_to_all.chmod(0o755)
        yield str(open_to_all / "fdm")
    finally:
        shutil.rmtree(open_to_all)


def pytest_configure() -> None:
    """Thousands of processes are started, many as users who cannot keep what they compile: it is there for all."""
    compileall.compile_dir(ROOT / "rulesmith", quiet=2)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests stay until the end: the collector need not walk over them in the middle of one."""
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A test that CI skipped has shown nothing, so there the run fails."""
    if IN_CI and exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if IN_CI:
        for where, reason in _skipped(terminalreporter.config):
            terminalreporter.write_line(f"SKIPPED, which CI does not allow: {where}: {reason}", red=True)


def _skipped(config: pytest.Config) -> list[tuple[str, str]]:
    reporter = config.pluginmanager.getplugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return [(report.nodeid, _reason(report.longrepr)) for report in reports]


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
