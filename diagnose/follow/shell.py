"""The only place of the tool whose commands change a host.

What the engineer has agreed to, by `sh -c`, as it was shown.
"""

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from diagnose.reach import itself

_KEPT = 64_000
"""Characters of one command's output that are kept for the transcript."""
_LINGER_S = 1.0
"""So long output is awaited after a command has ended: what it left in the background may keep the
pipe open."""
_DIAGNOSIS_S = 120


class CommandEnd(msgspec.Struct, frozen=True):
    """How a command ended."""

    code: int
    """Its exit code, negative for a signal."""
    output: str
    """Stdout and stderr as they came, the first part of much."""
    seconds: float


def run(text: str, stream: Callable[[str], None]) -> CommandEnd:
    """Run commands, and pass on what they print.

    Ctrl-C reaches the command itself, which is on the same terminal.

    stdin is empty: what is typed is an answer to the tool, never input of a command.
    """
    began = time.monotonic()
    lines: list[str] = []

    def take(piece: str) -> None:
        lines.append(piece)
        stream(piece)

    process = subprocess.Popen(
        ["/bin/sh", "-c", text],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        _pass_on(process, take)
        code = process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
        raise
    finally:
        process.stdout.close()
    return CommandEnd(code, "".join(lines)[:_KEPT], time.monotonic() - began)


def _pass_on(process: subprocess.Popen[bytes], take: Callable[[str], None]) -> None:
    """Read the output until its end, or until a moment after the command's."""
    assert process.stdout is not None
    handle = process.stdout.fileno()
    ended = None
    with selectors.DefaultSelector() as selector:
        selector.register(handle, selectors.EVENT_READ)
        while ended is None or time.monotonic() - ended < _LINGER_S:
            if selector.select(0.1):
                data = os.read(handle, 65_536)
                if not data:
                    return
                take(data.decode("utf-8", "replace"))
            elif ended is None and process.poll() is not None:
                ended = time.monotonic()


def diagnose(arguments: Sequence[str]) -> Mapping[str, Any] | None:
    """The JSON report of a new run of this tool; None where it gives none.

    A process of its own: helper processes are forked before any thread, and this one has had some.
    The tool is imported from where this one was, never from the current folder.
    """
    command = [*itself.program(), "all", "--format", "json", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=itself.environment(),
            timeout=_DIAGNOSIS_S,
            check=False,
        )
        report = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return report if isinstance(report, dict) else None
