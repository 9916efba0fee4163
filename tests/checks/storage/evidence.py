"""Evidence that several files of this family share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

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


def inspect_with(**changes: Json) -> dict[str, Json]:
    """A running container as inspect shows it, parts of it changed."""
    shown: dict[str, Json] = {
        "Id": ID,
        "Name": "/web",
        "Created": "2026-11-17T00:00:00Z",
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


def usage_at(pct: float) -> dict[str, Json]:
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
    "api.container": inspect_with(),
    "api.recheck": inspect_with(),
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


def report_of(id_: str, **answers: Any) -> Report:
    host = Made(BASE | {kind.replace("__", "."): answer for kind, answer in answers.items()})
    asked = engine.Run(CHECKS, [id_])
    return engine.run(host, asked, began=time.monotonic(), budget=Budget(time.monotonic() + 20))


def assert_found(
    id_: str, answers: dict[str, Any], subject: str, severity: Severity, words: str
) -> None:
    """This host has one finding of the check, about this subject, with these words in its summary.

    The check of writable layers measures them only where it is asked for by name.
    """
    if id_ == "storage.writable-layer-large":
        answers = {**answers, "options": {"wanted": [id_]}}
    report = report_of(id_, **answers)
    findings = [finding for finding in report.findings if finding.id == id_]
    assert [(str(finding.subject), finding.severity) for finding in findings] == [
        (subject, severity)
    ], report.results
    assert words in findings[0].finding.summary


def assert_silent(id_: str, answers: dict[str, Any], verdict: str) -> None:
    """The check has no finding on this host, and comes to this verdict."""
    report = report_of(id_, **answers)
    assert [finding.id for finding in report.findings if finding.id == id_] == []
    (result,) = (result for result in report.results if result.check.id == id_)
    assert str(result.verdict) == verdict, result.why
