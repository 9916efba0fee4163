"""What the tool knows of itself."""

from __future__ import annotations

import os
import subprocess
import time

from diagnose.live import Live, tool
from diagnose.live.kernel.proc_files import start_time
from diagnose.questions.run import ReadClock


def test_a_process_is_dated_by_the_boot_to_the_tick() -> None:
    """Two configurations of one second are told apart: the one before an engine's start is in
    force."""
    before = time.time()
    with subprocess.Popen(["sleep", "60"]) as child:
        after, ticks = time.time(), start_time(child.pid)
        child.kill()
    answer = tool.now(Live(), ReadClock())
    assert isinstance(answer, dict)
    began = answer["boot_wall"] + ticks / os.sysconf("SC_CLK_TCK")
    assert before - 0.05 <= began <= after + 0.05
