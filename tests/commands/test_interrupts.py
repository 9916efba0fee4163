"""Streams that are closed or full, and interrupts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

STREAMS = {
    "no stdout": ("all --from FOLDER >&-", 2, ""),
    "no stream at all": ("all --from FOLDER --format json <&- >&- 2>&-", 2, ""),
    "no stderr for an error": ("all --nosuch 2>&-", 3, ""),
    "a full disk": (
        "all --from FOLDER >/dev/full",
        3,
        "Error: cannot write the report: No space left on device",
    ),
    "a full disk, few bytes": ("list daemon.hung >/dev/full", 3, "Error: No space left on device"),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.fuzz
def test_streams_that_are_closed_or_full(name: str, folder: Path):
    command, code, said = STREAMS[name]
    script = f"{sys.executable} -m diagnose {command.replace('FOLDER', str(folder))}"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (code, "", said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_before_anything_is_known(number: signal.Signals, folder: Path):
    code = (
        "import os, sys\n"
        "from diagnose import registry\n"
        f"registry.load = lambda: os.kill(os.getpid(), {int(number)})\n"
        f"sys.argv[1:] = ['all', '--from', {str(folder)!r}]\n"
        "from diagnose.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "interrupted\n")


def test_an_interrupt_lets_the_report_be_written_and_a_second_one_does_not():
    code = (
        "import os, signal, sys\n"
        "from diagnose.interrupts import unbroken\n"
        "with unbroken():\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    sys.stdout.write('to its end'); sys.stdout.flush()\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    sys.stdout.write(' and beyond'); sys.stdout.flush()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "to its end")
