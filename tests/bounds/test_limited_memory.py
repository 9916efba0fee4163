"""Under a limit on memory every run ends in time, with a report or with one sentence and exit 3."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diagnose import limited_memory

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
MIB = 1 << 20
BUDGET_S = 2.0
SLOW_HOST_S = 4.0
"""What a busy host may take to start and to end a process, beside the run."""
LIMITS = (40, 80, 120, 180, 240, 270, 300, 400, 500, 700, 1000)


def limited_run(
    *argv: str, mebibytes: int, timeout: float = 60
) -> subprocess.CompletedProcess[bytes]:
    """What became of this Python process under a limit on its address space."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (mebibytes * MIB, mebibytes * MIB))

    return subprocess.run(
        [sys.executable, *argv],
        preexec_fn=limit,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
    )


def supervised(body: str, *, mebibytes: int = 500) -> subprocess.CompletedProcess[bytes]:
    """A supervised process that does this."""
    head = "import os, sys, time; from diagnose import limited_memory as m; m.supervise(); "
    return limited_run("-c", head + body, mebibytes=mebibytes)


@pytest.mark.fuzz
@pytest.mark.parametrize("mebibytes", LIMITS)
@pytest.mark.parametrize("command", [("all",), ("bundle", "-o", "-"), ("all", "--from", str(DEMO))])
def test_every_run_ends_in_time_with_a_report_or_one_sentence(
    command: tuple[str, ...], mebibytes: int
) -> None:
    began = time.monotonic()
    done = limited_run("-m", "diagnose", *command, f"--budget={BUDGET_S}", mebibytes=mebibytes)
    assert time.monotonic() - began < BUDGET_S + limited_memory.LATE_S + SLOW_HOST_S
    said = done.stderr.decode().splitlines()
    if done.stdout:
        assert done.returncode in (0, 1, 2, 3)
        assert b"Traceback" not in done.stderr
    elif mebibytes > 40:  # Python itself does not start with less
        assert (done.returncode, len(said)) == (3, 1), said
        assert said[0].startswith("Error: ")


def test_a_process_that_holds_the_interpreter_is_called_off() -> None:
    """By itself it would never end, and `supervised` stops it with another code after a minute."""
    done = supervised("m.must_end_by(time.monotonic() + 0.3); print(sum(iter(int, 1)))")
    assert (done.returncode, done.stderr) == (3, limited_memory.LATE_SENTENCE)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGKILL"])
def test_a_process_that_a_library_ended_ends_in_one_sentence(name: str) -> None:
    done = supervised(f"import signal; os.kill(os.getpid(), signal.{name})")
    assert (done.returncode, done.stderr) == (3, limited_memory.SENTENCE)


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_passed_on(code: int) -> None:
    assert supervised(f"os._exit({code})").returncode == code


def test_a_broken_pipe_stays_one() -> None:
    done = supervised(
        "import signal; signal.signal(signal.SIGPIPE, signal.SIG_DFL); print(signal.raise_signal(13))"
    )
    assert done.returncode == -signal.SIGPIPE


def test_a_forked_process_has_no_say_in_the_deadline() -> None:
    done = supervised("os.fork() or (m.must_end_by(0), os._exit(0)); time.sleep(0.8); print('end')")
    assert (done.returncode, done.stdout) == (0, b"end\n")


def test_a_signal_for_the_parent_reaches_the_child_once() -> None:
    body = (
        "import os, signal, sys, time; from diagnose import limited_memory as m; m.supervise();"
        "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'term'));"
        "os.write(1, b'ready'); time.sleep(1); os._exit(7)"
    )
    process = subprocess.Popen([sys.executable, "-c", body], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 5) == b"ready"
    process.terminate()
    assert process.communicate()[0] == b"term"
    assert process.returncode == 7


def test_nothing_is_limited_here() -> None:
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() != "2":
        assert not limited_memory.is_limited()
