"""The calls of the system, replaced: what runs for every message asks `posix` for them, everything else `os`."""

from __future__ import annotations

import os
import posix
from collections.abc import Callable
from typing import Any

import pytest


def install(name: str, call: Callable[..., Any]) -> None:
    """For the rest of this process."""
    for module in (os, posix):
        setattr(module, name, call)


def replace(patch: pytest.MonkeyPatch, name: str, call: Callable[..., Any]) -> None:
    """For one test."""
    for module in (os, posix):
        patch.setattr(module, name, call)
