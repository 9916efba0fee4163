"""The lab itself: a box is a whole host, its limits are real, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .box import PROJECT, Box
from .engines import SUITES, Engine, discover
from .provider import BOX_ADDRESS
from .sweep import RUN_DIR, sweep


@pytest.mark.parametrize("suite", ["distro", *SUITES])
def test_engine_can_be_had(suite: str) -> None:
    engines, missing = discover()
    for gap in missing:
        if gap.suite == suite:
            pytest.skip(str(gap))
    assert suite in [e.suite for e in engines]


def test_a_container_resolves_names_and_its_port_answers_outside(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine()
        box.docker("network", "create", "shopnet")
        box.docker("run", "-d", "--name=web", "--net=shopnet", "-p", "8080:8080", "shop:1.4")
        said = box.docker("exec", "web", "nslookup", "-type=a", "www.lab.test").stdout
        assert "192.0.2.80" in said
        assert (
            box.docker("exec", "web", "wget", "-qO-", "http://www.lab.test/").stdout
            == "hello from the web\n"
        )
        assert box.provider.curl(f"http://{BOX_ADDRESS}:8080/") == "hello\n"
        assert box.api("/version")["Version"].startswith(engine.version)
        assert box.engine_pid in box.pids_of("dockerd")
        assert Path(f"/proc/{box.host_pid(box.engine_pid)}/comm").read_text() == "dockerd\n"
        assert "dockerd" not in box.run(["ps", "-eo", "comm"]).stdout.split()[2:3]


def test_a_dead_resolver_is_noticed_by_containers(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine()
        box.docker("run", "-d", "--name=web", "shop:1.4")
        box.provider.dns_stop()
        assert box.docker("exec", "web", "nslookup", "www.lab.test", check=False).returncode != 0
        box.provider.dns_start()
        box.wait_for(
            lambda: (
                box.docker(
                    "exec", "web", "nslookup", "-type=a", "www.lab.test", check=False
                ).returncode
                == 0
            )
        )


def test_a_small_disk_is_really_small() -> None:
    with Box(disk="64M", inodes=600, provider=False) as box:
        room = os.statvfs(box.path("/var/lib/docker"))
        assert room.f_blocks * room.f_frsize < 64 * 2**20
        assert 500 < room.f_files < 700
        assert (
            "No space left"
            in box.run(["fallocate", "-l", "65M", "/var/lib/docker/x"], check=False).stderr
        )


def test_a_user_in_no_group_may_not_use_the_socket() -> None:
    with Box(provider=False) as box:
        box.start_engine()
        ask = ["curl", "-sS", "--unix-socket", "/run/docker.sock", "http://d/_ping"]
        assert box.run(ask, user="nobody", check=False).returncode == 7
        assert box.run(ask, user="nobody", groups=["docker"]).stdout == "OK"


def _traces() -> dict[str, set[str]]:
    def processes() -> set[str]:
        names = set()
        for comm in Path("/proc").glob("[0-9]*/comm"):
            try:
                environ = (comm.parent / "environ").read_bytes()
                if b"LAB_HOSTNAME=" in environ:
                    names.add(f"{comm.parent.name} {comm.read_text().strip()}")
            except OSError:
                continue
        return names

    return {
        "mounts": set(Path("/proc/self/mountinfo").read_text().splitlines()),
        "processes": processes(),
        "state": {p.name for p in RUN_DIR.glob("*")},
        "links": {p.name for p in Path("/sys/class/net").iterdir()},
        "cgroups": {str(p) for p in Path("/sys/fs/cgroup").glob("**/diagnose-lab-*")},
    }


def _left(box_id: str) -> list[str]:
    """What a box of that id left: by its own marks, since other boxes may come and go meanwhile."""
    return [t for kind in _traces().values() for t in kind if box_id in t]


def test_nothing_is_left_behind_although_containers_run(engine: Engine) -> None:
    before = _traces()
    with Box(engine) as box:
        box.start_engine()
        box.docker("run", "-d", "--name=web", "-p", "8080:8080", "shop:1.4")
        inside = box.pid
        root = box.state
    assert not Path(f"/proc/{inside}").exists()
    assert not root.exists()
    assert _left(box.id) == []
    assert _traces()["mounts"] == before["mounts"]
    assert _traces()["links"] == before["links"]


_VICTIM = """
import signal, sys, time
from tests.lab import Box
# a shell has its background jobs ignore SIGINT, and they hand that on
signal.signal(signal.SIGINT, signal.default_int_handler)
with Box(provider=False) as box:
    box.start_engine()
    box.docker("run", "-d", "--name=web", "shop:1.4")
    print(box.id, box.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_box_ends_with_its_maker_and_the_sweep_removes_the_rest(sig: signal.Signals) -> None:
    command = [sys.executable, "-c", _VICTIM]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as maker:
        assert maker.stdout
        box_id, inside = maker.stdout.readline().split()
        maker.send_signal(sig)
        maker.wait(10)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{inside}").exists():
        assert time.monotonic() < deadline, "the box outlives its maker"
        time.sleep(0.05)
    sweep()
    assert _left(box_id) == []
