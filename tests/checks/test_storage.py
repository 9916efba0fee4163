"""Storage and logging checks on made hosts: one case that fires, one that is silent, one that does
not apply."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.model import Failed, Json, Report, Severity
from diagnose.questions import AnyQuestion
from diagnose.recording.budget import Budget
from tests.hosts import Made

GIB = 1 << 30
NOW = 1_795_000_000.0
ID, OTHER = "a1" * 32, "b2" * 32
ROOT = "/var/lib/docker"
LOG = f"{ROOT}/containers/{ID}/{ID}-json.log"
UPPER = "c3" * 32
CHECKS = registry.load()


def inspected(**changes: Json) -> dict[str, Json]:
    """A running container as inspect shows it, parts of it changed."""
    shown: dict[str, Json] = {
        "Id": ID,
        "Name": "/web",
        "Created": "2026-11-01T00:00:00Z",
        "LogPath": LOG,
        "State": {
            "Status": "running",
            "Running": True,
            "Pid": 77,
            "StartedAt": "2026-11-01T00:00:01Z",
        },
        "HostConfig": {
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}},
            "IpcMode": "private",
        },
        "GraphDriver": {"Name": "overlay2", "Data": {"UpperDir": f"{ROOT}/overlay2/{UPPER}/diff"}},
        "Mounts": [],
        "Config": {"Image": "shop:1.4"},
    }
    return shown | changes


def logging(kind: str, **config: str) -> dict[str, Json]:
    return {"HostConfig": {"LogConfig": {"Type": kind, "Config": config}, "IpcMode": "private"}}


def usage(**changes: Json) -> dict[str, Json]:
    """A file system of 100 GiB, half full."""
    figures: dict[str, Json] = {
        "point": ROOT,
        "fstype": "ext4",
        "source": "/dev/sdb1",
        "size": 100 * GIB,
        "used": 50 * GIB,
        "free": 50 * GIB,
        "available": 50 * GIB,
        "reserved": 0,
        "inodes": 1000,
        "inodes_free": 900,
        "dev": "8:17",
        "read_only": False,
    }
    return figures | changes


def filled(pct: float) -> dict[str, Json]:
    used = int(GIB * pct)
    return usage(used=used, free=100 * GIB - used, available=100 * GIB - used)


SYSTEM = usage(point="/", dev="8:1", source="/dev/sda1")
WALK: dict[str, Json] = {
    "bytes": 96 * GIB,
    "complete": True,
    "refused": 0,
    "entries": 1000,
    "by": {
        f"containers/{ID}": 60 * GIB,
        "volumes/orders": 20 * GIB,
        f"overlay2/{UPPER}": 10 * GIB,
        f"overlay2/{OTHER}": 6 * GIB,
    },
    "largest": [],
}


def mount(point: str, fstype: str, options: str = "rw", source: str = "/dev/x") -> dict[str, Json]:
    return {
        "point": point,
        "fstype": fstype,
        "source": source,
        "root": "/",
        "dev": "8:9",
        "options": "rw",
        "super": options,
    }


def stats(sizes: Mapping[str, int]) -> Any:
    def answer(question: AnyQuestion) -> Json:
        paths = question.args["paths"]
        return {
            path: {"size": sizes[path], "blocks_bytes": sizes[path], "dev": "8:17"}
            if path in sizes
            else {"failed": "missing"}
            for path in paths
        }

    return answer


def disks(root: Json, system: Json = SYSTEM, **others: Json) -> Any:
    def answer(question: AnyQuestion) -> Json:
        path = question.args["path"]
        return {ROOT: root, "/": system}.get(
            path, others.get(path.strip("/"), Failed("missing", path))
        )

    return answer


BASE: dict[str, Any] = {
    "now": {"wall": NOW, "boot_wall": NOW - 1e6, "monotonic": 1e6},
    "uname": {"nodename": "shop-3", "release": "6.1"},
    "endpoint": {"url": "unix:///run/docker.sock"},
    "locality": {"same_host": True, "why": "", "engine_pid": 7},
    "api.ping": {"api_version": "1.51", "engine_version": "28.5.2"},
    "api.info": {
        "Driver": "overlay2",
        "DockerRootDir": ROOT,
        "DriverStatus": [["Supports d_type", "true"]],
    },
    "api.containers": [{"Id": ID, "Names": ["/web"]}],
    "api.container": inspected(),
    "api.recheck": inspected(),
    "api.networks": [],
    "mounts": [mount("/", "ext4", source="/dev/sda1"), mount(ROOT, "ext4", source="/dev/sdb1")],
    "process": {"cmdline": ["dockerd"], "uid": 0, "start": 100.0},
    "file.read": Failed("missing", "no daemon.json"),
    "file.stats": stats({LOG: 1000}),
    "fs.usage": disks(usage()),
    "fs.walk": WALK,
    "fs.rate": {"seconds": 1.0, "free_before": 5 * GIB, "free_after": 5 * GIB},
    "fs.usages": {
        "/proc/77/root/dev/shm": usage(point="/dev/shm", size=64 << 20, used=0, available=64 << 20)
    },
    "fs.layers": {"folders": [], "referenced": [], "mentioned": []},
    "deleted_files": {"files": [], "unseen": 0},
    "api.volumes": {"Volumes": []},
}


def examine(id_: str, **answers: Any) -> Report:
    host = Made(BASE | {kind.replace("__", "."): answer for kind, answer in answers.items()})
    asked = engine.Run(CHECKS, [id_])
    return engine.run(host, asked, began=time.monotonic(), budget=Budget(time.monotonic() + 20))


def dead(path: str = "srv/share", failed: Failed | None = None) -> dict[str, Any]:
    """A container's mount on NFS; answered unless it failed."""
    return {
        "api__container": inspected(
            Mounts=[{"Type": "bind", "Source": f"/{path}", "Destination": "/data"}]
        ),
        "mounts": [
            mount("/", "ext4"),
            mount(ROOT, "ext4"),
            mount(f"/{path}", "nfs4", source="nas:/export"),
        ],
        "fs__usage": disks(usage(), **{path: failed or usage(point=f"/{path}", fstype="nfs4")}),
    }


