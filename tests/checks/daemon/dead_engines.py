"""Engines that are dead, for tests of what is said of them."""

from __future__ import annotations

from diagnose.model import Unavailable

MISSING = Unavailable("missing", "/var/run/docker.sock: No such file or directory")
UP = 'time="2026-01-02T03:04:05Z" level=info msg="Starting up"'
