"""A type that two threads use for the first time at once is built once."""

from __future__ import annotations

import subprocess
import sys

MANY = 200
THREADS = 4
RACE = f"""
import sys, threading
import msgspec
from diagnose.shapes import convert

sys.setswitchinterval(1e-6)
names = [f"N{{number}}" for number in range({MANY})]
inner = [msgspec.defstruct(name, [("a", "int", 0), ("b", "str | None", None)]) for name in names]
outer = [msgspec.defstruct("O" + each.__name__, [("n", each | None, None), ("m", list[each], [])]) for each in inner]
together = threading.Barrier({THREADS})

def use():
    for kind in outer:
        together.wait()
        CONVERT({{"n": {{"a": 1, "b": "x"}}, "m": [{{"a": 2}}]}}, kind)

threads = [threading.Thread(target=use) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def race(convert: str) -> int:
    return subprocess.run(
        [sys.executable, "-c", RACE.replace("CONVERT", convert)], check=False, timeout=60
    ).returncode


def test_first_uses_at_once_do_not_end_the_process():
    assert race("convert") == 0
