"""The collectors for /proc, control groups, the kernel log and systemd.

Parsing on real texts, and this machine itself.
"""

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from diagnose.live import Collector, Live, Refused
from diagnose.live.commands import run as commands
from diagnose.live.commands import systemd
from diagnose.live.kernel import (
    cgroups,
    host,
    kernel_log,
    open_files,
    proc_files,
    processes,
)
from diagnose.live.kernel.mountinfo import parse
from diagnose.model import Failed, Json
from diagnose.questions.processes import SeeProcess
from tests.questions import question

ID = "0f3c" * 16
OTHER = "ab12" * 16
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def plain(answer: Json) -> Json:
    assert json.loads(json.dumps(answer)) == answer
    return answer


WITHOUT_PARAMETERS = [
    host.uname,
    host.mounts,
    host.memory,
    host.pressure,
    processes.processes,
    open_files.listeners,
]


@pytest.mark.parametrize("collector", WITHOUT_PARAMETERS, ids=lambda collector: collector.__name__)
def test_answers_are_plain_json(collector: Collector) -> None:
    assert plain(collector(Live(), question("now")))


def test_memory_is_in_bytes() -> None:
    answer = host.memory(Live(), question("memory"))
    kilobytes = int(Path("/proc/meminfo").read_text().split()[1])
    assert answer["total"] == kilobytes * 1024
    assert 0 < answer["available"] <= answer["total"]


def test_the_cache_of_zfs_may_shrink_to_its_least_size() -> None:
    text = "13 1 0x01 147 39984 5302\nname                            type data\nhits                            4    91\n"
    text += "c_min                           4    4194304\nc_max 4 99\nsize                            4    66571993088\n"
    assert host.parse_arc(text) == 66571993088 - 4194304
    assert host.parse_arc("") == 0


def test_processes_hold_this_one() -> None:
    rows = {row["pid"]: row for row in processes.processes(Live(), question("processes"))}
    mine = rows[os.getpid()]
    assert (mine["ppid"], mine["state"], mine["uid"]) == (os.getppid(), "R", os.geteuid())
    assert abs(time.clock_gettime(time.CLOCK_BOOTTIME) - mine["start"]) < 3600


def test_a_process_from_near() -> None:
    answer = plain(processes.process(Live(), question("process", pid=os.getpid())))
    assert answer["exe"] == os.path.realpath(sys.executable)
    assert answer["fds"] >= 3
    assert answer["limits"]["Max open files"]["soft"] > 0
    assert any(entry.startswith("PATH=") for entry in answer["environ"])


def test_a_process_that_ended_is_not_alive() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    answers = [
        SeeProcess(pid).decode(processes.process_now(Live(), question("process.now", pid=pid)))
        for pid in (os.getpid(), ended.pid)
    ]
    ended.wait()
    assert [answer.is_alive for answer in answers] == [True, False]
    with pytest.raises(Refused, match="there is no process"):
        processes.process_now(Live(), question("process.now", pid=ended.pid))


def test_a_process_that_is_gone() -> None:
    with pytest.raises(Refused) as caught:
        processes.process(Live(), question("process", pid=1 << 22))
    assert caught.value.failed.reason == "gone"


def test_settings_that_are_missing_are_null() -> None:
    names = ["kernel.ostype", "net/ipv4/conf/lo/forwarding", "kernel.no_such_thing"]
    answer = host.sysctl(Live(), question("sysctl", names=names))
    assert answer["kernel.ostype"] == "Linux"
    assert answer["net/ipv4/conf/lo/forwarding"] in ("0", "1")
    assert answer["kernel.no_such_thing"] is None


def test_a_setting_outside_proc_sys_is_refused() -> None:
    with pytest.raises(Refused):
        host.sysctl(Live(), question("sysctl", names=["net/../../environ"]))


def test_a_listener_and_its_owner_are_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        live = Live()
        rows = open_files.listeners(live, question("listeners"))
        live.close()
    (mine,) = (row for row in rows if row["port"] == port and row["proto"] == "tcp")
    assert (mine["address"], mine["pid"]) == ("127.0.0.1", os.getpid())


def test_a_deleted_file_that_is_held_is_seen(tmp_path: Path) -> None:
    live = Live()
    path = tmp_path / "held"
    with path.open("wb") as held:
        held.write(b"x" * (2 << 20))
        held.flush()
        os.fsync(held.fileno())
        path.unlink()
        answer = plain(open_files.deleted_files(live, question("deleted_files", min_bytes=1 << 20)))
    live.close()
    rows = [row for row in answer["files"] if row["path"] == str(path)]
    if rows or "tmpfs" not in subprocess.check_output(
        ["stat", "-f", "-c", "%T", tmp_path], text=True
    ):
        assert [(row["pid"], row["bytes"] >= 2 << 20) for row in rows] == [(os.getpid(), True)]


