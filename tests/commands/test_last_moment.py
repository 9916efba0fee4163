"""A run that gets hardly any of a processor ends with one sentence."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from diagnose.cli.process import SLACK_S

RUN = """
import sys, threading, time
from diagnose.cli import process
process.LATEST_S, process.STARVED_SHARE = 1.0, {share}
last = process.LastMoment(time.monotonic(), {budget}, lambda sentence: print(sentence, flush=True))
{watch}
time.sleep({run_s})
last.called_off()
time.sleep({print_s})
print("the report")
"""

THREAD = "threading.Thread(target=last.watch, daemon=True).start()"


def ended(
    *,
    watch: str = THREAD,
    share: float = 0.5,
    budget: float = 0.3,
    run_s: float = 30.0,
    print_s: float = 0.0,
) -> tuple[int, str]:
    """The exit code and the output of a run that takes so long to examine and to print."""
    program = textwrap.dedent(RUN).format(
        watch=watch, share=share, budget=budget, run_s=run_s, print_s=print_s
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=25, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


ENDS: dict[str, dict[str, Any]] = {
    "no processor": {},
    "no processor to begin with": {"watch": "last.watch_start()"},
    "twice its time is over": {"share": 0.0},
}


@pytest.mark.parametrize("given", ENDS.values(), ids=ENDS)
def test_a_run_that_comes_to_nothing_ends(given: dict[str, Any]) -> None:
    code, said = ended(**given)
    assert code == 3
    assert said.startswith("not examined: ")
    assert "run it again with --budget " in said


def test_a_run_that_had_its_processor_is_not_said_to_lack_one() -> None:
    busy = f"{THREAD}\nwhile True: pass"
    code, said = ended(watch=busy, share=0.1)  # of a machine that runs other tests too
    assert code == 3
    assert said.startswith("not examined: the run was not through after ")


def test_the_process_ends_also_where_nobody_reads() -> None:
    program = (
        textwrap.dedent(RUN)
        .format(watch=THREAD, share=0.5, budget=0.3, run_s=30.0, print_s=0.0)
        .replace("print(sentence, flush=True)", "1 / 0")
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=25)
    assert done.returncode == 3


def test_a_run_that_had_its_processor_is_waited_for() -> None:
    """Its budget is too small for its machine."""
    assert ended(share=0.0, budget=0.5, run_s=0.5 + 1.5 * SLACK_S) == (0, "the report")


BUDGET_S = 2
SHARE = 0.1
"""Of a processor: so long after its budget the run has had too little to reach its report."""
STEP_S = 0.005


LAST_MOMENT_S = BUDGET_S + SLACK_S
TO_END_S = 0.3
"""CPU time after its last moment, in which the run ends. At a load of 8 on two processors it takes
0.17 to 0.21 s, and the time of a clock says nothing of the run there."""


def held_to_its_share(run: subprocess.Popen[bytes], began: float) -> float:
    """Stop the run whenever it has had more than its share, by its own CPU time.

    The time that this test sleeps tells less: on a busy machine it wakes late, and the run goes on.
    It gives the CPU time of the run after its last moment, in seconds.
    """
    cpu = psutil.Process(run.pid).cpu_times
    used_late: list[float] = []
    while run.poll() is None:
        with suppress(psutil.NoSuchProcess):
            used_s = cpu().user + cpu().system
            elapsed_s = time.monotonic() - began
            if elapsed_s >= LAST_MOMENT_S:
                used_late.append(used_s)
            is_ahead = used_s > SHARE * elapsed_s
            run.send_signal(signal.SIGSTOP if is_ahead else signal.SIGCONT)
        time.sleep(STEP_S)
    return used_late[-1] - used_late[0] if used_late else 0.0


def test_a_run_with_a_tenth_of_a_processor_ends_with_its_budget() -> None:
    """It has loaded its checks by then, or not: so late it would have hardly anything to say."""
    command = [sys.executable, "-m", "diagnose", "all", "--budget", str(BUDGET_S)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        used_late_s = held_to_its_share(run, began)
    assert used_late_s <= TO_END_S
    assert run.returncode == 3


def test_a_run_that_has_its_report_goes_on_to_print_it() -> None:
    assert ended(budget=2.0, run_s=0.0, print_s=2.0 + 2 * SLACK_S) == (0, "the report")


def test_what_a_shell_waited_for_before_it_became_the_run_does_not_count() -> None:
    """As in `sh -c "sleep 300; exec diagnose all"`, which spreads the runs of many hosts."""
    waited_s = 4
    age = "import time; from diagnose.cli import process; print(time.monotonic() - process.began())"
    done = subprocess.run(
        ["sh", "-c", f'sleep {waited_s}; exec "$0" -c "$1"', sys.executable, age],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert 0 < float(done.stdout) < waited_s
