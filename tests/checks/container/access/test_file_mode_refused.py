"""The checks in checks/container/access/file_mode_refused.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.refused_files import (
    RefusedFile,
    RefusedFiles,
    refused_files,
)
from diagnose.evidence.containers.mounts.bind_mounts import PathStatus
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.storage.mounts import Mounts, parse
from diagnose.questions.files import ListFolder
from tests.checks.container.evidence import CLOCK, FOUND, container_in, failed_with_log
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

REFUSED_FOLDER = RefusedFile(
    container_in("exited", code=1),
    "/data",
    "/srv/data",
    PathStatus("folder", mode=0o777, uid=1000, gid=1000),
    0o700,
    "1000:1000",
    "FATAL",
)


@pytest.mark.parametrize(
    ("refused", "expected", "variables"),
    [
        (REFUSED_FOLDER, FOUND, {"source": "/srv/data", "mode": "700"}),
        (
            replace(REFUSED_FOLDER, mode=0, owner="999:999"),
            FOUND,
            {"source": "/srv/data", "owner": "999:999"},
        ),
        (
            replace(REFUSED_FOLDER, line="", mode=0o600, source=PathStatus("file", mode=0o777)),
            [("warning", "web")],
            {"source": "/srv/data", "mode": "600"},
        ),
        (replace(REFUSED_FOLDER, mode=0o400), FOUND, {"folder": "/data"}),
    ],
    ids=["mode", "owner", "known by its name", "a folder for a file"],
)
def test_a_file_that_is_refused(
    refused: RefusedFile, expected: list[tuple[str, str]], variables: dict[str, str]
):
    result = judge(
        "container.file-mode-refused", clock=CLOCK, refused_files=RefusedFiles((refused,))
    )
    assert rows(result) == expected
    assert [finding.variables for finding in result.findings] == [{"container": "web", **variables}]


def share(fstype: str) -> Mounts:
    """A share below /srv."""
    table = f"36 35 98:0 / / rw - ext4 /dev/sda1 rw\n37 36 0:41 / /srv rw - {fstype} nas rw,uid=0"
    return Mounts(tuple(parse(table)))


COOKIE_MOUNT = {"Type": "bind", "Source": "/srv/rabbit", "Destination": "/var/lib/rabbitmq"}
COOKIE = replace(
    REFUSED_FOLDER,
    container=container_in("exited", code=1, Mounts=[COOKIE_MOUNT]),
    path_inside="/var/lib/rabbitmq/.erlang.cookie",
    path="/srv/rabbit/.erlang.cookie",
    source=PathStatus("file", mode=0o777, uid=1000, gid=1000),
    mode=0o400,
)
ON_THE_SHARE = {"unfit": "/srv"}


@pytest.mark.parametrize(
    ("refused", "fstype", "variables"),
    [
        (REFUSED_FOLDER, "cifs", ON_THE_SHARE),
        (REFUSED_FOLDER, "fuse.rclone", ON_THE_SHARE),
        (REFUSED_FOLDER, "nfs4", {"source": "/srv/data", "mode": "700"}),
        (REFUSED_FOLDER, "fuse.sshfs", {"source": "/srv/data", "mode": "700"}),
        (replace(REFUSED_FOLDER, mode=0, owner="999:999"), "exfat", ON_THE_SHARE),
        (
            COOKIE,
            "cifs",
            {
                **ON_THE_SHARE,
                "covering": "/var/lib/rabbitmq",
                "narrowed": "/srv/rabbit/mnesia:/var/lib/rabbitmq/mnesia",
            },
        ),
        (COOKIE, "ext4", {"source": "/srv/rabbit/.erlang.cookie", "mode": "400"}),
    ],
)
def test_files_whose_mode_the_mount_decides(
    refused: RefusedFile, fstype: str, variables: dict[str, str]
) -> None:
    result = judge(
        "container.file-mode-refused",
        clock=CLOCK,
        refused_files=RefusedFiles((refused,)),
        mounts=share(fstype),
    )
    assert rows(result) == FOUND
    assert [finding.variables for finding in result.findings] == [{"container": "web", **variables}]


def test_a_program_that_runs_in_spite_of_what_it_said_is_left_alone():
    steady = replace(REFUSED_FOLDER, container=container_in("running", age=7200))
    result = judge(
        "container.file-mode-refused", clock=CLOCK, refused_files=RefusedFiles((steady,))
    )
    assert rows(result) == []


DATA_MOUNT = {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True}


ACME_MOUNT = {"Type": "bind", "Source": "/srv/acme.json", "Destination": "/acme.json", "RW": True}


BEATS_MOUNT = {
    "Type": "bind",
    "Source": "/srv/f.yml",
    "Destination": "/usr/share/filebeat/filebeat.yml",
    "RW": True,
}


BEATS = 'config file ("filebeat.yml") must be owned by the user identifier (uid=1000) or root'


@pytest.mark.parametrize(
    ("line", "mount", "status", "expected"),
    [
        (
            'FATAL:  data directory "/data" has invalid permissions',
            DATA_MOUNT,
            (0o755, 1000),
            ["/data"],
        ),
        ('FATAL:  data directory "/data" has invalid permissions', DATA_MOUNT, (0o700, 1000), []),
        ('FATAL:  data directory "/data" has wrong ownership', DATA_MOUNT, (0o700, 0), ["/data"]),
        ('FATAL:  data directory "/data" has wrong ownership', DATA_MOUNT, (0o700, 1000), []),
        (BEATS, BEATS_MOUNT, (0o644, 33), ["/usr/share/filebeat/filebeat.yml"]),
        ("ready", DATA_MOUNT, (0o777, 0), []),
    ],
)
def test_what_the_host_says_of_a_refused_file(
    line: str, mount: dict[str, Any], status: tuple[int, int], expected: list[str]
):
    container, log_tails = failed_with_log(line, Mounts=[mount], Config={"User": "1000:1000"})
    mode, uid = status
    answer = {mount["Source"]: {"type": "folder", "mode": mode, "uid": uid, "gid": 0}}
    evidence = refused_files(
        Made({"file.stats": answer}),
        of(container),
        log_tails,
        info=None,
        numbers=None,
        processes=None,
    )
    assert isinstance(evidence, RefusedFiles)
    assert [file.path_inside for file in evidence.items] == expected


@pytest.mark.parametrize(("mode", "expected"), [(0o644, 1), (0o600, 0)])
def test_an_open_acme_file_of_a_running_container(mode: int, expected: int):
    container = container_in("running", Mounts=[ACME_MOUNT])
    answer = {"/srv/acme.json": {"type": "file", "mode": mode, "uid": 0, "gid": 0}}
    evidence = refused_files(
        Made({"file.stats": answer}),
        of(container),
        LogTails({}, {}),
        info=None,
        numbers=None,
        processes=None,
    )
    assert isinstance(evidence, RefusedFiles)
    assert len(evidence.items) == expected


def _mount(source: str, destination: str) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Destination": destination, "RW": True}


JOBS = _mount("/srv/jobs", "/etc/cron.d")
CRONTABS: dict[str, tuple[str, dict[str, Any], int, list[str]]] = {
    "a folder of somebody else's": ("cron", JOBS, 1000, ["/etc/cron.d/backup"]),
    "a folder of root's": ("cron", JOBS, 0, []),
    "no cron runs": ("nginx", JOBS, 1000, []),
    "a file": ("crond", _mount("/srv/root", "/etc/crontabs/root"), 1000, ["/etc/crontabs/root"]),
    "another folder": ("cron", _mount("/srv/jobs", "/etc/cron.daily"), 1000, []),
}


@pytest.mark.parametrize(("comm", "mount", "uid", "refused"), CRONTABS.values(), ids=CRONTABS)
def test_crontabs_that_are_not_roots(
    comm: str, mount: dict[str, Any], uid: int, refused: list[str]
) -> None:
    jobs = container_in("running", Config={"User": ""}, Mounts=[mount])
    file = {"type": "file", "mode": 0o644, "uid": uid}
    answers = {
        "file.list": {"entries": [{"name": "backup", "type": "file"}]},
        "file.stats": {"/srv/jobs/backup": file, "/srv/root": file, "/srv/jobs": file},
    }
    processes = Processes((Process(pid=9, comm=comm, uid=0, container=jobs.id),))
    files = refused_files(
        Made(answers), of(jobs), LogTails({}, {}), info=None, numbers=None, processes=processes
    )
    assert isinstance(files, RefusedFiles)
    assert [crontab.path_inside for crontab in files.items] == refused
    assert all(crontab.owner == "0:0" for crontab in files.items)


def test_the_folders_of_all_containers_are_asked_for_at_once(monkeypatch: pytest.MonkeyPatch):
    sources = ["/srv/jobs", "/mnt/hangs"]
    jobs = [
        replace(container_in("running", Mounts=[_mount(source, "/etc/cron.d")]), id=str(at) * 64)
        for at, source in enumerate(sources)
    ]
    processes = Processes(tuple(Process(pid=9, comm="cron", container=job.id) for job in jobs))
    host = Made({})
    together: list[list[str]] = []

    def ask_many(questions: Iterable[ListFolder]) -> list[Any]:
        together.append([question.path for question in questions])
        return []

    monkeypatch.setattr(host, "ask_many", ask_many)
    refused_files(host, of(*jobs), LogTails({}, {}), info=None, numbers=None, processes=processes)
    assert together == [sources]
