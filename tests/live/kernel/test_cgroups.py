"""Control groups of containers, of version 1 and 2."""

from __future__ import annotations

import time
import types
from pathlib import Path

import pytest

from diagnose.live import Live
from diagnose.live.kernel import cgroups
from diagnose.live.kernel.cgroup_places import Places, parse_membership
from diagnose.live.kernel.mountinfo import parse
from diagnose.model import Json
from tests.live.proc_helpers import PRESSURE, plain
from tests.questions import question

ID = "0f3c" * 16
OTHER = "ab12" * 16
MEMBERSHIPS = [
    (
        "version 1, cgroupfs",
        f"9:memory:/docker/{ID}\n1:cpu,cpuacct:/docker/{ID}\n",
        "memory",
        f"/docker/{ID}",
    ),
    ("version 1, joined", f"1:cpu,cpuacct:/docker/{ID}\n", "cpuacct", f"/docker/{ID}"),
    (
        "version 2, systemd",
        f"0::/system.slice/docker-{ID}.scope\n",
        "",
        f"/system.slice/docker-{ID}.scope",
    ),
    (
        "init inside",
        f"0::/system.slice/docker-{ID}.scope/init.scope\n",
        "",
        f"/system.slice/docker-{ID}.scope",
    ),
    ("CgroupParent", f"0::/team.slice/docker-{ID}.scope\n", "", f"/team.slice/docker-{ID}.scope"),
    (
        "podman",
        f"0::/machine.slice/libpod-{ID}.scope/container\n",
        "",
        f"/machine.slice/libpod-{ID}.scope",
    ),
]


@pytest.mark.parametrize(
    ("text", "controller", "path"),
    [row[1:] for row in MEMBERSHIPS],
    ids=[row[0] for row in MEMBERSHIPS],
)
def test_the_group_of_a_container_is_found(text: str, controller: str, path: str) -> None:
    assert parse_membership(text, ID)[controller] == path


def test_another_containers_group_is_not_taken() -> None:
    assert parse_membership(f"0::/docker/{OTHER}\n", ID) == {}


V2 = {
    "memory.current": "52428800\n",
    "memory.max": "67108864\n",
    "memory.peak": "67108864\n",
    "memory.swap.current": "0\n",
    "memory.swap.max": "max\n",
    "memory.stat": "anon 41943040\nfile 10485760\ninactive_file 8388608\nactive_file 2097152\n",
    "memory.events": "low 0\nhigh 0\nmax 812\noom 3\noom_kill 2\noom_group_kill 0\n",
    "pids.current": "7\n",
    "pids.max": "max\n",
    "pids.events": "max 0\n",
    "cpu.stat": "usage_usec 1500000\nnr_periods 25\nnr_throttled 23\nthrottled_usec 900\n",
    "cpu.max": "10000 100000\n",
    "memory.pressure": PRESSURE,
}
V1 = {
    "memory/memory.usage_in_bytes": "52428800\n",
    "memory/memory.limit_in_bytes": "67108864\n",
    "memory/memory.max_usage_in_bytes": "67108864\n",
    "memory/memory.memsw.usage_in_bytes": "52428900\n",
    "memory/memory.memsw.limit_in_bytes": "9223372036854771712\n",
    "memory/memory.stat": "cache 0\ntotal_inactive_file 8388608\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "pids/pids.current": "7\n",
    "pids/pids.max": "100\n",
    "pids/pids.events": "max 4\n",
    "cpu/cpu.stat": "nr_periods 25\nnr_throttled 23\nthrottled_time 900000\n",
    "cpu/cpu.cfs_quota_us": "-1\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "cpu/cpuacct.usage": "1500000000\n",
    "unified/memory.pressure": PRESSURE,
}


def tree(top: Path, files: dict[str, str], inside: str) -> None:
    for name, text in files.items():
        folder, _, file = name.rpartition("/")
        path = top / folder / inside / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def sample(places: Places) -> Json:
    (answer,) = cgroups.sample(places, {ID: None}).values()
    return plain(answer)


