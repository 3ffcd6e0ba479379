"""The s6 services of fetchmail's processes: their names, their scripts, their folders."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rulesmith.container.accounts import acting_as
from rulesmith.container.rc_words import words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rulesmith.container.accounts import Account
    from rulesmith.container.fetchmailrc import Process
    from rulesmith.container.places import Places

# Octets of an escaped name: `fetch:NAME:N` has to be a file's name.
LONGEST = 230
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@._+-")

# Tenths of a second that a delivery under way is given: when the container ends, and when only this service does; and
# then rulesmith, to bring it to a point from which it can be continued.
HURRY = 28
PATIENT = 600
DOOR = 22

_RUN = """\
#!/bin/sh
{marks}
exec 1<>{log} 2>&1
{pause} {name} || exit 1
umask 077
export RULESMITH_SUMMARY=json
{open_gate}read -r until 2>/dev/null <data/not-before || until=0
rest=$((until - $(date +%s)))
if [ "$rest" -gt 0 ]; then
    echo "fetchmail: starts again in $rest seconds: too many logins were refused, or too many answers did not come"
    sleep "$rest"
fi
sh -c 'export RULESMITH_CALLER="$$"; exec "$@"' sh {fetchmail} &
fetchmail=$!
left=
below() {{ # PROCESS: those that it has started
    children=
    read -r children <"/proc/$1/task/$1/children"
}}
clock() {{ # hundredths of a second
    read -r now _ </proc/uptime
    now=${{now%.*}}${{now#*.}}
}}
# What rulesmith is told to leave it puts into the queue, or leaves to the provider; fetchmail hears which.
ask_rulesmith() {{
    for shell in $children; do
        below "$shell"
        for each in "$shell" $children; do
            read -r name <"/proc/$each/comm" && [ "$name" = fdm ] && kill -s TERM "$each"
        done
    done
}}
signal_below() ( # SIGNAL PROCESS
    below "$2"
    for each in $children; do
        signal_below "$1" "$each"
        kill -s "$1" "$each"
    done
)
# fetchmail would end in the middle of a message, or before it has told the provider that the message is delivered. So
# it is stopped again and again for most of a moment, until it has done with its message or has only begun with another.
leave() {{
    trap '' TERM
    left=yes
    read -r patience <data/patience
{close_gate}    clock
    ask=$((now + patience * 10)) end=$((now + patience * 10 + {door} * 10))
    first= quiet=0
    while kill -s STOP "$fetchmail"; do
        while read -r _ _ state _ <"/proc/$fetchmail/stat"; do
            case $state in R | S) ;; *) break ;; esac
        done
        below "$fetchmail"
        clock
        if [ -z "$children" ]; then
            quiet=$((quiet + 1))
            [ "$quiet" -lt 5 ] || break
        elif [ "$quiet" -gt 0 ] || [ "$children" != "${{first:-$children}}" ] || [ "$now" -ge "$end" ]; then
            # Stopped first, so that nobody takes another's end for the end of the message.
            signal_below STOP "$fetchmail"
            signal_below KILL "$fetchmail"
            break
        else
            first=$children
            if [ "$now" -ge "$ask" ]; then
                ask=$end
                ask_rulesmith
            fi
            sleep 0.08
        fi
        kill -s CONT "$fetchmail"
        sleep 0.02
    done 2>/dev/null
    kill -s TERM "$fetchmail"
    kill -s CONT "$fetchmail"
}}
trap leave TERM
wait "$fetchmail"
status=$?
[ -z "$left" ] || {{ wait "$fetchmail"; status=$?; }}
exit "$status"
"""

# The server takes messages for a recipient while there is his file, and holds it locked until fetchmail has the answer.
# What fetchmail does with that, it does in the moment that it is looked at afterwards.
_OPEN = """\
(umask 022; echo {home} >{gate}.new && mv {gate}.new {gate}) || exit 1
"""
_CLOSE = """\
    if [ -e {gate} ]; then
        exec 9<{gate}
        rm {gate}
        flock -x -w $(((patience + {door}) / 10)) 9
    fi
"""

_FINISH = """\
#!/bin/sh
# Nothing of this run may meet the next one.
kill -s KILL -- "-$4" 2>/dev/null
# It has given up: logins were refused, and more of them soon would lock the account; or the provider did not answer.
[ "$1" != 3 ] || echo "$(($(date +%s) + 600))" >data/not-before
exit 0
"""


def escape(name: str) -> str:
    """A user's name as a part of a file's name."""
    return "".join(chr(octet) if octet in _SAFE else f"={octet:02X}" for octet in os.fsencode(name))


def unescape(part: str) -> str:
    """The name again."""
    first, *rest = os.fsencode(part).split(b"=")
    return os.fsdecode(first + b"".join(bytes([int(each[:2], 16)]) + each[2:] for each in rest))


@dataclass(frozen=True)
class Service:
    """One fetchmail under s6."""

    name: str
    run: str
    process: Process
    # The fetchmailrc that it reads, and what is in it.
    file: Path
    text: bytes

    def folder(self, places: Places) -> Path:
        """Where its scripts lie."""
        return places.services / self.name


def wanted(places: Places, user: str, processes: Iterable[Process]) -> list[Service]:
    """A user's services. A process that runs already keeps its number, wherever its account stands in the file now."""
    running = {number: script(places, name).splitlines()[1:3] for name, number in existing(places, user).items()}
    rest = list(processes)
    numbered: dict[int, Process] = {}
    # Those that are the same in everything; then those that are of the same mailbox.
    for marks in (slice(0, 2), slice(1, 2)):
        for number, lines in running.items():
            same = next((process for process in rest if lines and _marks(process)[marks] == lines[marks]), None)
            if same is not None and number not in numbered:
                numbered[number] = same
                rest.remove(same)
    for process in rest:
        numbered[next(number for number in range(len(numbered) + 1) if number not in numbered)] = process
    return [_service(places, user, number, process) for number, process in sorted(numbered.items())]


