"""A run with network checks on a real engine: what is loaded where, and what is left behind when
the tool is killed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import pytest

from tests.lab.box import PROJECT, Box
from tests.lab.runner import BASE_CONFIG

SCRIPT = """
import json, os, sys
from diagnose.live import helper
from diagnose.live.network import worker

functions, start, leave, tool = worker.functions, helper.Helper.start, os._exit, os.getpid()
started = {}

def watched(name):
    started[name] = start(name)
    return started[name]

def report(code):
    if os.getpid() == tool:
        inside = started["network"].call("modules", {}, 5)
        print(json.dumps([sorted(sys.modules), inside]), file=sys.stderr, flush=True)
    leave(code)

worker.functions = lambda: {**functions(), "modules": lambda args: sorted(sys.modules)}
helper.Helper.start, os._exit = watched, report
from diagnose.__main__ import main
main()
"""

KILLED = """
for after in 0.1 0.2 0.3 0.4 0.5 0.7; do
    "$PYTHON" -m diagnose all >/dev/null 2>&1 &
    sleep $after
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null || true
done
sleep 1
ps -eo pid,stat,comm,args | awk '$3 ~ /^python/'
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with Box("distro") as box:
        box.start_engine(config=BASE_CONFIG)
        box.image("shop:1.4")
        box.docker("network", "create", "shop")
        for number in range(12):
            box.docker(
                "run", "-d", f"--name=web{number}", "--network=shop", "shop:1.4", "sleep", "1000"
            )
        yield box


@pytest.mark.parametrize("asked", [["all"], ["check", "network"]], ids=" ".join)
def test_pyroute2_is_loaded_in_the_network_process_only(box: Box, asked: list[str]) -> None:
    done = box.run(
        [sys.executable, "-c", SCRIPT, *asked, "--format=json"], cwd=str(PROJECT), check=False
    )
    verdicts = {row["id"]: row["verdict"] for row in json.loads(done.stdout)["checks"]}
    assert verdicts["network.veth-detached"] == "passed"
    tool, inside = json.loads(done.stderr.splitlines()[-1])
    assert not [
        name
        for name in tool
        if name.startswith("pyroute2") or name == "diagnose.live.network.namespaces"
    ]
    assert {"pyroute2.netlink.rtnl.rtmsg", "diagnose.live.network.namespaces"} <= set(inside)
    assert not {"pyroute2.ndb.main", "asyncio"} & set(inside), (
        "the package's __init__ and its sockets were passed over"
    )


def test_each_namespace_is_looked_at_once(box: Box) -> None:
    run = box.diagnose("all", "--format=json", "--timings", "--budget=60")
    visits = [row["question"] for row in run.report["timings"] if row["question"][:6] == "netns "]
    pids = {json.loads(visit.removeprefix("netns "))["pid"] for visit in visits}
    running = [container["Id"] for container in box.api("/containers/json")]
    assert len(visits) == len(pids) == len(running)


def test_a_killed_run_leaves_no_process(box: Box) -> None:
    began = time.monotonic()
    done = box.run(
        ["sh", "-c", KILLED], cwd=str(PROJECT), env={"PYTHON": sys.executable}, check=False
    )
    assert time.monotonic() - began > 3
    assert done.stdout == ""
