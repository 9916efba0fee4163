"""Containers and engines at their limits."""

from __future__ import annotations

import json
import sys

from tests.lab import Box, fault, healthy
from tests.lab.faults import Engines
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.everyday.helpers import first_command, typed

GOOD = [
    "--user=1000:1000", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
]  # fmt: skip


@fault("resources.memory-near-limit", subject="container:brimful", shareable=True)
def nearly_all_memory_used(box: Box) -> None:
    """A container holds 92 % of its memory in a tmpfs, which the kernel cannot take back."""
    work = "dd if=/dev/zero of=/dev/shm/held bs=1M count=58; exec sleep 1000"
    options = ["--memory=64m", "--memory-swap=64m", "--shm-size=80m", "--pids-limit=64"]
    box.docker("run", "-d", "--name=brimful", *options, *GOOD, "bb:1.36", "sh", "-c", work)
    box.wait_for(
        lambda: "sleep" in str(box.api("/containers/brimful/top")), what="the memory to be held"
    )
    usage = box.docker(
        "exec", "brimful", "cat", "/sys/fs/cgroup/memory/memory.usage_in_bytes", check=False
    )
    assert not usage.stdout or int(usage.stdout) > 0.9 * 64 * 2**20


@fault("resources.no-limits", subject="container:greedy", shareable=True, exit_code=0)
def no_memory_limit(box: Box) -> None:
    """A container runs without any limit."""
    box.docker("run", "-d", "--name=greedy", *GOOD, "bb:1.36", "sleep", "1000")
    assert box.inspect("greedy")["HostConfig"]["Memory"] == 0


@fault(
    "resources.cpu-throttled",
    subject="container:busy",
    first_command=("heals", "the limit is doubled, and nothing is held back any more"),
)
def held_back(box: Box) -> None:
    """A container wants a whole CPU and gets a twentieth."""
    options = ["--memory=64m", "--pids-limit=64", "--cpus=0.05"]
    box.docker(
        "run", "-d", "--name=busy", *options, *GOOD, "bb:1.36", "sh", "-c", "while :; do :; done"
    )


def _quota_above(box: Box, group: str, quota: int, *names: str) -> None:
    """Containers in a group of their own, which has a quota in each tenth of a second."""
    options = ["--memory=64m", "--pids-limit=64", f"--cgroup-parent=/{group}"]
    busy = ["bb:1.36", "sh", "-c", "while :; do sleep 0.01; done"]
    for name in names:
        box.docker("run", "-d", f"--name={name}", *options, *GOOD, *busy)
    box.sh(f"echo {quota} >/sys/fs/cgroup/cpu/{group}/cpu.cfs_quota_us")


@fault("resources.cpu-throttled", subject="host:host")
def group_above_that_holds_two_back(box: Box) -> None:
    """A provisioning tool gave the group of two containers a hundredth of a CPU; the command of the
    report gives it a whole one."""
    _quota_above(box, "tenants45", 1000, "held45", "held46")
    stat = "cat /sys/fs/cgroup/cpu/tenants45/cpu.stat"
    box.wait_for(lambda: "nr_throttled 0\n" not in box.sh(stat), what="them to be held back")


@healthy(advice=None)
def group_above_with_room(box: Box) -> None:
    """The group of a container has a quota that it does not use up."""
    _quota_above(box, "tenants47", 100_000, "held47")