def existing(places: Places, user: str | None = None) -> dict[str, int]:
    """The services there are, of one user or of all, and their numbers."""
    if not places.services.exists():
        return {}
    found = {}
    for folder in sorted(places.services.iterdir()):
        kind, whose, number = (*folder.name.split(":"), "", "", "")[:3]
        if kind == "fetch" and number.isdigit() and (user is None or whose == escape(user)):
            found[folder.name] = int(number)
    return found


def _marks(process: Process) -> list[str]:
    """Comments in a script that say what it does: neither blanks nor another's lines make a difference."""
    text = process.text.decode("latin-1")
    said = [text[word.start : word.end] for word in words(text)]
    return [f"# {hashlib.sha256(repr((said, process.interval)).encode()).hexdigest()}", f"# {process.idfile}"]


def script(places: Places, name: str) -> str:
    """How a service is run now; nothing where its folder is not complete."""
    try:
        return (places.services / name / "run").read_text()
    except FileNotFoundError:
        return ""


def _service(places: Places, user: str, number: int, process: Process) -> Service:
    name = f"fetch:{escape(user)}:{number}"
    home = places.home(user)
    file = home / f"fetchmailrc.{number}"
    fetchmail = [*places.become_mail, "env", "-C", home, f"HOME={home}", f"FETCHMAILHOME={home}"]
    fetchmail += [f"USER={places.mail_name}", f"LOGNAME={places.mail_name}", *places.fetchmail, "-f", file]
    fetchmail += [
        "--nodetach",
        "--nosyslog",
        "--verbose",
        "-d",
        process.interval,
        "--pidfile",
        home / f"fetchmail.{number}.pid",
    ]
    fetchmail += ["--idfile", places.idfiles(user) / process.idfile]
    gate = _quoted([places.recipients / name])
    text = process.text
    if process.recipient:
        text = text.replace(process.recipient.encode(), name.encode())
    run = _RUN.format(
        open_gate=_OPEN.format(home=_quoted([home]), gate=gate) if process.recipient else "",
        close_gate=_CLOSE.format(gate=gate, door=DOOR) if process.recipient else "",
        marks="\n".join(_marks(process)),
        log=_quoted([places.logs / name]),
        pause=_quoted(places.pause),
        name=_quoted([name]),
        fetchmail=_quoted(fetchmail),
        door=DOOR,
    )
    return Service(name, run, process, file, text)


def _quoted(argv: Iterable[object]) -> str:
    return shlex.join(map(str, argv))


def write(places: Places, service: Service) -> None:
    """Lay out what a service needs; the script that names its file comes last, as it is looked at first."""
    folder = service.folder(places)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "data" / "not-before").unlink(missing_ok=True)
    _put(folder / "data" / "patience", f"{HURRY}\n", 0o644)
    _put(folder / "timeout-kill", f"{(PATIENT + DOOR) * 100 + 10_000}\n", 0o644)
    _put(folder / "finish", _FINISH, 0o755)
    pipe = places.logs / service.name
    if not pipe.exists():
        os.mkfifo(pipe, 0o600)
        pipe.chmod(0o666)
    write_secret(service.file, service.text, places.mail)
    _put(folder / "run", service.run, 0o755)


def patiently(places: Places, name: str) -> None:
    """From now on its end may wait for a delivery under way."""
    _put(places.services / name / "data" / "patience", f"{PATIENT}\n", 0o644)


def remove(places: Places, name: str) -> None:
    """Forget a service that runs no more, and the copy of the fetchmailrc that it read."""
    _, user, number = name.split(":")
    home = places.home(unescape(user))
    if home.is_dir():
        with acting_as(places.mail):
            (home / f"fetchmailrc.{number}").unlink(missing_ok=True)
    (places.recipients / name).unlink(missing_ok=True)
    shutil.rmtree(places.services / name)


def _put(path: Path, text: str, mode: int) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text)
    fresh.chmod(mode)
    fresh.rename(path)


def write_secret(path: Path, content: bytes, owner: Account) -> None:
    """A file in a folder of the owner's that only he reads, in one step."""
    fresh = path.with_name(f".{path.name}.new")
    with acting_as(owner):
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