def store(kind: str) -> dict[str, Json]:
    return {"Driver": "overlayfs", "DockerRootDir": ROOT, "DriverStatus": [["driver-type", kind]]}


FOLDERS = [{"name": UPPER, "mtime": NOW - 9e5}, {"name": OTHER, "mtime": NOW - 9e5}]
UNBORN = {"Status": "created", "ExitCode": 128, "Pid": 0}
NO_OPTION = (
    "failed to create task for container: failed to initialize logging driver: invalid size: '-1'"
)
NO_NAME = (
    "failed to create task for container: failed to initialize logging driver: gelf: cannot connect to GELF endpoint: "
    "graylog.example:12201 dial udp: lookup graylog.example on 192.0.2.53:53: server misbehaving"
)
NO_LOGGER = (
    "failed to initialize logging driver: dial tcp 127.0.0.1:24224: connect: connection refused"
)
HELD = {
    "pid": 77,
    "fd": 3,
    "path": "/data/x",
    "bytes": 30 * GIB,
    "dev": "8:17",
    "fstype": "ext4",
    "comm": "java",
    "container": ID,
}
DAEMON_JSON = {"text": '{"log-opts": {"max-size": "10m"}}', "mtime": 1.0}

FIRES: dict[str, tuple[str, dict[str, Any], str, Severity, str]] = {
    "96 %": (
        "storage.disk-full",
        {"fs__usage": disks(filled(96))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "96 % full",
    ),
    "86 %": (
        "storage.disk-full",
        {"fs__usage": disks(filled(86))},
        f"filesystem:{ROOT}",
        Severity.warning,
        "14.0 GiB left",
    ),
    "99 %, but 200 GiB left": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(size=20000 * GIB, used=19800 * GIB, free=200 * GIB, available=200 * GIB)
            )
        },
        f"filesystem:{ROOT}",
        Severity.warning,
        "99 % full",
    ),
    "filling": (
        "storage.disk-full",
        {
            "fs__usage": disks(filled(96)),
            "fs__rate": {
                "seconds": 1.0,
                "free_before": 4 * GIB,
                "free_after": 4 * GIB - (40 << 20),
            },
        },
        f"filesystem:{ROOT}",
        Severity.critical,
        "full in about 2 min",
    ),
    "reserved blocks are nobody's": (
        "storage.disk-full",
        {"fs__usage": disks(usage(used=94 * GIB, free=6 * GIB, available=1 * GIB))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "99 % full",
    ),
    "the system's disk": (
        "storage.disk-full",
        {"fs__usage": disks(usage(), filled(96) | {"point": "/"})},
        "filesystem:/",
        Severity.critical,
        "",
    ),
    "the host's logs": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(),
                **{"var/log": usage(point="/var/log", dev="8:3", used=97 * GIB, available=3 * GIB)},
            )
        },
        "filesystem:/var/log",
        Severity.warning,
        "97 % full",
    ),
    "no inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes_free=3))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "3 of 1000",
    ),
    "xfs may make no more inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(fstype="xfs", inodes_free=3))},
        f"filesystem:{ROOT}",
        Severity.critical,
        "3 of 1000",
    ),
    "few inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes_free=70))},
        f"filesystem:{ROOT}",
        Severity.warning,
        "70 of 1000",
    ),
    "held": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD]}},
        "container:web",
        Severity.warning,
        "30.0 GiB",
    ),
    "a log that the engine holds": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"path": LOG, "container": None, "comm": "dockerd"}]}},
        "container:web",
        Severity.warning,
        "dockerd (pid 77)",
    ),
    "held is more than what is left": (
        "storage.deleted-files-held",
        {
            "deleted_files": {"files": [HELD | {"bytes": 1 << 30}]},
            "fs__usage": disks(usage(available=GIB // 2)),
        },
        "container:web",
        Severity.warning,
        "1.0 GiB",
    ),
    "held on overlay": (
        "storage.deleted-files-held",
        {
            "deleted_files": {
                "files": [HELD | {"dev": "0:99", "fstype": "overlay", "container": None}]
            }
        },
        f"filesystem:{ROOT}",
        Severity.warning,
        "java (pid 77)",
    ),
    "dangling": (
        "storage.volumes-unused",
        {"api__volumes": {"Volumes": [{"Name": "old"}]}},
        "volume:old",
        Severity.advice,
        "",
    ),
    "10 GiB in a layer": (
        "storage.writable-layer-large",
        {},
        "container:web",
        Severity.warning,
        "10.0 GiB",
    ),
    "remounted": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4", "ro,errors=remount-ro")]},
        f"filesystem:{ROOT}",
        Severity.critical,
        "is read-only: ro",
    ),
    "bound read-only": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4"),
                mount(ROOT, "ext4"),
                mount(ROOT, "ext4") | {"options": "ro"},
            ]
        },
        f"filesystem:{ROOT}",
        Severity.critical,
        "is read-only: ro",
    ),
    "ext4 of Linux 6.15 after an error": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4", "rw,emergency_ro")]},
        f"filesystem:{ROOT}",
        Severity.critical,
        "emergency_ro",
    ),
    "one layer lost": (
        "storage.overlay-orphans",
        {"fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": []}},
        "daemon:docker",
        Severity.advice,
        "1 of 2",
    ),
    "old store": (
        "storage.store-leftover",
        {
            "api__info": store("io.containerd.snapshotter.v1"),
            "fs__layers": {"folders": FOLDERS, "referenced": [], "mentioned": []},
        },
        "daemon:docker",
        Severity.advice,
        "2 layer folders",
    ),
    "ftype=0": (
        "storage.d-type-missing",
        {
            "api__info": {
                "Driver": "overlay2",
                "DockerRootDir": ROOT,
                "DriverStatus": [["Backing Filesystem", "xfs"], ["Supports d_type", "false"]],
            }
        },
        "daemon:docker",
        Severity.warning,
        "xfs without d_type",
    ),
    "hangs": (
        "storage.network-volume-stale",
        dead(failed=Failed("timed out", "pid 9")),
        "filesystem:/srv/share",
        Severity.critical,
        'used by container "web"',
    ),
    "stale handle": (
        "storage.network-volume-stale",
        dead(f"{ROOT[1:]}/volumes/share/_data", Failed("refused", "[Errno 116] Stale file handle")),
        "volume:share",
        Severity.critical,
        "fails",
    ),
    "shm": (
        "storage.shm-full",
        {
            "fs__usages": {
                "/proc/77/root/dev/shm": usage(size=64 << 20, used=64 << 20, free=0, available=0)
            }
        },
        "container:web",
        Severity.warning,
        "64.0 MiB",
    ),
    "no limit": (
        "logging.unbounded",
        {"api__container": inspected(**logging("json-file"))},
        "container:web",
        Severity.advice,
        "no max-size",
    ),
    "max-file alone limits nothing": (
        "logging.unbounded",
        {"api__container": inspected(**logging("json-file", **{"max-file": "3"}))},
        "container:web",
        Severity.advice,
        "",
    ),
    "300 MB": (
        "logging.unbounded",
        {
            "api__container": inspected(**logging("json-file")),
            "file__stats": stats({LOG: 300_000_000}),
        },
        "container:web",
        Severity.warning,
        "286 MiB",
    ),
    "more than is left": (
        "logging.unbounded",
        {
            "api__container": inspected(**logging("json-file")),
            "file__stats": stats({LOG: 90_000_000}),
            "fs__usage": disks(usage(used=99 * GIB, free=GIB, available=80_000_000)),
            "fs__walk": WALK | {"by": {"volumes/orders": 99 * GIB}},
        },
        "container:web",
        Severity.warning,
        "",
    ),
    "small on a disk that others filled": (
        "logging.unbounded",
        {
            "api__container": inspected(**logging("json-file")),
            "fs__usage": disks(usage(used=100 * GIB, free=0, available=0)),
        },
        "container:web",
        Severity.advice,
        "",
    ),
    "logs fill the disk": (
        "logging.unbounded",
        {
            "api__container": inspected(**logging("json-file")),
            "file__stats": stats({LOG: 60 * GIB}),
            "fs__usage": disks(filled(97)),
        },
        "container:web",
        Severity.critical,
        "97 % full",
    ),
    "a trifle on a disk that others filled": (
        "logging.unbounded",
        {
            "api__container": inspected(**logging("json-file")),
            "file__stats": stats({LOG: 6 * GIB}),
            "fs__usage": disks(filled(97)),
            "fs__walk": WALK | {"by": {}},
        },
        "container:web",
        Severity.warning,
        "6.0 GiB",
    ),
    "older than log-opts": (
        "logging.opts-not-applied",
        {"api__container": inspected(**logging("json-file")), "file__read": DAEMON_JSON},
        "container:web",
        Severity.advice,
        "max-size",
    ),
    "nobody listens": (
        "logging.driver-blocks-start",
        {"api__container": inspected(State=UNBORN | {"Error": NO_LOGGER}, **logging("fluentd"))},
        "container:web",
        Severity.critical,
        "fluentd did not reach its receiver at 127.0.0.1:24224",
    ),
    "a name that has no address": (
        "logging.driver-blocks-start",
        {
            "api__container": inspected(
                State=UNBORN | {"Error": NO_NAME},
                **logging("gelf", **{"gelf-address": "udp://graylog.example:12201"}),
            )
        },
        "container:web",
        Severity.critical,
        "gelf did not reach its receiver at udp://graylog.example:12201",
    ),
    "no cache": (
        "logging.driver-unreadable",
        {"api__container": inspected(**logging("gelf", **{"cache-disabled": "true"}))},
        "container:web",
        Severity.advice,
        "gelf",
    ),
    "stands still": (
        "logging.backpressure",
        {
            "api__container": inspected(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": {"77": 0},
        },
        "container:web",
        Severity.warning,
        "syslog",
    ),
    "log renamed": (
        "logging.file-missing",
        {"open_under": {"paths": [f"{LOG}.1", f"{ROOT}/containers/{OTHER}/{OTHER}-json.log"]}},
        "container:web",
        Severity.warning,
        f"{ID}-json.log.1, no longer",
    ),
    "log removed": (
        "logging.file-missing",
        {"file__stats": stats({})},
        "container:web",
        Severity.warning,
        "does not exist",
    ),
}


