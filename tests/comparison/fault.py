"""The faults of the table: each begins one, and ends it when the block it surrounds is done."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.comparison.trial import DOOR, RULES, WAY, Plans, Trial, letters, nothing, some, spam
from tests.faults.house import HOME, USER
from tests.scan.scripted import ok, rspamd, says

PATIENCE = 60.0  # seconds
SOON = 10.0  # seconds; a message that nothing is wrong with is there within one or two
DRAIN = "cat >/dev/null; "
SECOND = '"$*" in *Received*'

Act = Callable[[Trial], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """A row: its words, what is done, and the messages that come in meanwhile."""

    name: str
    act: Act
    plans: Callable[[], Plans] = some


def deliver(fault: str) -> Act:
    """deliver begins with a piece of shell."""

    @contextlib.contextmanager
    def act(trial: Trial) -> Iterator[None]:
        trial.house.break_deliver(fault)
        yield
        trial.house.idle()
        trial.house.heal()

    return act


def rules(change: Callable[[str], str], mode: int = 0o600) -> Act:
    """The configuration is another one."""

    @contextlib.contextmanager
    def act(trial: Trial) -> Iterator[None]:
        trial.house.configure(change(RULES))
        (trial.house.bed.home / "fdm.conf").chmod(mode)
        yield
        trial.house.configure(RULES)

    return act


@contextlib.contextmanager
def no_rules(trial: Trial) -> Iterator[None]:
    (trial.house.bed.home / "fdm.conf").unlink()
    yield
    trial.house.configure(RULES)


@contextlib.contextmanager
def no_rspamd(trial: Trial) -> Iterator[None]:
    trial.spam.signal("rspamd", signal.SIGKILL)
    yield
    trial.spam.start("rspamd")


@contextlib.contextmanager
def stopped_rspamd(trial: Trial) -> Iterator[None]:
    trial.spam.signal("rspamd", signal.SIGSTOP)
    yield
    trial.spam.signal("rspamd", signal.SIGCONT)


@contextlib.contextmanager
def half_a_reply(trial: Trial) -> Iterator[None]:
    reply = trial.spam.reply(next(iter(trial.plans)))
    with rspamd(says(reply[: len(reply) // 2])) as server:
        trial.open_door(url=server.url)
        yield
    trial.open_door()


@contextlib.contextmanager
def status_500(trial: Trial) -> Iterator[None]:
    with rspamd(says(ok(b'{"error":"out of luck"}', status=b"500 Internal Server Error"))) as server:
        trial.open_door(url=server.url)
        yield
    trial.open_door()


@contextlib.contextmanager
def killed_rspamc(trial: Trial) -> Iterator[None]:
    program = trial.house.config / "rspamc"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    trial.open_door(client="/config/rspamc")
    yield
    trial.open_door()


@contextlib.contextmanager
def trusting_rules(trial: Trial) -> Iterator[None]:
    """Rules that believe `X-Spam-Action: no action`."""
    trial.house.configure(RULES.replace('match "^X-Spam: yes"', 'match not "^X-Spam-Action: no action"'))
    yield


def forged() -> Plans:
    head = b"X-Spam-Status: No\nX-Spam-Action: no action\nX-Spam-Score: -5.00 / 15.00\n"
    return {head + text: plan for text, plan in spam().items()}


@contextlib.contextmanager
def no_deliver(trial: Trial) -> Iterator[None]:
    (trial.house.config / "deliver").unlink()
    yield
    trial.house.heal()


@contextlib.contextmanager
def hanging_deliver(trial: Trial) -> Iterator[None]:
    """It waits at a gate, and whatever is still waiting there in the end goes away."""
    house = trial.house
    house.configure("set timeout 2\n" + RULES)
    gate = house.bed.begin("sh", "-c", "exec flock ~/gate tail -f /dev/null")
    _until(lambda: house.bed.run("flock", "--nonblock", f"{HOME}/gate", "true").status != 0)
    house.break_deliver(f"{DRAIN}exec flock ~/gate true")
    yield
    house.bed.signal(gate, signal.SIGKILL, group=True)
    house.bed.wait(gate)
    house.idle()
    house.heal()
    house.configure(RULES)


@contextlib.contextmanager
def no_dovecot(trial: Trial) -> Iterator[None]:
    trial.end_dovecot()
    yield
    trial.house.local.restart()


@contextlib.contextmanager
def full_mailbox(trial: Trial) -> Iterator[None]:
    house = trial.house
    house.empty("home")
    mailbox = house.local.mail / USER
    # A link without a root, so that it means the same seen from outside.
    mailbox.symlink_to("../../small/home")
    trial.after.callback(mailbox.unlink)
    house.fill("home", 0)
    yield
    house.bed.run("rm", "/small/home/ballast")


@contextlib.contextmanager
def quota(trial: Trial) -> Iterator[None]:
    trial.house.break_deliver(f'exec /usr/libexec/dovecot/deliver {trial.house.small_quota} "$@"')
    yield
    trial.house.heal()


@contextlib.contextmanager
def full_temporary_folder(trial: Trial) -> Iterator[None]:
    trial.house.empty("state")
    trial.house.fill("state", 0)
    trial.open_door(more="export TMPDIR=/small/state")
    yield
    trial.open_door()
    trial.house.empty("state")


def ended(number: int, deliver_too: bool) -> Act:
    """Once, as the second deliver of a message begins, the program that started it gets a signal."""
    last = "exit 75" if deliver_too else "true"
    return deliver(f"case {SECOND}) [ -e ~/once ] || {{ touch ~/once; kill -{int(number)} $DOOR; {last}; }};; esac")


@contextlib.contextmanager
def too_small_a_maximum(trial: Trial) -> Iterator[None]:
    yield
    trial.house.configure(RULES.replace("100K", "10M"))


@contextlib.contextmanager
def by_hand(trial: Trial) -> Iterator[None]:
    """fetchmail would alter the message, so somebody else hands it over, in the same way."""
    trial.by_hand = lambda text: text
    yield


@contextlib.contextmanager
def nothing_at_first(trial: Trial) -> Iterator[None]:
    """Whoever hands over has died: no octets at all."""
    trial.by_hand = lambda _: b""
    yield
    trial.by_hand = lambda text: text


@contextlib.contextmanager
def compared_with_what_was_handed(trial: Trial) -> Iterator[None]:
    (trial.house.bed.home / "handed").mkdir()
    trial.house.bed.own(trial.house.bed.home)
    yield


@contextlib.contextmanager
def idle(trial: Trial) -> Iterator[None]:
    """fetchmail waits for mail; the first message fails, and another comes after it."""
    house = trial.house
    bad, good = trial.plans
    house.break_deliver(
        "cat >/tmp/m; ! grep -q '^Subject: number 0$' /tmp/m || { touch ~/seen; exit 75; }\n"
        '/usr/libexec/dovecot/deliver "$@" </tmp/m; exit $?'
    )
    house.send([bad])
    fetchmail = house.bed.begin(*house.fetching.command(f"{WAY} idle", DOOR, every=300))
    _until((house.bed.home / "seen").exists)
    # It has to be back in its waiting, or in its sleep.
    house.send([good])
    # Delivered, and taken out of the provider's mailbox: fetchmail shall not bring it again because it was ended.
    came = _until(lambda: good not in trial.house.fetching.waiting(WAY), SOON)
    trial.others_held_up = int(not came)
    house.bed.signal(fetchmail, signal.SIGTERM)
    house.bed.wait(fetchmail)
    trial.sent = True
    yield
    house.heal()


def _until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def with_nul() -> Plans:
    return {text.replace(b"This is", b"This\0is"): plan for text, plan in letters(1).items()}


def without_a_blank_line() -> Plans:
    return {text.partition(b"\n\n")[0] + b"\n": plan for text, plan in letters(1).items()}


def with_a_long_line() -> Plans:
    return {text + b"x" * 70_000 + b"\nend\n": plan for text, plan in letters(1).items()}


FAULTS = [
    Fault("no fault at all", nothing),
    Fault("rspamd does not run", no_rspamd),
    Fault("rspamd hangs", stopped_rspamd, spam),
    Fault("rspamd dies in the middle of its answer", half_a_reply),
    Fault("rspamd answers 500", status_500),
    Fault("the scanning command is killed", killed_rspamc),
    Fault("spam with forged X-Spam fields", nothing, forged),
    Fault("the same, and rules that trust such fields", trusting_rules, forged),
    Fault("`deliver` is missing", no_deliver),
    *(Fault(f"`deliver` ends with {status}", deliver(f"{DRAIN}exit {status}")) for status in (67, 75, 77, 127)),
    Fault("`deliver` is killed", deliver("kill -9 $$")),
    Fault("`deliver` hangs, `set timeout 2`", hanging_deliver, lambda: letters(1)),
    Fault("`deliver` reads nothing and fails, 90 KB", deliver("exit 75"), lambda: letters(2, 90_000)),
    Fault("the first delivery works, the second fails", deliver(f"case {SECOND}) {DRAIN}exit 75;; esac")),
    Fault("Dovecot does not run", no_dovecot, letters),
    Fault("the user's name is misspelt in a rule", rules(lambda text: text.replace("-d user@", "-d usr@"))),
    Fault("the disk under the mailbox is full", full_mailbox),
    Fault("the mailbox is over its quota", quota),
    Fault("`TMPDIR` is full", full_temporary_folder),
    Fault("the configuration is broken", rules(lambda text: text.replace("match all action", "match all actoin"))),
    Fault("the configuration is missing", no_rules),
    Fault("the configuration may not be read", rules(lambda text: text, mode=0)),
    Fault("no rule matches", rules(lambda text: text[: text.index("match all")])),
    Fault("SIGKILL between two deliveries", ended(signal.SIGKILL, deliver_too=True), lambda: letters(1)),
    Fault("SIGKILL during the second delivery", ended(signal.SIGKILL, deliver_too=False), lambda: letters(1)),
    Fault("SIGTERM between two deliveries", ended(signal.SIGTERM, deliver_too=True), lambda: letters(1)),
    Fault("larger than `maximum-size`, which is then raised", too_small_a_maximum, lambda: letters(1, 200_000)),
    Fault("0 octets at first, then the message (by hand)", nothing_at_first),
    Fault("a NUL in the body (by hand)", by_hand, with_nul),
    Fault("no blank line (by hand)", by_hand, without_a_blank_line),
    Fault("a line of 70,000 octets, as fetchmail hands it over", compared_with_what_was_handed, with_a_long_line),
    Fault("one message always fails while fetchmail is in IDLE", idle, letters),
]
