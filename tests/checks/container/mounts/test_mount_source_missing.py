"""The check in checks/container/mounts/mount_source_missing.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus, bind_sources
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Finding, Unavailable, Unexamined
from tests.checks.container.evidence import (
    CLOCK,
    OPTIONS,
    QUIET,
    UNKNOWN,
    container_in,
    items,
    log_of,
    moment,
)
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

MISFILED = (
    "OCI runtime create failed: runc create failed: unable to start container process: error during container init: "
    'error mounting "/srv/app.conf" to rootfs at "/etc/app.conf": mount /srv/app.conf:/etc/app.conf (via '
    "/proc/self/fd/6), flags: 0x5000: not a directory: unknown: Are you trying to mount a directory onto a file?"
)


WANTS: dict[str, Any] = {
    "HostConfig": {"Mounts": [{"Type": "bind", "Source": "/srv/x", "Target": "/x"}]}
}


FRESH: dict[str, Any] = {
    "Created": moment(60),
    "State": {"StartedAt": "0001-01-01T00:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"},
}


@pytest.mark.parametrize(
    ("name", "container", "source", "count"),
    [
        (
            "folder over file",
            container_in("created", code=127, State={"Error": MISFILED}),
            PathStatus(),
            1,
        ),
        (
            "file over folder",
            container_in("created", code=127, State={"Error": MISFILED}),
            PathStatus(type="file"),
            0,
        ),
        (
            "gone before the start",
            container_in("created", **FRESH, **WANTS),
            PathStatus(failed="missing"),
            1,
        ),
        ("there", container_in("created", **FRESH, **WANTS), PathStatus(type="file"), 0),
        (
            "may not be seen",
            container_in("created", **FRESH, **WANTS),
            PathStatus(failed="forbidden"),
            0,
        ),
        (
            "created last month",
            container_in("created", **{**FRESH, "Created": moment(30 * 86400)}, **WANTS),
            PathStatus(failed="missing"),
            0,
        ),
    ],
)
def test_mount_source_missing(name: str, container: Container, source: PathStatus, count: int):
    sources = BindSources({"/srv/x": source, "/srv/app.conf": source})
    result = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=sources,
        log_tails=QUIET,
    )
    assert rows(result) == [("critical", "web")] * count


OLD_RUNTIME = (
    'OCI runtime create failed: container_linux.go:345: starting container process caused "process_linux.go:430: '
    'container init caused \\"rootfs_linux.go:58: mounting \\\\\\"/srv/app.conf\\\\\\" to rootfs '
    '\\\\\\"/var/lib/docker/overlay2/ab/merged\\\\\\" at '
    '\\\\\\"/var/lib/docker/overlay2/ab/merged/etc/app.conf\\\\\\" caused '
    '\\\\\\"not a directory\\\\\\"\\"": unknown: Are you trying to mount a directory onto a file?'
)


def test_a_runtime_that_quotes_the_error_of_each_step():
    container = container_in("created", code=127, State={"Error": OLD_RUNTIME})
    assert "\\" not in container.state.error
    (finding,) = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources({"/srv/app.conf": PathStatus(type="folder")}),
    ).findings
    assert "/srv/app.conf" in finding.summary
    assert finding.variables["sought"] == "app.conf"


MISSED = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
    'error mounting "/mnt/nas/media" to rootfs at "/media": stat /mnt/nas/media: no such file or directory'
)
MISSED_BY_OLD_RUNTIME = OLD_RUNTIME.replace(
    "not a directory", "stat /srv/app.conf: no such file or directory"
)
OTHER_MISS = MISSED.replace("stat /mnt/nas/media", "open /proc/self/fd/9")
LATE = {
    "a folder by now": (MISSED, PathStatus(type="folder"), "exists now", "came_late"),
    "a file by now": (MISSED, PathStatus(type="file"), "exists now", "came_late"),
    "an old runtime": (MISSED_BY_OLD_RUNTIME, PathStatus(type="file"), "exists now", "came_late"),
    "still missing": (MISSED, PathStatus(failed="missing"), "does not exist", "missing"),
    "not seen": (MISSED, PathStatus(failed="timed out"), "did not exist then", "missing"),
    "another path": (OTHER_MISS, PathStatus(type="folder"), "", ""),
}


@pytest.mark.parametrize(("error", "status", "words", "variable"), LATE.values(), ids=LATE)
def test_a_source_that_was_missing_at_the_start(
    error: str, status: PathStatus, words: str, variable: str
):
    result = judge(
        "container.mount-source-missing",
        containers=of(container_in("exited", code=127, State={"Error": error})),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources({"/mnt/nas/media": status, "/srv/app.conf": status}),
        mounts=Mounts((Mounted("/"), Mounted("/mnt/nas", fstype="nfs4", source="nas:/export"))),
    )
    cures = {"came_late", "folder", "missing"}
    said = [(finding.summary, cures & finding.variables.keys()) for finding in result.findings]
    assert [names for _, names in said] == ([{variable}] if variable else [])
    assert all(words in summary for summary, _ in said)


def test_the_mount_of_a_late_source():
    (finding,) = judge(
        "container.mount-source-missing",
        containers=of(container_in("exited", code=127, State={"Error": MISSED})),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources({"/mnt/nas/media": PathStatus(type="folder")}),
        mounts=Mounts((Mounted("/"), Mounted("/mnt/nas", fstype="nfs4", source="nas:/export"))),
    ).findings
    assert finding.variables["late_mount"] == "/mnt/nas"
    assert finding.summary.endswith("it exists now, on the mount /mnt/nas")


SECRET: dict[str, Any] = {
    "Type": "bind",
    "Source": "/srv/pw",
    "Destination": "/run/secrets/pw",
    "RW": True,
}


PROGRAMS = {
    "the program": ("./app.conf", "/etc", "/etc/app.conf"),
    "by its path": ("/etc/app.conf", "", "/etc/app.conf"),
    "another program": ("/bin/app", "/etc", ""),
    "found in PATH": ("app.conf", "/etc", ""),
}


@pytest.mark.parametrize(("path", "folder", "covering"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_folder_over_the_program_of_the_image(path: str, folder: str, covering: str):
    container = container_in(
        "created", code=127, State={"Error": MISFILED}, Path=path, Config={"WorkingDir": folder}
    )
    (finding,) = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources({"/srv/app.conf": PathStatus(type="folder")}),
    ).findings
    assert finding.variables.get("covering", "") == covering
    assert ("folder" in finding.variables) is not bool(covering)


@pytest.mark.parametrize(
    ("line", "answers", "expected"),
    [
        (
            "cat: /run/secrets/pw: Is a directory",
            {"file.stats": {"/srv/pw": {"failed": "missing"}}},
            [Finding],
        ),
        ("cat: read error: Is a directory", {}, []),
        ("cat: /run/secrets/pw: Is a directory", {"file.list": {"entries": []}}, [Finding]),
        (
            "Error: EISDIR: illegal operation, read '/run/secrets/pw'",
            {"file.list": {"entries": []}},
            [Finding],
        ),
        ("cat: /run/secrets/pw: Is a directory", {"file.list": {"entries": [{"name": "a"}]}}, []),
        ("cat: /run/secrets/pw: Is a directory", {}, [Unexamined]),
        ("cat: /run/secrets/pw/x: Is a directory", {"file.list": {"entries": []}}, []),
        ("cat: /run/secrets/pw: no such key", {"file.list": {"entries": []}}, []),
    ],
)
def test_an_empty_folder_in_the_place_of_a_file(
    line: str, answers: dict[str, Any], expected: list[type]
):
    container = container_in("exited", code=1, Mounts=[SECRET])
    host = Made({"file.stats": {"/srv/pw": {"type": "folder", "mode": 0o755}}, **answers})
    sources = bind_sources(host, of(container), CLOCK, OPTIONS, log_of(container, line))
    answer = items(
        judge(
            "container.mount-source-missing",
            containers=of(container),
            clock=CLOCK,
            options=OPTIONS,
            bind_sources=sources,
            log_tails=log_of(container, line),
        )
    )
    assert [type(outcome) for outcome in answer] == expected


@pytest.mark.parametrize(
    "sources", [UNKNOWN, BindSources({}), BindSources({"/srv/x": PathStatus(failed="timed out")})]
)
def test_a_source_that_was_not_seen_is_not_passed_over(sources: BindSources | Unavailable):
    waiting = container_in("created", **FRESH, **WANTS)
    (missing,) = items(
        judge(
            "container.mount-source-missing",
            containers=of(waiting),
            clock=CLOCK,
            options=OPTIONS,
            bind_sources=sources,
            log_tails=QUIET,
        )
    )
    assert isinstance(missing, Unexamined)


LACKING = "panic: open /etc/app/app.yaml: no such file or directory"
CONF: dict[str, Any] = {
    "Type": "bind",
    "Source": "/srv/conf",
    "Destination": "/etc/app",
    "RW": True,
}


@pytest.mark.parametrize(
    ("entries", "line", "expected"),
    [
        ({"/srv/conf": 0}, LACKING, ["/srv/conf"]),
        ({"/srv/conf": 3}, LACKING, []),
        ({}, LACKING, []),
        ({"/srv/conf": 0}, "open /var/run/x: no such file or directory", []),
    ],
    ids=["an empty folder", "a folder with files", "not looked at", "another path"],
)
def test_a_folder_of_the_host_that_has_lost_its_files(
    entries: dict[str, int], line: str, expected: list[str]
):
    container = container_in("exited", code=2, Mounts=[CONF])
    result = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources({"/srv/conf": PathStatus(type="folder")}, entries=entries),
        log_tails=log_of(container, line),
    )
    assert [finding.variables.get("emptied") for finding in result.findings] == expected


def test_a_file_that_its_program_could_not_make_is_not_lost():
    """Nexus may not write its empty folder, and misses the log that it has not made."""
    container = container_in("exited", code=1, Mounts=[CONF])
    refused = "Unable to create directory /etc/app/instances"
    result = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources(
            {"/srv/conf": PathStatus(type="folder")}, entries={"/srv/conf": 0}
        ),
        log_tails=log_of(container, refused, "/etc/app/log/app.log (No such file or directory)"),
    )
    assert not result.findings


KEPT = {"kept_folder": PathStatus(type="folder"), "kept_missing": PathStatus(failed="missing")}


@pytest.mark.parametrize("variable", KEPT)
def test_a_container_that_was_started_with_a_folder_keeps_it(variable: str) -> None:
    """No file can be mounted over the folder in its layer: it has to be recreated."""
    container = container_in("exited", code=1, Mounts=[SECRET])
    (finding,) = judge(
        "container.mount-source-missing",
        containers=of(container),
        clock=CLOCK,
        options=OPTIONS,
        bind_sources=BindSources(
            {"/srv/pw": KEPT[variable]}, entries={"/srv/pw": 0} if variable == "kept_folder" else {}
        ),
        log_tails=log_of(container, "cat: /run/secrets/pw: Is a directory"),
    ).findings
    assert finding.variables[variable] == "/srv/pw"
    assert "folder" not in finding.variables