@pytest.mark.parametrize(
    ("id_", "answers", "subject", "severity", "said"), FIRES.values(), ids=FIRES
)
def test_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, said: str
) -> None:
    if id_ == "storage.writable-layer-large":
        answers = {**answers, "options": {"wanted": [id_]}}
    report = examine(id_, **answers)
    found = [finding for finding in report.findings if finding.id == id_]
    assert [(str(each.subject), each.severity) for each in found] == [(subject, severity)], (
        report.results
    )
    assert said in found[0].finding.summary


SILENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "half full": ("storage.disk-full", {}, "passed"),
    "84 %": ("storage.disk-full", {"fs__usage": disks(filled(84))}, "passed"),
    "full by nature": (
        "storage.disk-full",
        {"fs__usage": disks(usage(), filled(100) | {"fstype": "squashfs", "point": "/"})},
        "passed",
    ),
    "no answer": ("storage.disk-full", {"fs__usage": Failed("timed out", "stuck")}, "unknown"),
    "btrfs has no inodes": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(usage(inodes=0, inodes_free=0))},
        "passed",
    ),
    "small file held": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"bytes": 20 << 20}]}},
        "passed",
    ),
    "little held on a roomy disk": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"bytes": 1 << 30}]}},
        "passed",
    ),
    "held elsewhere": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [HELD | {"dev": "0:5", "fstype": "xfs"}]}},
        "passed",
    ),
    "may not look": (
        "storage.deleted-files-held",
        {"deleted_files": {"files": [], "unseen": 40}},
        "unknown",
    ),
    "xfs is full and counts its inodes by that": (
        "storage.inodes-exhausted",
        {"fs__usage": disks(filled(99) | {"fstype": "xfs", "inodes_free": 3})},
        "passed",
    ),
    "the host's logs are not quite full": (
        "storage.disk-full",
        {
            "fs__usage": disks(
                usage(),
                **{
                    "var/log": usage(point="/var/log", dev="8:3", used=90 * GIB, available=10 * GIB)
                },
            )
        },
        "passed",
    ),
    "all used": ("storage.volumes-unused", {}, "passed"),
    "not measured": (
        "storage.writable-layer-large",
        {"options": {"wanted": ["storage.writable-layer-large", "dns.host-broken"]}},
        "skipped",
    ),
    "small layer": (
        "storage.writable-layer-large",
        {
            "options": {"wanted": ["storage.writable-layer-large"]},
            "fs__walk": WALK | {"by": {f"overlay2/{UPPER}": 4096}},
        },
        "passed",
    ),
    "layer not seen": (
        "storage.writable-layer-large",
        {
            "options": {"wanted": ["storage.writable-layer-large"]},
            "fs__walk": WALK | {"by": {}, "complete": False},
        },
        "unknown",
    ),
    "a service that may write nothing": (
        "storage.read-only",
        {
            "mounts": [
                mount("/", "ext4") | {"options": "ro"},
                mount(ROOT, "ext4") | {"options": "ro"},
            ]
        },
        "passed",
    ),
    "another disk is read-only": (
        "storage.read-only",
        {"mounts": [mount("/", "ext4"), mount(ROOT, "ext4"), mount("/mnt", "ext4", "ro")]},
        "passed",
    ),
    "a pull in progress": (
        "storage.overlay-orphans",
        {
            "fs__layers": {
                "folders": [{"name": OTHER, "mtime": NOW - 60}],
                "referenced": [],
                "mentioned": [],
            }
        },
        "passed",
    ),
    "build cache": (
        "storage.overlay-orphans",
        {"fs__layers": {"folders": FOLDERS, "referenced": [UPPER], "mentioned": [OTHER]}},
        "passed",
    ),
    "init layer": (
        "storage.overlay-orphans",
        {
            "fs__layers": {
                "folders": [{"name": f"{UPPER}-init", "mtime": 1.0}],
                "referenced": [UPPER],
                "mentioned": [],
            }
        },
        "passed",
    ),
    "another driver": (
        "storage.overlay-orphans",
        {"api__info": store("x"), "fs__layers": Failed("missing")},
        "skipped",
    ),
    "own store": ("storage.store-leftover", {}, "skipped"),
    "nothing left": (
        "storage.store-leftover",
        {"api__info": store("io.containerd.snapshotter.v1"), "fs__layers": Failed("missing")},
        "passed",
    ),
    "d_type": ("storage.d-type-missing", {}, "passed"),
    "no overlay": ("storage.d-type-missing", {"api__info": {"Driver": "btrfs"}}, "skipped"),
    "no network disk": ("storage.network-volume-stale", {}, "skipped"),
    "nfs answers": ("storage.network-volume-stale", dead(), "passed"),
    "nfs forbidden": (
        "storage.network-volume-stale",
        dead(failed=Failed("forbidden", "fuse")),
        "unknown",
    ),
    "shm free": ("storage.shm-full", {}, "passed"),
    "shm of the host": (
        "storage.shm-full",
        {"api__container": inspected(HostConfig={"IpcMode": "host"})},
        "passed",
    ),
    "shm forbidden": (
        "storage.shm-full",
        {"fs__usages": {"/proc/77/root/dev/shm": {"failed": "forbidden"}}},
        "unknown",
    ),
    "limited": ("logging.unbounded", {}, "passed"),
    "local rotates": (
        "logging.unbounded",
        {"api__container": inspected(**logging("local"))},
        "passed",
    ),
    "stopped and small": (
        "logging.unbounded",
        {"api__container": inspected(State={"Status": "exited"}, **logging("json-file"))},
        "passed",
    ),
    "no defaults": (
        "logging.opts-not-applied",
        {"api__container": inspected(**logging("json-file"))},
        "skipped",
    ),
    "chosen otherwise": (
        "logging.opts-not-applied",
        {
            "api__container": inspected(**logging("json-file", **{"max-size": "50m"})),
            "file__read": DAEMON_JSON,
        },
        "passed",
    ),
    "another log driver": (
        "logging.opts-not-applied",
        {"api__container": inspected(**logging("local")), "file__read": DAEMON_JSON},
        "passed",
    ),
    "another error": (
        "logging.driver-blocks-start",
        {"api__container": inspected(State=UNBORN | {"Error": "no such file"})},
        "passed",
    ),
    "options that the driver does not know": (
        "logging.driver-blocks-start",
        {"api__container": inspected(State=UNBORN | {"Error": NO_OPTION}, **logging("local"))},
        "passed",
    ),
    "cached": (
        "logging.driver-unreadable",
        {"api__container": inspected(**logging("gelf"))},
        "passed",
    ),
    "driver none": (
        "logging.driver-unreadable",
        {"api__container": inspected(**logging("none"))},
        "passed",
    ),
    "no remote logs": ("logging.backpressure", {}, "skipped"),
    "at work": (
        "logging.backpressure",
        {
            "api__container": inspected(**logging("syslog")),
            "process": {"state": "S", "wchan": "ep_poll", "cmdline": ["x"]},
        },
        "passed",
    ),
    "writes much": (
        "logging.backpressure",
        {
            "api__container": inspected(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": {"77": 40},
        },
        "passed",
    ),
    "nobody can look twice": (
        "logging.backpressure",
        {
            "api__container": inspected(**logging("syslog")),
            "process": {"state": "S", "wchan": "anon_pipe_write", "cmdline": ["x"]},
            "wakings": Failed("timed out", "no answer in 2.0 s"),
        },
        "unknown",
    ),
    "log there": ("logging.file-missing", {}, "passed"),
    "log being rotated": (
        "logging.file-missing",
        {"open_under": {"paths": [LOG, f"{LOG}.1"]}},
        "passed",
    ),
    "log hidden": (
        "logging.file-missing",
        {"file__stats": {LOG: {"failed": "forbidden"}}},
        "unknown",
    ),
}