@fault("resources.pids-exhausted", subject="container:visited7", shareable=True)
def commands_whose_client_was_killed(box: Box) -> None:
    """A job of the host calls `docker exec` with a time limit, which ends the client alone."""
    options = ["--memory=64m", "--pids-limit=100"]
    box.docker(
        "run", "-d", "--name=visited7", *options, *GOOD, "bb:1.36", "httpd", "-f", "-p", "80"
    )
    first = box.inspect("visited7")["State"]["Pid"]
    shim = box.sh(f"cut -d ' ' -f 4 /proc/{first}/stat").strip()
    called = ["docker", "exec", "visited7", "sleep", "100000"]
    clients = [box.spawn(called) for _ in range(8)]
    left = ["pgrep", "--parent", shim, "--exact", "sleep"]
    box.wait_for(lambda: len(box.run(left, check=False).stdout.split()) == 8, what="the commands")
    for client in clients:
        box.kill(client)
    box.docker("update", "--pids-limit=9", "visited7")
    assert first_command(box, "resources.pids-exhausted", "visited7") == (
        f"pkill -TERM --parent {shim} --exact sleep"
    )


@fault("resources.pids-exhausted", subject="container:crowd", shareable=True)
def at_its_pids_limit(box: Box) -> None:
    """A container has as many processes as it may, and was refused more."""
    # a shell that may not fork ends, so a subshell tries
    script = (
        "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; (sleep 1000 & sleep 1000 & wait) & wait"
    )
    options = ["--memory=64m", "--pids-limit=10"]
    box.docker("run", "-d", "--name=crowd", *options, *GOOD, "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: "can't fork" in box.docker("logs", "crowd").stderr, what="a refused fork")


@fault(
    "resources.pids-exhausted",
    subject="container:crowded-out",
    also=["container.exits-at-start"],
    shareable=True,
)
def ended_at_its_pids_limit(box: Box) -> None:
    """A container has ended because it could start no more processes; its cgroup is gone."""
    script = "for i in 1 2 3 4 5 6; do sleep 100 & done; wait"
    options = ["--memory=64m", "--pids-limit=5"]
    box.docker("run", "-d", "--name=crowded-out", *options, *GOOD, "bb:1.36", "sh", "-c", script)
    box.wait_state("crowded-out", "exited")
    assert "can't fork" in box.docker("logs", "crowded-out").stderr


@fault(
    "resources.open-files-exhausted",
    subject="container:hoarder",
    also=["container.exits-at-start"],
    shareable=True,
)
def out_of_open_files(box: Box) -> None:
    """A program opens more files than it may."""
    files = " ".join(["/etc/passwd", "/etc/group", "/www/index.html"] * 8)
    options = ["--memory=64m", "--pids-limit=64", "--ulimit=nofile=16:16"]
    box.docker(
        "run", "-d", "--name=hoarder", *options, *GOOD, "bb:1.36", "sh", "-c",
        f"timeout 2 tail -f {files} >/dev/null; exit 1",
    )  # fmt: skip
    box.wait_state("hoarder", "exited")
    assert "Too many open files" in box.docker("logs", "hoarder").stderr


@fault("container.runtime-limit-hit", subject="container:search")
def ulimit_above_that_of_the_engine(box: Box) -> None:
    """A search engine asks for unlimited locked memory, as its manual says, on a rented host whose
    engine may not raise that limit. The command takes that limit away, and keeps the other one."""
    options = ["--memory=64m", "--pids-limit=64", "--ulimit=nofile=512:512"]
    run = ["run", "-d", "--name=search", *options, "--ulimit=memlock=-1:-1", *GOOD]
    refused = box.docker(*run, "bb:1.36", "sleep", "1000", check=False)
    assert "error setting rlimit" in refused.stderr, refused
    command = first_command(box, "container.runtime-limit-hit", "search")
    assert "--without ulimit=memlock" in command, command
    typed(box, command)
    limits = box.inspect("search")["HostConfig"]["Ulimits"]
    assert [limit["Name"] for limit in limits] == ["nofile"], limits
    box.docker("rm", "-f", "search")
    box.docker(*run, "bb:1.36", "sleep", "1000", check=False)


@fault("resources.open-files-exhausted", subject="container:follower", shareable=True)
def no_file_left_and_going_on(box: Box) -> None:
    """A program has opened as many files as it may, and continues without the rest."""
    options = ["--memory=64m", "--pids-limit=64", "--ulimit=nofile=64:64"]
    files = ["/etc/passwd"] * 90
    box.docker(
        "run", "-d", "--name=follower", *options, *GOOD, "bb:1.36", "tail", "-q", "-f", *files
    )
    pid = box.inspect("follower")["State"]["Pid"]
    box.wait_for(
        lambda: len(box.sh(f"ls /proc/{pid}/fd").split()) == 64, what="the last file to be opened"
    )


@fault(
    "resources.open-files-exhausted",
    subject="container:watcher",
    also=["container.exits-at-start"],
    shareable=True,
)
def out_of_inotify_instances(box: Box) -> None:
    """A program leaks instances of inotify until its user may have no more; a second start would
    do."""
    most = int(box.read("/proc/sys/fs/inotify/max_user_instances"))
    user = ["--user=61234:61234", *(option for option in GOOD[1:] if option != "--read-only")]
    options = [
        "--memory=64m",
        "--pids-limit=64",
        *(f"--volume={folder}:{folder}:ro" for folder in ("/usr", "/lib", "/lib64")),
    ]
    leak = (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        f"for _ in range({most} + 1):\n"
        "    if libc.inotify_init() < 0:\n"
        "        sys.exit(f'inotify_init: {os.strerror(ctypes.get_errno())}')\n"
    )
    work = f'[ -e /tmp/n ] && exec sleep 1000; touch /tmp/n; exec /usr/bin/python3 -c "{leak}"'
    box.docker("run", "-d", "--name=watcher", *options, *user, "bb:1.36", "sh", "-c", work)
    box.wait_state("watcher", "exited")
    assert "inotify_init: Too many open files" in box.docker("logs", "watcher").stderr
    first = box.diagnose("check", "resources.open-files-exhausted").out
    assert "limit: fs.inotify.max_user_instances" in first, first


def _ends_saying(box: Box, name: str, words: str) -> None:
    """A container whose first run ends with these words; a second start would succeed."""
    work = f"[ -e /tmp/n ] && exec sleep 1000; touch /tmp/n; {words}; exit 1"
    options = [
        "--memory=64m",
        "--pids-limit=64",
        *(option for option in GOOD if option != "--read-only"),
    ]
    box.docker("run", "-d", f"--name={name}", *options, "bb:1.36", "sh", "-c", work)
    box.wait_state(name, "exited")


@fault("container.exits-at-start", subject="container:reloader", shareable=True)
def inotify_named_without_a_limit(box: Box) -> None:
    """A program ended for another reason after it had named inotify."""
    said = (
        "INFO using inotify backend to watch /etc/app",
        "sh: inotifyd: not found",
        "no such key",
    )
    _ends_saying(box, "reloader", "; ".join(f"echo '{words}'" for words in said))


@fault("container.exits-at-start", subject="container:knocker", shareable=True)
def socket_whose_queue_is_full(box: Box) -> None:
    """A program ended because a socket took no more, for which the kernel has the words of a
    refused fork."""
    words = "connect() to unix:/run/php-fpm.sock failed (11: Resource temporarily unavailable)"
    _ends_saying(box, "knocker", f"echo '{words}'")


@fault(
    "resources.cgroup-driver",
    subject="daemon:*",
    expect=[],
    also=["container.*", "daemon.*"],
    config={"exec-opts": ["native.cgroupdriver=systemd"]},
    baseline=False,
)
def driver_of_another_init(box: Box) -> None:
    """The engine is told to use systemd for cgroups on a host without it."""
    box.docker(
        "run", "-d", "--name=web", "--memory=64m", *GOOD, "bb:1.36", "sleep", "1000", check=False
    )
    assert "systemd" in box.inspect("web")["State"]["Error"]


@healthy(shareable=True)
def busy_below_its_limit(box: Box) -> None:
    """A container with a CPU limit that it does not reach."""
    options = ["--memory=64m", "--pids-limit=64", "--cpus=1"]
    box.docker(
        "run", "-d", "--name=easy", *options, *GOOD, "bb:1.36", "sh", "-c",
        "while :; do sleep 0.2; done",
    )  # fmt: skip


@healthy(shareable=True)
def limited_by_its_parent(box: Box) -> None:
    """A container without a limit of its own in a cgroup that was given to it."""
    options = ["--pids-limit=64", "--cgroup-parent=/tenants"]
    box.docker("run", "-d", "--name=tenant", *options, *GOOD, "bb:1.36", "sleep", "1000")


@fault(
    "container.oom-killed",
    subject="container:greedy49",
    also=["container.exits-at-start"],
    engines=Engines(since=26),
)
def limit_of_a_parent_hits_one_of_two(box: Box) -> None:
    """Two containers share the memory of a cgroup above them: one takes it all and is killed.

    The engine is told so for both, and calls the other one killed too.
    """
    options = ["--pids-limit=64", "--cgroup-parent=/tenants49", *GOOD]
    box.docker("run", "-d", "--name=calm49", *options, "bb:1.36", "sleep", "1000")
    group = "/sys/fs/cgroup/memory/tenants49"
    box.sh(
        f"echo 48M >{group}/memory.limit_in_bytes; echo 48M >{group}/memory.memsw.limit_in_bytes"
    )
    box.docker("run", "-d", "--name=greedy49", *options, "hungry:1")
    assert box.wait_state("greedy49", "exited")["State"]["ExitCode"] == 137
    box.wait_for(lambda: box.inspect("calm49")["State"]["OOMKilled"], what="the engine to be told")
    assert box.inspect("calm49")["State"]["Running"]


@healthy(shareable=True)
def hot_files_at_the_limit(box: Box) -> None:
    """A container reads the same files again and again: nearly all its memory is cache, and in
    use."""
    work = "dd if=/dev/zero of=/data/x bs=1M count=29; while :; do cat /data/x >/dev/null; sleep 1; done"
    options = ["--memory=32m", "--memory-swap=32m", "--pids-limit=64", "-v", "hotdata:/data"]
    box.docker("run", "-d", "--name=rereader", *options, "bb:1.36", "sh", "-c", work)
    stats = "/containers/rereader/stats?stream=false&one-shot=true"

    def hot() -> bool:
        said = box.api(stats)["memory_stats"]
        figures = said["stats"]
        inactive = figures.get("total_inactive_file", figures.get("inactive_file", 0))
        return bool(said["usage"] - inactive > 0.9 * said["limit"])

    box.wait_for(hot, what="the cache to be in use")


@fault("container.oom-killed", subject="container:cacher48", exit_code=1)
def files_in_memory_take_the_limit(box: Box) -> None:
    """A tmpfs without a size fills the memory of its container, and other programs of the container
    are killed for it."""
    options = ["--memory=48m", "--memory-swap=48m", "--pids-limit=64", "--tmpfs=/cache"]
    fill = "dd if=/dev/zero of=/cache/a bs=1M count=42 2>/dev/null"
    need = "while :; do x=$(head -c 12000000 /dev/urandom | od -x | tail -c 9000000); sleep 5; done"
    box.docker("run", "-d", "--name=cacher48", *options, "bb:1.36", "sh", "-c", f"{fill}; {need}")
    events = ("events", "--since=1m", "--until=0s", "--filter=container=cacher48")
    box.wait_for(lambda: "oom" in box.docker(*events).stdout, what="a kill")


@fault("container.oom-killed", subject="container:stuck", also=["resources.memory-near-limit"])
def hangs_at_its_limit(box: Box) -> None:
    """A container reaches its memory limit, and its OOM killer is off: it waits for memory for
    ever."""
    options = ["--memory=32m", "--memory-swap=32m", "--oom-kill-disable", "--pids-limit=64"]
    work = "dd if=/dev/zero of=/dev/shm/a bs=1M count=60; sleep 1000"
    box.docker("run", "-d", "--name=stuck", *options, *GOOD, "bb:1.36", "sh", "-c", work)
    pid = box.inspect("stuck")["State"]["Pid"]
    group = box.sh(f"grep memory /proc/{pid}/cgroup | cut -d: -f3").strip()
    control = f"/sys/fs/cgroup/memory{group}/memory.oom_control"
    box.wait_for(lambda: "under_oom 1" in box.read(control), what="the container to hang")


@fault("container.runtime-limit-hit", subject="container:moved", engine_started=False)
def bound_to_processors_of_a_larger_host(box: Box) -> None:
    """A container is bound to eight processors, and the host has fewer since it was moved: the
    engine refuses it without an entry in its state."""
    box.start_engine(config=BASE_CONFIG)
    options = ["--memory=64m", "--pids-limit=64", "--restart=unless-stopped", "--cpuset-cpus=0"]
    box.docker("create", "--name=moved", *options, *GOOD, "bb:1.36", "sleep", "1000")
    file = f"/var/lib/docker/containers/{box.inspect('moved')['Id']}/hostconfig.json"
    box.stop_engine()
    box.write(file, {**json.loads(box.read(file)), "CpusetCpus": "0-63"})
    box.start_engine()
    refused = box.docker("start", "moved", check=False).stderr
    assert "Requested CPUs are not available" in refused
    assert box.inspect("moved")["State"]["Error"] == ""


_TAKE_KEYS = """
import ctypes, os, sys, time
user = int(sys.argv[1])
os.setgid(user)
os.setuid(user)
add_key = lambda n: ctypes.CDLL(None).syscall(248, b"user", b"made-up-%d" % n, b"x", 1, -2)
number = 0
while add_key(number) >= 0:
    number += 1
print("used up", flush=True)
time.sleep(900)
"""


def remapped(box: Box) -> int:
    """Start an engine that remaps users; the number on the host of a container's root."""
    first = 790000000 + box.engine.major * 65536
    box.sh(
        "echo dockremap:x:777:777::/:/bin/false >>/etc/passwd; echo dockremap:x:777: >>/etc/group;"
        f"echo dockremap:{first}:65536 >/etc/subuid; cp /etc/subuid /etc/subgid"
    )
    box.start_engine(config={**BASE_CONFIG, "userns-remap": "default"})
    return first


def _use_up_keys(box: Box, user: int) -> None:
    box.spawn([sys.executable, "-c", _TAKE_KEYS, str(user)], log="/root/keys")
    box.wait_for(lambda: "used up" in box.read("/root/keys"), what="the quota to be used up")


@fault("container.runtime-limit-hit", subject="container:keyless", engine_started=False)
def quota_of_keys_used_up(box: Box) -> None:
    """The user of the engine's user namespace has as many keys as the kernel allows: no container
    gets a session key."""
    first = remapped(box)
    box.image("bb:1.36")
    _use_up_keys(box, first)
    options = ["--memory=64m", "--pids-limit=64", *GOOD]
    done = box.docker("run", "-d", "--name=keyless", *options, "bb:1.36", "sleep", "1", check=False)
    assert "session key: disk quota exceeded" in done.stderr


@fault(
    "container.runtime-limit-hit",
    subject="container:probed9",
    also=["container.unhealthy"],
    engine_started=False,
)
def probes_without_keys(box: Box) -> None:
    """The quota of keys is used up by others: a container runs on, and its probes are refused."""
    first = remapped(box)
    health = ("--health-cmd=true", "--health-interval=1s", "--health-retries=2")
    options = ["--memory=64m", "--pids-limit=64", *GOOD, *health]
    box.docker("run", "-d", "--name=probed9", *options, "bb:1.36", "sleep", "1000")
    box.wait_health("probed9", "healthy")
    _use_up_keys(box, first)
    box.wait_health("probed9", "unhealthy")
    (finding,) = box.diagnose("check", "container.runtime-limit-hit", "--format", "json").findings
    assert finding["fix"][0]["command"].startswith("sysctl -w kernel.keys.maxkeys=")


@healthy(engine_started=False)
def stopped_and_bound_to_processors(box: Box) -> None:
    """A stopped container that is bound to all processors of the host, and one with a tmpfs of a
    size of its own that is well filled."""
    box.start_engine(config=BASE_CONFIG)
    most = box.read("/sys/devices/system/cpu/online").strip()
    options = ["--memory=64m", "--pids-limit=64", "--restart=unless-stopped"]
    bound = [*options, f"--cpuset-cpus={most}", "--name=bound"]
    box.docker("run", "-d", *bound, *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("stop", "bound")
    work = "dd if=/dev/zero of=/cache/a bs=1M count=14; exec sleep 1000"
    box.docker(
        "run", "-d", "--name=cacher", *options, "--tmpfs=/cache:size=16m", "bb:1.36", "sh", "-c",
        work,
    )  # fmt: skip


@fault(
    "resources.pids-exhausted",
    subject="daemon:docker",
    also=["container.start-refused", "container.runtime-limit-hit"],
)
def engine_at_the_limit_of_its_unit(box: Box) -> None:
    """The engine and the shims of its containers have as many tasks as their control group allows,
    as with TasksMax of the unit: no container starts."""
    box.image("bb:1.36")
    group = "/sys/fs/cgroup/pids/engine"
    box.sh(
        f"mkdir -p {group}; for p in $(pidof dockerd containerd containerd-shim-runc-v2); do"
        f" echo $p >{group}/cgroup.procs; done; n=$(cat {group}/pids.current);"
        f" echo $((n + 6)) >{group}/pids.max"
    )
    options = ["--memory=64m", "--pids-limit=64", *GOOD]
    late = ["run", "-d", "--name=late", *options, "bb:1.36", "sleep", "1000"]
    assert box.docker(*late, check=False).returncode != 0
    assert "max 0" not in box.read(f"{group}/pids.events")


_PINNED = "resources.pinned-together"
_COMPUTES = ("sh", "-c", "while :; do :; done")


def _pinned(box: Box, *lists: str) -> None:
    """Containers that compute, each with its list of CPUs; other work may run on this machine."""
    limits = "used_pct = 1\nspare_pct = 50\nidle_pct = 0\n"
    box.write("/etc/diagnose/lab.toml", f'[thresholds."{_PINNED}"]\n{limits}')
    for number, cpus in enumerate(lists):
        options = ("--memory=64m", "--pids-limit=16", "--restart=always", f"--cpuset-cpus={cpus}")
        name = f"--name=pinned{number}"
        box.docker("run", "-d", name, *options, *GOOD, box.image("bb:1.36"), *_COMPUTES)


@fault(_PINNED, subject="container:pinned*", exit_code=0, baseline=False)
def containers_of_one_cpu(box: Box) -> None:
    """All may run on CPU 0 alone; the first command lets them run on each."""
    _pinned(box, "0", "0", "0", "0")
    (finding,) = box.diagnose("check", _PINNED, "--format", "json").findings
    box.sh(finding["fix"][0]["command"])
    lists = {box.inspect(f"pinned{n}")["HostConfig"]["CpusetCpus"] for n in range(4)}
    assert "0" not in lists, lists
    assert not box.diagnose("check", _PINNED, "--format", "json").findings
    box.sh("docker update --cpuset-cpus 0 pinned0 pinned1 pinned2 pinned3")


@healthy(baseline=False, advice=None)
def containers_of_one_cpu_each(box: Box) -> None:
    """Each has a CPU of its own."""
    _pinned(box, "0", "1")
    assert len(box.api("/containers/json")) == 2
