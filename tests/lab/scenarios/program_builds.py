"""Programs that a build, a start or a setting of their own fails, in the words of many programs;
each with a look-alike that works."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.known_rows import NODE, ROOMY
from tests.lab.scenarios.named_settings import AT_START, PYTHON, ended
from tests.lab.scenarios.programs.helpers import logs, run

_AS_ROOT = ["--memory=64m", "--pids-limit=64", "--cap-drop=ALL"]
_ONCE = "mkdir /state && echo ready && exec sleep 1000"
_EACH_TIME = "mkdir -p /state && echo ready && exec sleep 1000"


def _started_twice(box: Box, name: str, script: str) -> None:
    run(box, name, *_AS_ROOT, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: "ready" in logs(box, name), what="the first start")
    box.docker("restart", "--time=1", name)


@fault(AT_START, subject="container:once20", shareable=True)
def start_that_works_once(box: Box) -> None:
    """A start script makes a folder in its container, and finds it there at the second start."""
    _started_twice(box, "once20", _ONCE)
    assert "File exists" in ended(box, "once20")
    assert first_command(box, AT_START, "once20") == "diagnose recreate once20 | sh"


@healthy(shareable=True)
def start_that_works_each_time(box: Box) -> None:
    """The same, and the script takes the folder as it is."""
    _started_twice(box, "often20", _EACH_TIME)
    box.wait_for(lambda: logs(box, "often20").count("ready") == 2, what="the second start")


_KEY = """
import os, time
if len(os.environ["JWT_SECRET"]) < 32:
    raise SystemExit("Error: JWT_SECRET must be at least 32 characters long")
time.sleep(1000)
"""


@fault(AT_START, subject="container:brief20", shareable=True)
def secret_that_is_too_short(box: Box) -> None:
    """A program asks for a secret of a length that the one in its variable does not have."""
    run(box, "brief20", *ROOMY, "--env=JWT_SECRET=made-up", "bb:1.36", PYTHON, "-c", _KEY)
    assert "must be at least 32 characters" in ended(box, "brief20")
    typed = "read -r JWT_SECRET && export JWT_SECRET"
    command = f"{typed} && diagnose recreate brief20 -- --env=JWT_SECRET | sh"
    assert first_command(box, AT_START, "brief20") == command


_LISTED = "const settings = {}; console.log(settings.limits.memory); setInterval(() => {}, 1000)"
_ONE_CALLER = (
    "const job = n => { try { return n % 4 ? 'order ' + n + ' was placed' : undefined.id }"
    " catch (error) { return 'ERROR ' + error } };"
    "let n = 0; setInterval(() => console.log(job(n++)), 200)"
)


@fault(AT_START, subject="container:fallen20", shareable=True)
def program_that_fails_itself(box: Box) -> None:
    """A newer build of a program reads a setting that nobody gave, and Node.js says so; the build
    before is still on this host."""
    load(box, "fallen20:1", Recipe({"version": (b"1", 0o644)}))
    time.sleep(1.5)  # the engine notes the second of a build
    load(box, "fallen20:2", Recipe({"version": (b"2", 0o644)}))
    run(box, "fallen20", *ROOMY, "fallen20:2", NODE, "-e", _LISTED)
    assert "TypeError: Cannot read properties of undefined" in ended(box, "fallen20")
    command = "diagnose recreate fallen20 --image fallen20:1 | sh"
    assert first_command(box, AT_START, "fallen20") == command


@healthy(shareable=True)
def program_that_fails_one_caller(box: Box) -> None:
    """The same words about one order of four, in a program that is well."""
    run(box, "upright20", *ROOMY, "bb:1.36", NODE, "-e", _ONE_CALLER)
    box.wait_for(lambda: logs(box, "upright20").count("TypeError") > 3, what="failed orders")