@pytest.mark.parametrize(("id_", "answers", "verdict"), SILENT.values(), ids=SILENT)
def test_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    report = examine(id_, **answers)
    assert [finding.id for finding in report.findings if finding.id == id_] == []
    (result,) = (each for each in report.results if each.check.id == id_)
    assert str(result.verdict) == verdict, result.why


def test_the_log_is_the_cause_of_the_full_disk() -> None:
    answers = {
        "api__container": inspected(**logging("json-file")),
        "file__stats": stats({LOG: 60 * GIB}),
    }
    report = examine("storage.disk-full", fs__usage=disks(filled(97)), **answers)
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert [link.cause for link in full.causes] == ["logging.unbounded@container:web"]


def test_layers_of_a_silent_engine_are_found_by_its_database() -> None:
    layers = {"folders": FOLDERS, "referenced": [UPPER], "mentioned": [], "mounts": {ID: UPPER}}
    shown = inspected(GraphDriver=None)
    asked = {
        "options": {"wanted": ["storage.writable-layer-large"]},
        "fs__layers": layers,
        "api__container": shown,
    }
    report = examine("storage.writable-layer-large", **asked)
    assert [str(finding.subject) for finding in report.findings] == ["container:web"]


def test_parts_and_other_are_what_is_used() -> None:
    report = examine(
        "storage.disk-full", fs__usage=disks(filled(97)), file__stats=stats({LOG: 60 * GIB})
    )
    (full,) = report.findings
    parts = full.finding.evidence["attribution"]
    assert {part["name"]: part["bytes"] // GIB for part in parts} == {
        "container logs": 60,
        "volumes": 20,
        "writable layers": 10,
        "images": 6,
        "other": 1,
    }
    assert sum(part["bytes"] for part in parts) == 97 * GIB
    assert "not measured" not in full.finding.evidence