def test_version_2_is_read(tmp_path: Path) -> None:
    tree(tmp_path, V2, f"system.slice/docker-{ID}.scope")
    answer = sample(Places(parse(f"30 1 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate")))
    assert (answer["version"], answer["path"]) == (2, f"/system.slice/docker-{ID}.scope")
    assert answer["memory"] == {
        "usage": 52428800,
        "limit": 67108864,
        "max_usage": 67108864,
        "swap": 0,
        "swap_limit": None,
        "inactive_file": 8388608,
        "working_set": 44040192,
        "reclaimable": 10485760,
        "oom_kill": 2,
    }
    assert answer["pids"] == {"current": 7, "max": None, "events_max": 0}
    assert answer["cpu"] == {
        "periods": 25,
        "throttled": 23,
        "throttled_us": 900,
        "usage_us": 1500000,
        "quota_us": 10000,
        "period_us": 100000,
    }
    assert answer["pressure"]["memory"]["some"]["avg10"] == 1.5
    assert answer["pressure"]["cpu"] is None


def test_a_group_that_one_above_it_freezes(tmp_path: Path) -> None:
    tree(tmp_path, V2, f"system.slice/docker-{ID}.scope")
    place = tmp_path / f"system.slice/docker-{ID}.scope"
    for folder, switch in ((place, "0"), (place.parent, "1")):
        (folder / "cgroup.freeze").write_text(switch)
        (folder / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    mount = parse(f"30 1 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate")
    assert sample(Places(mount))["frozen_by"] == f"{place.parent}/cgroup.freeze"
    (place / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    assert sample(Places(mount))["frozen_by"] == ""


def test_many_frozen_groups_are_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []
    # the module's own clock alone: a thread of another test may sleep meanwhile
    clock = types.SimpleNamespace(sleep=naps.append, monotonic=time.monotonic)
    monkeypatch.setattr(cgroups, "time", clock)
    ids = [f"{number:064x}" for number in range(1, 31)]
    for id_ in ids:
        tree(tmp_path, V2, f"system.slice/docker-{id_}.scope")
        folder = tmp_path / f"system.slice/docker-{id_}.scope"
        (folder / "cgroup.freeze").write_text("1")
        (folder / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    mount = parse(f"30 1 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate")
    answer = cgroups.sample(Places(mount), dict.fromkeys(ids))
    assert all(plain(row)["frozen_by"] for row in answer.values())
    assert len(naps) == 1


def test_version_1_is_read(tmp_path: Path) -> None:
    tree(tmp_path, V1, f"docker/{ID}")
    table = parse(
        f"""31 1 0:31 / {tmp_path}/memory rw - cgroup cgroup rw,memory
32 1 0:32 / {tmp_path}/cpu rw - cgroup cgroup rw,cpu,cpuacct
33 1 0:33 / {tmp_path}/pids rw - cgroup cgroup rw,pids
34 1 0:34 / {tmp_path}/unified rw - cgroup2 cgroup2 rw"""
    )
    answer = sample(Places(table))
    assert answer["version"] == 1
    assert answer["memory"]["working_set"] == 44040192
    assert (answer["memory"]["swap"], answer["memory"]["swap_limit"]) == (100, None)
    assert answer["memory"]["oom_kill"] == 2
    assert answer["pids"] == {"current": 7, "max": 100, "events_max": 4}
    assert answer["cpu"]["quota_us"] is None
    assert (answer["cpu"]["throttled_us"], answer["cpu"]["usage_us"]) == (900, 1500000)
    assert answer["pressure"]["memory"]["full"]["total"] == 0
    assert answer["frozen_by"] == ""


def test_a_container_without_a_group_is_missing_not_empty() -> None:
    assert cgroups.cgroups(Live(), question("cgroups", containers={OTHER: None})) == {
        OTHER: {"failed": "missing"}
    }
