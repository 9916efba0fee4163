"""What /proc says of the machine, its processes and its settings."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from diagnose.live import Collector, Live, Refused
from diagnose.live.kernel import host, open_files, proc_files, processes, watches
from diagnose.model import Failed
from diagnose.questions.processes import SeeProcess
from tests.live.proc_helpers import PRESSURE, plain
from tests.questions import question

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
    assert (answer["total"], answer["swap_total"]) == (
        psutil.virtual_memory().total,
        psutil.swap_memory().total,
    )
    assert 0 < answer["available"] <= answer["total"]


def test_the_figures_of_memory_are_those_that_the_kernel_names() -> None:
    text = "MemTotal:       8000 kB\nMemFree:  10 kB\nActive(anon):  3 kB\nHugePages_Total:  7\n"
    assert host.parse_meminfo(text) == {"MemTotal": 8000 * 1024, "MemFree": 10 * 1024}


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


WATCHER = """
import ctypes, sys
libc = ctypes.CDLL(None)
descriptor = libc.inotify_init1(0)
print(flush=True)
sys.stdin.readline()
libc.inotify_add_watch(descriptor, sys.argv[1].encode(), 0x88)
print(flush=True)
sys.stdin.readline()
"""


def test_the_file_systems_that_a_process_watches(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        asked = question("watches", pids=[watcher.pid, 2**22 + 1])
        watcher.stdout.readline()
        before = plain(watches.watches(Live(), asked))["processes"]
        print(file=watcher.stdin, flush=True)
        watcher.stdout.readline()
        (row,) = plain(watches.watches(Live(), asked))["processes"]
    (shown,) = {
        line.split()[2]
        for line in Path("/proc/self/mountinfo").read_text().splitlines()
        if line.split()[4] == _mount_point(tmp_path)
    }
    assert row["pid"] == watcher.pid
    assert shown in row["devices"]
    assert before == []


def _mount_point(path: Path) -> str:
    while not path.is_mount():
        path = path.parent
    return str(path)


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
        for process in (still, busy):
            process.kill()
            process.wait()
    assert isinstance(answer, dict)
    assert answer[str(still.pid)] == 0
    assert answer[str(1 << 22)] is None
    moves = answer[str(busy.pid)]
    assert isinstance(moves, int)
    assert moves > 2


def test_settings_of_the_machine_are_read_beside_an_engine_in_another_network_namespace() -> None:
    live = Live()
    live.__dict__ |= {
        "_not_this_machine": None,
        "_other_network": Failed("remote", "another network namespace"),
    }
    pids = live.ask(question("sysctl", names=["kernel.pid_max", "fs.file-nr"]))
    assert isinstance(pids, dict)
    assert int(pids["kernel.pid_max"]) > 0
    assert (
        live.ask(question("sysctl", names=["net.ipv4.ip_forward"]))
        == live.__dict__["_other_network"]
    )


SERVICES = {
    "unified": ("0::/system.slice/nginx.service", "nginx.service"),
    "a service of a template": (
        "0::/system.slice/system-postgresql.slice/postgresql@15-main.service",
        "postgresql@15-main.service",
    ),
    "a group below the service": ("0::/system.slice/docker.service/init", "docker.service"),
    "version 1": (
        "5:memory:/system.slice/a.service\n1:name=systemd:/system.slice/nginx.service",
        "nginx.service",
    ),
    "a session": ("0::/user.slice/user-0.slice/session-3.scope", None),
    "a service of a user": (
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service",
        None,
    ),
    "a container": (f"0::/system.slice/docker-{'a' * 64}.scope", None),
    "a group named like one": ("0::/shop/system.slice/nginx.service", None),
}


@pytest.mark.parametrize(("text", "service"), SERVICES.values(), ids=SERVICES)
def test_the_service_that_a_process_belongs_to(
    text: str, service: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proc_files, "text_of", lambda _path: text)
    assert proc_files.service_of(1) == service