def test_what_is_not_dockers_in_the_data_root_has_a_name() -> None:
    by: dict[str, Json] = {
        "backup.tar": 70 * GIB,
        "tmp": 4096,
        f"containers/{OTHER}": 20 * GIB,
        "volumes/orders": 5 * GIB,
    }
    report = examine(
        "storage.disk-full",
        fs__usage=disks(filled(97)),
        fs__walk=WALK | {"by": by},
        file__stats=stats({LOG: GIB}),
    )
    (full,) = report.findings
    parts = {part["name"]: part for part in full.finding.evidence["attribution"]}
    assert parts["other"]["note"].startswith(f"{ROOT}/backup.tar 70.0 GiB")
    assert parts["container logs"]["bytes"] == 21 * GIB
    assert full.finding.variables["where"] == ROOT
    assert "not measured" not in full.finding.evidence


def test_what_was_not_measured_is_said() -> None:
    walk = WALK | {"complete": False, "by": {"volumes/orders": 20 * GIB}}
    report = examine(
        "storage.disk-full",
        fs__usage=disks(filled(97)),
        fs__walk=walk,
        file__stats=Failed("forbidden", "root only"),
    )
    (full,) = report.findings
    assert sum(part["bytes"] for part in full.finding.evidence["attribution"]) == 97 * GIB
    said = " ".join(full.finding.evidence["not measured"])
    assert "at least" in said
    assert "container logs: forbidden" in said


