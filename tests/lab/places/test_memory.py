"""Live runs under a limit on memory: 1 GiB of address space is enough for 1,000 containers, and the
run holds less than 300 MiB of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

import pytest

from tests.bench import hosts
from tests.lab.box import PROJECT, Box
from tests.lab.engines import Engine

pytestmark = [
    pytest.mark.skipif(not os.environ.get("DIAGNOSE_LAB_LONG"), reason="1,000 containers: nightly"),
    pytest.mark.timeout(1500),
]

CONTAINERS = int(os.environ.get("DIAGNOSE_MEMORY_CONTAINERS", "1000"))
LIMIT_KIB = 1024 * 1024
MOST_RSS_KIB = 300 * 1024
MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
sys.stderr.write(f"peak {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\\n")
sys.stdout.buffer.write(done.stdout)
sys.exit(done.returncode)
"""
"""Says the largest resident set of a process that it waited for, in KiB, on stderr."""


@pytest.mark.parametrize("command", ["all --format=json", "bundle -o -"])
def test_a_gibibyte_is_enough(engine: Engine, command: str, say: Callable[[str], None]) -> None:
    with Box(engine) as box:
        hosts.start(box)
        hosts.grow(box, CONTAINERS, min(hosts.running_of(CONTAINERS), 40))
        run = f"{sys.executable} -m diagnose {command} --budget 10 > /tmp/out"
        limited = f"ulimit -v {LIMIT_KIB}; cd {PROJECT}; {run}"
        measured = [sys.executable, "-c", MEASURED, "sh", "-c", limited]
        done = box.run(measured, check=False, timeout=90)
        peak = int(done.stderr.rpartition("peak ")[2])
        say(f"{CONTAINERS} containers, 1 GiB of address space, {command}: {peak / 1024:.0f} MiB")
        assert done.returncode in (0, 1, 2), done.stderr
        assert "not enough memory" not in done.stderr
        assert peak < MOST_RSS_KIB
        if "json" in command:
            report = json.loads(box.read("/tmp/out"))
            assert report["host"]["containers"] == CONTAINERS
