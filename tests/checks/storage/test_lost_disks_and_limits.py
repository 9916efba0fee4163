"""Disks that are not where a container looks for them, and limits that only the host shows."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.cgroups import Cgroups, CgroupStats, Memory, Pids
from diagnose.evidence.containers.events import Events
from diagnose.evidence.containers.mounts.stale_mounts import DELETED, stale_mounts
from diagnose.evidence.containers.shared_memory import InMemory, SharedMemory
from diagnose.evidence.engine.data_root_candidates import PlannedMount
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pull_errors import classify
from diagnose.evidence.images.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.host_limits import HostLimits, host_limits
from diagnose.evidence.machine.kernel_keys import KernelKeys, KeyQuota, parse_quotas
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.machine.processor import OnlineProcessors, processor_numbers
from diagnose.evidence.run.options import Options
from diagnose.evidence.storage.filesystems import Usage
from diagnose.evidence.storage.mounts import Mounted, Mounts, parse
from diagnose.evidence.storage.unmounted_disks import UnmountedDisk, UnmountedDisks
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.engine import RegistryConfig
from diagnose.questions.processes import Process
from tests.hosts import Made
from tests.inspected import bind, container, of
from tests.judging import judge, rows

MIB = 1 << 20
NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)
DOWN: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 0}}
RESTARTING: dict[str, Any] = {"State": {"Status": "restarting", "Pid": 0, "ExitCode": 1}}
ALWAYS: dict[str, Any] = {"RestartPolicy": {"Name": "always"}}


# -- disks ----------------------------------------


PLANNED = PlannedMount("/srv/media", "UUID=1", "/etc/fstab")


@pytest.mark.parametrize(
    ("parts", "entries", "expected"),
    [
        pytest.param({}, 0, [("critical", "/srv/media")], id="a container runs on the folder"),
        pytest.param(RESTARTING, 1, [("critical", "/srv/media")], id="its container is restarted"),
        pytest.param(DOWN, None, [("warning", "/srv/media")], id="its container is down"),
    ],
)
def test_disk_not_mounted(parts: dict[str, Any], entries: int | None, expected: object) -> None:
    user = container("media", **bind("/srv/media/films"), **parts)
    disks = UnmountedDisks((UnmountedDisk(PLANNED, (user,), entries),))
    result = judge("storage.disk-not-mounted", disks=disks)
    assert rows(result) == expected
    assert result.findings[0].variables == {"point": "/srv/media", "container": "media"}


def test_no_disk_is_missed() -> None:
    assert judge("storage.disk-not-mounted", disks=UnmountedDisks(())).verdict == "passed"


def mounted(point: str, dev: str, fstype: str = "ext4") -> Mounted:
    return Mounted(point, fstype, f"/dev/{dev}", "/", dev, "rw", "rw")


SYSTEM = mounted("/", "8:1")
DISK = mounted("/srv/media", "8:17")


@pytest.mark.parametrize(
    ("inside", "mounts", "stat", "covered"),
    [
        pytest.param("8:1", [SYSTEM, DISK], "8:17", ["/dev/8:17"], id="mounted later"),
        pytest.param("8:17", [SYSTEM, DISK], "8:17", [], id="mounted before"),
        pytest.param("8:17", [SYSTEM], "8:1", [], id="unmounted later"),
        pytest.param("8:1", [SYSTEM, DISK], "8:1", [], id="a link that leads elsewhere"),
        pytest.param("8:33", [SYSTEM, DISK], "8:17", [], id="another disk than the one beneath"),
        pytest.param(
            "8:1", [SYSTEM, mounted("/srv/media", "0:5", "autofs")], "0:5", [], id="automount"
        ),
    ],
)
def test_disk_mounted_after_the_start(
    inside: str, mounts: list[Mounted], stat: str, covered: list[str]
) -> None:
    user = container("media", **bind("/srv/media/films", Destination="/films"))

    def stats(question: Question[Json]) -> Json:
        devices = {"/srv/media/films": stat, "/srv/media": "8:17"}
        return {path: {"dev": devices[path]} for path in question.args["paths"]}

    table = f"1 0 0:30 / / rw - overlay overlay rw\n2 1 {inside} /srv/media/films /films rw - ext4 /dev/x rw\n"
    host = Made({"file.read": {"text": table}, "file.stats": stats})
    stale = stale_mounts(host, of(user), Mounts(tuple(mounts)), None)
    assert [item.covered_by for item in stale.items] == covered
    result = judge("container.mount-stale", stale_mounts=stale)
    assert rows(result) == [("warning", "media")] * len(covered)


# -- memory ----------------------------------------


def oom(memory: Memory, areas: tuple[InMemory, ...] = (), **host: Any) -> Any:
    user = container("web", HostConfig={"Memory": 48 * MIB, **host})
    return judge(
        "container.oom-killed",
        containers=of(user),
        clock=CLOCK,
        options=Options(),
        cgroups=Cgroups({user.id: CgroupStats(memory=memory)}),
        events=Events(()),
        in_memory=SharedMemory(areas),
    )


def test_a_container_without_oom_killer_hangs() -> None:
    full = Memory(limit=48 * MIB, max_usage=48 * MIB, under_oom=1)
    assert rows(oom(full, OomKillDisable=True)) == [("critical", "web")]
    assert rows(oom(full)) == []
    assert rows(oom(Memory(limit=48 * MIB, under_oom=0), OomKillDisable=True)) == []


@pytest.mark.parametrize(
    ("path", "used", "size", "variable"),
    [
        pytest.param("/cache", 40, 12000, "/cache:size=24m", id="a tmpfs without a size"),
        pytest.param("/cache", 4, 12000, None, id="hardly anything in it"),
        pytest.param("/cache", 16, 16, None, id="a size of its own"),
        pytest.param("/dev/shm", 40, 64, None, id="shared memory"),
    ],
)
def test_files_in_memory_count_as_memory(
    path: str, used: int, size: int, variable: str | None
) -> None:
    usage = Usage(
        path, "tmpfs", "tmpfs", size * MIB, used * MIB, 0, (size - used) * MIB, 0, 0, "0:1", False
    )
    area = InMemory(container("web"), path, usage)
    killed = Memory(limit=48 * MIB, max_usage=48 * MIB, oom_kill=1)
    (finding,) = oom(killed, (area,)).findings
    assert finding.variables.get("tmpfs") == variable
    assert ("files in memory" in finding.evidence) == (used >= 12)


# -- processors and keys ----------------------------------------


@pytest.mark.parametrize(
    ("host", "state", "expected"),
    [
        pytest.param({"CpusetCpus": "0-7", **ALWAYS}, DOWN, [("critical", "web")], id="cpuset"),
        pytest.param({"CpusetCpus": "0-7"}, DOWN, [("advice", "web")], id="kept"),
        pytest.param({"CpusetCpus": "0,1", **ALWAYS}, DOWN, [], id="cpuset that fits"),
        pytest.param({"CpusetCpus": "0-7", **ALWAYS}, {}, [], id="it runs"),
        pytest.param({"NanoCpus": 4_000_000_000, **ALWAYS}, DOWN, [("critical", "web")], id="cpus"),
        pytest.param({"NanoCpus": 2_000_000_000, **ALWAYS}, DOWN, [], id="cpus that fit"),
    ],
)
def test_processors_that_are_not_there(
    host: dict[str, Any], state: dict[str, Any], expected: object
) -> None:
    result = judge(
        "container.runtime-limit-hit",
        containers=of(container("web", HostConfig=host, **state)),
        online=OnlineProcessors(processor_numbers("0-1"), "0-1"),
        info=Info(ncpu=2),
    )
    assert rows(result) == expected


def test_numbers_of_processors() -> None:
    assert processor_numbers("0-3,8\n") == {0, 1, 2, 3, 8}
    assert processor_numbers("") == frozenset()
    assert len(processor_numbers("0-99999999")) < 10_000


KEY_USERS = """    0:   146 145/145 106/1000000 2270/25000000
100000:   201 201/201 200/200 2800/20000
"""


def test_quotas_of_keys() -> None:
    root, remapped = parse_quotas(KEY_USERS)
    assert root == KeyQuota(0, 106, 1_000_000, 2270, 25_000_000)
    assert (root.is_used_up, remapped.is_used_up) == (False, True)


def test_a_quota_of_keys_that_is_used_up() -> None:
    error = (
        "OCI runtime create failed: unable to join session keyring: unable to create session key: "
        "disk quota exceeded"
    )
    refused = container("web", State={"Status": "created", "ExitCode": 128, "Error": error, "Pid": 0, "StartedAt": ""})  # fmt: skip
    result = judge(
        "container.runtime-limit-hit",
        containers=of(refused),
        keys=KernelKeys(parse_quotas(KEY_USERS)[1:]),
    )
    (finding,) = result.findings
    assert finding.variables["keys"] == "kernel.keys.maxkeys=2000"
    assert finding.evidence["/proc/key-users"] == [
        "uid 100000: 200 of 200 keys, 2800 of 20000 bytes"
    ]


NO_KEY = "OCI runtime exec failed: unable to create session key: disk quota exceeded"


@pytest.mark.parametrize("is_refused", [False, True], ids=["probes alone", "a start too"])
def test_probes_that_are_refused_a_key(is_refused: bool) -> None:
    """The cure of a probe that fails is a restart, after which this container would be down."""
    probes = {
        "Status": "unhealthy",
        "FailingStreak": 3,
        "Log": [{"ExitCode": -1, "Output": NO_KEY}],
    }
    probed = [
        container(name, State={"Status": "running", "Pid": 7, "Health": probes})
        for name in ("api", "web")
    ]
    state = {"Status": "created", "ExitCode": 128, "Error": NO_KEY, "Pid": 0, "StartedAt": ""}
    refused = [container("job", State=state)] if is_refused else []
    result = judge(
        "container.runtime-limit-hit",
        containers=of(*refused, *probed),
        keys=KernelKeys(parse_quotas(KEY_USERS)[1:]),
    )
    (finding,) = result.findings
    told = {finding.subject.name, *(subject.name for subject in finding.touches)}
    assert {"api", "web"} <= told
    assert finding.variables["key_bytes"] == "kernel.keys.maxbytes=200000"


# -- pulls ----------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("filesystem layer verification failed for digest sha256:77", "altered"),
        ("failed to copy: unexpected EOF", "altered"),
        (
            "failed to register layer: Error processing tar file(exit status 1): unexpected EOF",
            "unpack",
        ),
        ("failed to register layer: layer does not exist", "corrupt"),
    ],
)
def test_what_arrives_altered_is_no_damage_of_this_host(text: str, why: str) -> None:
    assert classify(text) == why


def test_a_mirror_on_the_way_is_named() -> None:
    text = "filesystem layer verification failed for digest sha256:77"
    pulls = Pulls((PullTrouble("altered", "", "shop:1", 1, NOW - 60, NOW - 60, text),), "log")
    info = Info(registry_config=RegistryConfig(mirrors=["http://mirror:5000/"]))
    (finding,) = judge("image.pull-altered", pulls=pulls, clock=CLOCK, info=info).findings
    assert finding.evidence["RegistryConfig.Mirrors"] == ["http://mirror:5000/"]
    assert finding.variables == {"image": "shop:1"}


@pytest.mark.parametrize(("side", "words"), [("after", "expired on"), ("before", "valid only")])
def test_dates_of_a_certificate(side: str, words: str) -> None:
    text = (
        "x509: certificate has expired or is not yet valid: "
        f"current time 2026-11-27T02:18:50Z is {side} 2026-01-01T00:00:00Z"
    )
    pulls = Pulls((PullTrouble("tls", "r:5000", "", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge("image.registry-tls", pulls=pulls, clock=CLOCK).findings
    assert words in finding.summary


# -- the engine's own tasks ----------------------------------------


@pytest.mark.parametrize(
    ("pids", "expected"),
    [
        (Pids(current=99, max=100, events_max=3), [("critical", "docker")]),
        (Pids(current=95, max=100, events_max=0), [("warning", "docker")]),
        (Pids(current=40, max=100, events_max=3), []),
        (Pids(current=24, max=31, events_max=3), [("critical", "docker")]),
        (Pids(current=24, max=31, events_max=0), []),
        (Pids(current=40, max=None), []),
    ],
)
def test_the_engine_at_the_limit_of_its_unit(pids: Pids, expected: object) -> None:
    limits = HostLimits(None, None, None, None, (), pids)
    result = judge(
        "resources.pids-exhausted",
        containers=of(),
        clock=CLOCK,
        options=Options(),
        host_limits=limits,
    )
    assert rows(result) == expected


def test_a_web_page_is_no_registry() -> None:
    text = (
        "error parsing HTTP 403 response body: invalid character '<' looking for beginning of "
        'value: "<html>Log in</html>"'
    )
    assert classify(text) == "web-page"
    assert classify("pull access denied for shop: denied: <html>Log in</html>") == "web-page"
    assert classify(text.replace("403", "503")) == "unreachable"
    pulls = Pulls((PullTrouble("web-page", "", "", 1, NOW - 60, NOW - 60, text),), "log")
    (finding,) = judge("image.registry-unreachable", pulls=pulls, clock=CLOCK).findings
    assert "a web page answers" in finding.summary


@pytest.mark.parametrize(
    ("membership", "folder"),
    [
        ("9:memory:/a\n8:pids:/engine\n0::/\n", "/sys/fs/cgroup/pids/engine"),
        ("0::/system.slice/docker.service\n", "/sys/fs/cgroup/system.slice/docker.service"),
    ],
)
def test_the_tasks_of_the_engines_group_are_read(membership: str, folder: str) -> None:
    files = {
        "/proc/loadavg": "0 0 0 1/90 7",
        "/proc/70/cgroup": membership,
        f"{folder}/pids.current": "19\n",
        f"{folder}/pids.max": "25\n",
        f"{folder}/pids.events": "max 2\n",
    }

    def read(question: Question[Json]) -> Json | Failed:
        text = files.get(question.args["path"])
        return Failed("missing") if text is None else {"text": text}

    host = Made({"sysctl": {}, "file.read": read, "process": {"pid": 70, "comm": "dockerd"}})
    processes = Processes((Process(pid=70, comm="dockerd"),))
    limits = host_limits(host, processes)
    assert isinstance(limits, HostLimits)
    assert limits.engine_tasks == Pids(19, 25, 2)


def test_deleted_mounts_are_read_off_the_mount_table():
    table = [
        "612 600 254:1 /srv/old//deleted /etc/app\\040conf ro,relatime - ext4 /dev/vda1 rw",
        "613 600 254:1 /srv/new /data rw,relatime - ext4 /dev/vda1 rw",
    ]
    assert [
        mounted.point for mounted in parse("\n".join(table)) if mounted.root.endswith(DELETED)
    ] == ["/etc/app conf"]