def system_df(name: str) -> Json:
    """/system/df in the shape of API 1.41 to 1.51, or of 1.52 as engine 29 answers with
    verbose=true."""
    item = {"Id": ID, "SizeRw": 4096, "Size": 70, "Shared": False}
    rows = {
        "Containers": [item],
        "Volumes": [],
        "BuildCache": [item, item | {"Shared": True}],
        "LayersSize": 9,
    }
    if name == "old":
        return rows
    return {
        "ContainerUsage": {"Items": [item], "TotalSize": 4096},
        "VolumeUsage": {"Items": []},
        "BuildCacheUsage": {"Items": [item, item | {"Shared": True}]},
        "ImageUsage": {"TotalSize": 9},
    }


@pytest.mark.parametrize("shape", ["old", "API 1.52"])
def test_who_may_not_walk_hears_what_the_engine_counts(shape: str) -> None:
    denied = WALK | {"by": {}, "refused": 1, "complete": False}
    report = examine(
        "storage.disk-full",
        fs__usage=disks(filled(97)),
        fs__walk=denied,
        api__system_df=system_df(shape),
        file__stats=Failed("forbidden"),
    )
    (full,) = report.findings
    parts = {part["name"]: part["bytes"] for part in full.finding.evidence["attribution"]}
    assert parts == {
        "writable layers": 4096,
        "build cache": 70,
        "images": 9,
        "other": 97 * GIB - 4096 - 79,
    }
    assert "only root" in full.finding.evidence["not measured"][0]


