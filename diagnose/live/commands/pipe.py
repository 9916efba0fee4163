"""Bytes through a program: into its stdin and out of its stdout, never by way of a file."""

import subprocess
from collections.abc import Sequence

import msgspec

from diagnose.live import Refused
from diagnose.live.commands.run import find

SECONDS = 120
"""A person may have to type a passphrase, or to touch a key."""


class PipeEnd(msgspec.Struct, frozen=True):
    """How the program ended, what it gave, and what it said."""

    code: int
    output: bytes
    complaint: str


def through(name: str, arguments: Sequence[str], data: bytes) -> PipeEnd:
    """The output of a program for these bytes. It keeps the user's environment, where its keys are.

    Raises Refused("missing") if the program is not installed, Refused("timed out").
    """
    program = find(name)
    try:
        done = subprocess.run(
            [program, *arguments], input=data, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Refused("timed out", f"{name} did not end within {SECONDS} s") from None
    return PipeEnd(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
