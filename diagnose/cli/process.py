"""When this process began, and how it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

UNKNOWN = 3
"""The exit code of every usage error and crash of ours: click's own 2 would read as critical."""


def leave(code: int) -> NoReturn:
    """End the process at once.

    A thread or a helper that is stuck in the kernel must not hold the exit.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a full disk: what was asked for is not there
            code = UNKNOWN
    os._exit(code)


@contextmanager
def printing_a_script() -> Iterator[None]:
    """What is refused in here fails in the shell that reads the script, too.

    A shell that reads nothing ends with 0, and what follows its `&&` would run.
    """
    try:
        yield
    except click.ClickException:
        if not sys.stdout.isatty():
            click.echo("exit 1")
        raise


def began() -> float:
    """When this process began, on the monotonic clock.

    The budget counts from there, not from our first line.
    """
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        age = 0.0
    return time.monotonic() - max(0.0, age)
