"""The parts of files of settings that checks ask for."""

from typing import Literal

Parts = Literal[
    "address lists",
    "addresses",
    "backends",
    "certificates",
    "created",
    "crontab",
    "dns upstreams",
    "first certificate",
    "hidden",
    "jobs",
    "log paths",
    "loopback",
    "maintenance",
    "members",
    "names",
    "own address",
    "proxying",
    "scrape targets",
    "secrets",
    "servers",
    "sites",
    "stopped by hand",
    "time limits",
    "trusted domains",
    "upload limits",
    "urls",
    "used variables",
]
"""Which parts of a file are kept (`live/disk/parts.py`). Where a few lines will do, a user's file
is neither searched for secrets nor recorded whole."""
OTHER_SOURCE = "-"
"""Stands among the log paths of a collector for a source that is not a file: a journal, an engine,
a port."""