def test_a_process_that_ended_hides_no_files() -> None:
    ended = subprocess.Popen(["true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    refused = PermissionError(13, "Permission denied")
    assert not proc_files.hides_files(ended.pid, refused)
    ended.wait()
    assert not proc_files.hides_files(ended.pid, refused)
    assert proc_files.hides_files(os.getpid(), refused)
    assert not proc_files.hides_files(os.getpid(), FileNotFoundError(2, "No such file"))


def test_what_a_process_has_open_is_counted_and_named(tmp_path: Path) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as held:
        for number in range(open_files.FEW_FILES):
            held.enter_context((tmp_path / str(number)).open("w"))
        (tmp_path / "0").rename(tmp_path / "moved")
        (tmp_path / "1").unlink()
        # as the engine reads a log whose lines are asked for
        (tmp_path / "0").touch()
        held.enter_context((tmp_path / "0").open())
        counted = plain(open_files.descriptors(Live(), question("descriptors", share=0.0)))
        named = plain(
            open_files.open_under(
                Live(), question("open_under", pid=os.getpid(), folder=str(tmp_path))
            )
        )
    (mine,) = (row for row in counted["processes"] if row["pid"] == os.getpid())
    assert (mine["limit"], mine["open"] >= open_files.FEW_FILES) == (soft, True)
    assert {f"{tmp_path}/moved", f"{tmp_path}/1 (deleted)"} <= {*named["paths"]}
    assert f"{tmp_path}/0" not in named["paths"]


PRESSURE = """\
some avg10=1.50 avg60=0.92 avg300=1.50 total=18074931
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
"""


def test_pressure_is_parsed() -> None:
    parsed = host.parse_pressure(PRESSURE)
    assert parsed["some"] == {"avg10": 1.5, "avg60": 0.92, "avg300": 1.5, "total": 18074931}
    assert set(parsed) == {"some", "full"}


LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
Max realtime timeout      unlimited            unlimited            us
"""


def test_limits_are_parsed() -> None:
    parsed = proc_files.parse_limits(LIMITS)
    assert parsed["Max open files"] == {"soft": 1024, "hard": 524288}
    assert parsed["Max cpu time"] == {"soft": None, "hard": None}


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
    assert cgroups.parse_membership(text, ID)[controller] == path


def test_another_containers_group_is_not_taken() -> None:
    assert cgroups.parse_membership(f"0::/docker/{OTHER}\n", ID) == {}


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


def sample(places: cgroups.Places) -> Json:
    (answer,) = cgroups.sample(places, {ID: None}).values()
    return plain(answer)


def test_version_2_is_read(tmp_path: Path) -> None:
    tree(tmp_path, V2, f"system.slice/docker-{ID}.scope")
    answer = sample(
        cgroups.Places(parse(f"30 1 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate"))
    )
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
    assert sample(cgroups.Places(mount))["frozen_by"] == f"{place.parent}/cgroup.freeze"
    (place / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    assert sample(cgroups.Places(mount))["frozen_by"] == ""


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
    answer = cgroups.sample(cgroups.Places(mount), dict.fromkeys(ids))
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
    answer = sample(cgroups.Places(table))
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
    assert cgroups.cgroups(Live(), question("cgroups", ids=[OTHER])) == {
        OTHER: {"failed": "missing"}
    }


RECORDS = [
    (
        "killed",
        "6,3383,2801685452,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/x\n SUBSYSTEM=pci\n",
        (3383, 6, 3801.685452, "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/docker/x"),
    ),
    ("facility", "30,7,5000000,-,caller=T1;systemd[1]: hi\n", (7, 6, 1005.0, "systemd[1]: hi")),
    ("nonsense", "no record", None),
]


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in RECORDS], ids=[row[0] for row in RECORDS]
)
def test_a_kernel_record_is_parsed(text: str, expected: tuple[int, int, float, str] | None) -> None:
    record = kernel_log.parse_record(text, 1000.0)
    found = record and (record["seq"], record["level"], round(record["at"], 6), record["text"])
    assert found == expected


@root_only
def test_the_kernel_log_is_read_in_order_and_bounded() -> None:
    answer = plain(kernel_log.records(Live(), question("kernel.log", max=5)))
    numbers = [record["seq"] for record in answer["records"]]
    assert 0 < len(numbers) <= 5
    assert numbers == sorted(numbers)
    assert answer["dropped"] or len(numbers) < 5


SHOWN = """\
LoadState=loaded
ActiveState=failed
Result=start-limit-hit
ExecStart={ path=/usr/sbin/dockerd ; argv[]=/usr/sbin/dockerd -H fd:// ; ignore_errors=no }
Listen=/run/docker.sock (Stream)
Listen=[::]:2375 (Stream)
"""


def test_unit_properties_are_parsed() -> None:
    parsed = systemd.parse_properties(SHOWN)
    assert parsed["Result"] == "start-limit-hit"
    assert parsed["ExecStart"].startswith("{ path=/usr/sbin/dockerd ; argv[]=")
    assert parsed["Listen"] == "/run/docker.sock (Stream)\n[::]:2375 (Stream)"


JOURNAL = [
    {
        "__CURSOR": "s=1;i=2",
        "__REALTIME_TIMESTAMP": "1795473695797894",
        "PRIORITY": "6",
        "_PID": "812",
        "SYSLOG_IDENTIFIER": "dockerd",
        "MESSAGE": "unable to configure the Docker daemon",
        "_SYSTEMD_INVOCATION_ID": "f00",
    },
    {"__CURSOR": "s=1;i=3", "__REALTIME_TIMESTAMP": "1795473695797895", "MESSAGE": [104, 105, 255]},
]


def test_journal_entries_are_parsed() -> None:
    first, second = systemd.parse_journal("\n".join(map(json.dumps, JOURNAL)) + "\nnot json\n")
    assert (first["cursor"], first["pid"], first["priority"]) == ("s=1;i=2", 812, 6)
    assert first["invocation"] == "f00"
    assert first["at"] == pytest.approx(1795473695.797894)
    assert (second["message"], second["pid"]) == ("hi�", None)


def test_without_systemd_units_are_missing() -> None:
    if Path("/run/systemd/system").is_dir():
        assert (
            systemd.unit(Live(), question("unit", name="no-such.service"))["LoadState"]
            == "not-found"
        )
        return
    with pytest.raises(Refused) as caught:
        systemd.unit(Live(), question("unit", name="docker.service"))
    assert caught.value.failed.reason == "missing"


def test_a_unit_name_is_no_option() -> None:
    with pytest.raises(Refused):
        systemd.journal(Live(), question("journal", unit="--vacuum-size=1"))


DOCKERD = [
    ("valid", 'echo "configuration OK" >&2', (True, "configuration OK")),
    ("invalid", "echo unknown-key >&2; exit 1", (False, "unknown-key")),
    ("its folder is in PATH", 'case $PATH in "${0%/*}:"*) ;; *) exit 1 ;; esac', (True, "")),
]


@root_only
@pytest.mark.parametrize(
    ("body", "expected"), [row[1:] for row in DOCKERD], ids=[row[0] for row in DOCKERD]
)
def test_the_engines_own_judgement(tmp_path: Path, body: str, expected: tuple[bool, str]) -> None:
    program = tmp_path / "dockerd"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    asked = question("validate", dockerd=str(program), config="/etc/docker/daemon.json")
    answer = systemd.validate(Live(), asked)
    assert (answer["ok"], answer["text"]) == expected


@root_only
@pytest.mark.parametrize(
    ("mode", "body"),
    [(0o755, 'echo "unknown flag: --validate" >&2; exit 125'), (0o777, "exit 0")],
    ids=["engine 20.10", "writable by others"],
)
def test_a_judgement_that_is_not_allowed(tmp_path: Path, mode: int, body: str) -> None:
    program = tmp_path / "dockerd"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(mode)
    with pytest.raises(Refused) as caught:
        systemd.validate(Live(), question("validate", dockerd=str(program), config="/x"))
    assert caught.value.failed.reason == "not allowed"


def test_a_command_that_does_not_end_is_left() -> None:
    began = time.monotonic()
    with pytest.raises(Refused) as caught:
        commands.run([commands.find("sleep"), "5"], 0.2)
    assert caught.value.failed.reason == "timed out"
    assert time.monotonic() - began < 2


def test_a_command_that_is_not_installed() -> None:
    with pytest.raises(Refused) as caught:
        commands.find("no-such-command")
    assert caught.value.failed.reason == "missing"


def test_a_process_that_stands_still_is_not_woken() -> None:
    """One that sleeps for good, one that sleeps a hundred times a second, one that is gone."""
    still = subprocess.Popen(["sleep", "60"])
    busy = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.01)"])
    try:
        time.sleep(0.3)
        answer = processes.wakings(
            Live(), question("wakings", pids=[still.pid, busy.pid, 1 << 22], seconds=0.3)
        )
    finally:
        for each in (still, busy):
            each.kill()
            each.wait()
    assert isinstance(answer, dict)
    assert answer[str(still.pid)] == 0
    assert answer[str(1 << 22)] is None
    moves = answer[str(busy.pid)]
    assert isinstance(moves, int)
    assert moves > 2


def test_settings_of_the_machine_are_read_beside_an_engine_in_another_network_namespace() -> None:
    live = Live()
    live.__dict__ |= {
        "_elsewhere": None,
        "_other_network": Failed("remote", "another network namespace"),
    }
    pids = live.ask(question("sysctl", names=["kernel.pid_max", "fs.file-nr"]))
    assert isinstance(pids, dict)
    assert int(pids["kernel.pid_max"]) > 0
    assert (
        live.ask(question("sysctl", names=["net.ipv4.ip_forward"]))
        == live.__dict__["_other_network"]
    )
