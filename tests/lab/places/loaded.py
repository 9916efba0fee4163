"""A run of the tool in a box that also says which modules it has loaded."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.lab.box import PROJECT, Box

_MARK = "LOADED "
_SCRIPT = f"""
import os, sys
leave = os._exit
def report(code):
    sys.stderr.write("\\n{_MARK}" + " ".join(sorted(sys.modules)))
    sys.stderr.flush()
    leave(code)
os._exit = report
from diagnose.__main__ import main
main()
report(0)
"""


def run(box: Box, *args: str, **options: Any) -> tuple[dict[str, Any], set[str]]:
    """The JSON report of `diagnose ARGS`, and the names of the modules in its process at its
    end."""
    env = {**options.pop("env", {}), "PYTHONPATH": str(PROJECT)}
    done = box.run(
        [sys.executable, "-c", _SCRIPT, *args, "--format=json"], env=env, check=False, **options
    )
    _, marked, modules = done.stderr.rpartition(_MARK)
    assert marked, done.stderr
    return json.loads(done.stdout), set(modules.split())