STOPPED = {"State": {"Status": "exited", "Pid": 0}}


def test_stopped_containers_that_fill_the_disk_can_be_removed() -> None:
    walk = WALK | {"by": {f"overlay2/{UPPER}": 90 * GIB}}
    report = examine(
        "storage.disk-full",
        fs__usage=disks(filled(97)),
        fs__walk=walk,
        api__container=inspected(**STOPPED),
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["stopped"] == "--force"
    assert full.finding.evidence["stopped containers"] == "1, 90.0 GiB"
    running = examine("storage.disk-full", fs__usage=disks(filled(97)), fs__walk=walk)
    (full,) = (finding for finding in running.findings if finding.id == "storage.disk-full")
    assert "stopped" not in full.finding.variables


def test_anonymous_volumes_that_fill_the_disk_can_be_removed() -> None:
    name = "d4" * 32
    report = examine(
        "storage.disk-full",
        fs__usage=disks(filled(97)),
        fs__walk=WALK | {"by": {f"volumes/{name}": 80 * GIB, "volumes/orders": 10 * GIB}},
        api__volumes={"Volumes": [{"Name": name}, {"Name": "orders"}]},
    )
    (full,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert full.finding.variables["anonymous"] == "^[0-9a-f]{64}$"
    assert full.finding.evidence["anonymous volumes without a container"] == "1, 80.0 GiB"


def test_what_fills_another_disk_is_named() -> None:
    logs = usage(point="/var/log", dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    report = examine(
        "storage.disk-full",
        fs__usage=disks(usage(), **{"var/log": logs}),
        fs__walk=WALK | {"by": {"journal/0123": 80 * GIB, "nginx": 10 * GIB, "apt": GIB}},
    )
    (full,) = report.findings
    assert full.finding.evidence["largest"] == [
        "/var/log/journal/0123 80.0 GiB",
        "/var/log/nginx 10.0 GiB",
    ]
    assert full.finding.variables["journal"] == "10240M"
    assert full.finding.variables["where"] == "/var/log/journal/0123"


def test_core_dumps_that_fill_a_disk_are_named() -> None:
    full = usage(point="/srv/app", dev="8:3", size=100 * GIB, used=97 * GIB, available=3 * GIB)
    cores = [{"path": f"/srv/app/data/core.{pid}", "bytes": 20 * GIB} for pid in (7, 12)]
    report = examine(
        "storage.disk-full",
        fs__usage=disks(usage(), **{"var/log": full}),
        fs__walk=WALK | {"by": {"data/core.7": 20 * GIB}, "largest": cores},
    )
    (found,) = report.findings
    assert "2 core dumps in /srv/app/data hold 40.0 GiB" in found.finding.summary
    assert found.finding.variables["dumps"] == "/srv/app/data"
    assert found.finding.variables["where"] == "/srv/app/data"


def test_what_the_engine_left_of_downloads_can_be_removed() -> None:
    blobs = {f"tmp/GetImageBlob{number}": 30 * GIB for number in range(2)}
    report = examine(
        "storage.disk-full", fs__usage=disks(filled(97)), fs__walk=WALK | {"by": blobs}
    )
    (found,) = (finding for finding in report.findings if finding.id == "storage.disk-full")
    assert found.finding.variables["downloads"] == f"{ROOT}/tmp"
