"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import os
import pwd

import click

RUN_COMMANDS = click.option(
    "--run-commands", is_flag=True, help="Run the $( ) and %( ) commands of the file and those of conditions."
)
DEFINES = click.option("-D", "defines", multiple=True, metavar="NAME=VALUE", help="Define a macro, as in fdm(1).")
USER = click.option("-u", "user", metavar="USER", help="The default user, as in fdm(1).")
HOME = click.option("-h", "home_from_environment", is_flag=True, help="Home is $HOME, as in fdm(1).")


def invoker(home_from_environment: bool) -> tuple[bytes, int, int, bytes]:
    """The user who runs us: name, uid, gid and home."""
    entry = pwd.getpwuid(os.getuid())
    home = os.environ.get("HOME", entry.pw_dir) if home_from_environment else entry.pw_dir
    return os.fsencode(entry.pw_name), entry.pw_uid, entry.pw_gid, os.fsencode(home)


def default_config(home: bytes) -> str:
    """HOME/.fdm.conf if it can be read, else /etc/fdm.conf (fdm(1), FILES)."""
    path = os.fsdecode(home) + "/.fdm.conf"
    return path if os.access(path, os.R_OK) else "/etc/fdm.conf"
