"""The fetchmail services that run, brought step by step to those that should: nobody waits for another's end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rulesmith.container import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rulesmith.container.fetchmailrc import Process
    from rulesmith.container.places import Places
    from rulesmith.container.s6 import S6
    from rulesmith.container.services import Service


class Fetchers:
    """`ready` says what mail that is fetched now would lack; once it lacked nothing, s6 looks after the daemons."""

    def __init__(self, places: Places, s6: S6, ready: Callable[[], str], say: Callable[[str, str], None]) -> None:
        self._places = places
        self._s6 = s6
        self._ready = ready
        self._say = say
        self._may_start = False
        self._reason = ""
        # Asked to end, to be another or none; and no longer watched, as there shall be none.
        self._ending: set[str] = set()
        self._dropped: set[str] = set()
        self._known: set[str] = set()
        self._failed: dict[str, str] = {}

    def has(self, user: str) -> bool:
        """Whether a service of this user is left."""
        return bool(services.existing(self._places, user))

    def look(self, processes: Mapping[str, list[Process]]) -> None:
        """One step for every service that is not as it should be."""
        wanted = {
            service.name: (user, service)
            for user, each in processes.items()
            for service in services.wanted(self._places, user, each)
        }
        for name in services.existing(self._places):
            self._carefully("", name, partial(self._mend, name, wanted.get(name)))
        missing = [each for name, each in wanted.items() if name not in services.existing(self._places)]
        if missing and not self._may_start:
            self._wait()
        if self._may_start:
            for user, service in missing:
                self._carefully(user, service.name, partial(self._add, user, service))

    def _wait(self) -> None:
        reason = self._ready()
        if reason and reason != self._reason:
            self._say("", f"fetching waits for {reason}")
        self._reason = reason
        self._may_start = not reason

    def _carefully(self, user: str, name: str, step: Callable[[], None]) -> None:
        """What cannot be done for one service is tried again at the next look, and told once."""
        try:
            step()
        except OSError as error:
            if self._failed.get(name) != str(error):
                self._say(user, f"{name}: {error}")
            self._failed[name] = str(error)
        else:
            self._failed.pop(name, None)

    def _add(self, user: str, service: Service) -> None:
        services.write(self._places, service)
        self._s6.add(service.folder(self._places))
        self._known.add(service.name)
        self._say(user, f"fetchmail {service.process.does}")

    def _mend(self, name: str, wanted: tuple[str, Service] | None) -> None:
        folder = self._places.services / name
        if name in self._dropped:
            if not self._s6.watched(folder):
                self._remove(name)
            return
        if wanted and name not in self._ending and services.script(self._places, name) == wanted[1].run:
            self._see_that_it_runs(name)
            return
        if not self._s6.watched(folder):
            # An earlier keeper was ended while it began with it, or while it was about to end it.
            self._s6.drop(folder)
            self._remove(name)
            return
        if name not in self._ending:
            services.patiently(self._places, name)
            self._s6.down(folder)
            self._ending.add(name)
        if self._s6.runs(folder):
            return
        self._ending.discard(name)
        if wanted is None:
            self._s6.drop(folder)
            self._dropped.add(name)
            return
        user, service = wanted
        services.write(self._places, service)
        self._s6.up(folder)
        self._known.add(name)
        self._say(user, f"fetchmail was started again and {service.process.does}")

    def _see_that_it_runs(self, name: str) -> None:
        """An earlier keeper may have been ended between laying a service out and starting it."""
        if name in self._known:
            return
        folder = self._places.services / name
        self._s6.add(folder)
        if self._s6.watched(folder):
            self._s6.up(folder)
            self._known.add(name)

    def _remove(self, name: str) -> None:
        services.remove(self._places, name)
        self._dropped.discard(name)
        self._ending.discard(name)
        self._known.discard(name)
