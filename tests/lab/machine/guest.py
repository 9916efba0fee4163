"""Runs inside the emulated machine: breaks it in one way after the other and writes what the tool
said, line by line.

Each line is {"scenario", "error" or null, "runs": [{"user", "code", "wall", "stderr", "report"}]},
and "typed" and "after", one run more, where the fix is tried. The machine is made whole again after
each scenario.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, "/opt/diagnose")

from tests.lab.machine.hardware import SCENARIOS
from tests.lab.machine.scenarios import Scenario


def sh(script: str, timeout: float = 180, check: bool = True) -> str:
    """A shell script's output; the guest has no one to ask, so failures carry all they printed."""
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise RuntimeError(
            f"{script}: exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-1500:]}"
        )
    return done.stdout


def wait_for(condition: Callable[[], Any], seconds: float = 90, what: str = "") -> Any:
    """The condition's first true value; RuntimeError when it does not come true in time."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        with contextlib.suppress(Exception):
            if value := condition():
                return value
        time.sleep(0.5)
    raise RuntimeError(f"waited {seconds} s in vain for {what or condition}")


def docker(*args: str, check: bool = True, timeout: float = 180) -> str:
    """The docker command line of the guest."""
    done = subprocess.run(
        ["docker", *args], capture_output=True, text=True, timeout=timeout, check=False
    )
    if check and done.returncode:
        raise RuntimeError(f"docker {' '.join(args)}: {done.stderr[-1500:]}")
    return done.stdout


def inspect(name: str) -> dict[str, Any]:
    """One container as the engine shows it."""
    (row,) = json.loads(docker("inspect", name))
    return dict(row)


def build_image() -> None:
    """The image bb: static busybox with its applets."""
    sh(
        "d=$(mktemp -d); mkdir -p $d/bin $d/etc $d/tmp; cp /bin/busybox $d/bin/;"
        " for a in $(/bin/busybox --list); do [ $a = busybox ] || ln -s busybox $d/bin/$a; done;"
        " echo root:x:0:0:root:/:/bin/sh > $d/etc/passwd; echo app:x:1000:1000::/:/bin/sh >> $d/etc/passwd;"
        " tar -C $d -c . | docker import -c 'ENV PATH=/bin' -c 'LABEL org.opencontainers.image.version=1' - bb:1; rm -r $d"
    )


def diagnose(user: str = "root", *args: str) -> dict[str, Any]:
    """One run of the tool, as a user would type it; slow hardware gets a longer budget."""
    argv = [sys.executable, "-m", "diagnose", "all", "--format", "json", "--budget", "100", *args]
    env = {**os.environ, "HOME": "/root" if user == "root" else "/nonexistent"}
    began = time.monotonic()
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=240, env=env, user=user, check=False,
        extra_groups=[] if user != "root" else None,
    )  # fmt: skip
    wall = time.monotonic() - began
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = None
    return {
        "user": user,
        "code": done.returncode,
        "wall": wall,
        "stderr": done.stderr[-3000:],
        "report": report,
    }


def first_fix(report: dict[str, Any], id: str) -> str:
    """What the report says to type first against the finding of this check."""
    finding = next(finding for finding in report["findings"] if finding["id"] == id)
    return str(finding["fix"][0]["command"])


def scenarios() -> Iterator[Scenario]:
    """Those that the kernel command line names (a regular expression), or all."""
    only = re.search(r"diagnose\.only=(\S*)", Path("/proc/cmdline").read_text())
    pattern = only[1] if only else ""
    return (scenario for scenario in SCENARIOS if not pattern or re.search(pattern, scenario.name))


def play(scenario: Scenario) -> dict[str, Any]:
    """Break, look, mend."""
    row: dict[str, Any] = {"scenario": scenario.name, "error": None, "runs": []}
    try:
        scenario.inject()
        row["runs"] = [diagnose(user) for user in scenario.users]
        if scenario.cured:
            row["typed"] = first_fix(row["runs"][0]["report"], scenario.expected[0][0])
            sh(row["typed"])
            row["after"] = diagnose()
    except Exception:  # noqa: BLE001 - what went wrong is a result too
        row["error"] = traceback.format_exc()
    # only of an engine that is awake: the command itself would wake a sleeping one
    remove = "systemctl -q is-active docker && docker ps -aq | xargs -r docker rm -f -v"
    try:
        with contextlib.suppress(Exception):
            sh(remove, check=False)
        scenario.mend()
        sh(remove, check=False)
    except Exception:  # noqa: BLE001 - what went wrong is a result too
        row["error"] = (row["error"] or "") + traceback.format_exc()
    return row


def main(target: str) -> None:
    """Play all scenarios; the results go to a raw disk, where the other side reads them."""
    print(
        "guest: docker",
        sh("docker version -f '{{.Server.Version}}'", check=False).strip(),
        flush=True,
    )
    rows: list[str] = []
    build_image()
    for scenario in scenarios():
        began = time.monotonic()
        rows.append(json.dumps(play(scenario)))
        print(f"guest: {scenario.name} {time.monotonic() - began:.0f} s", flush=True)
        with open(target, "r+b", buffering=0) as disk:
            disk.write(("\n".join(rows) + "\n").encode())
            os.fsync(disk.fileno())


if __name__ == "__main__":
    main(sys.argv[1])
