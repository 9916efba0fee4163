"""daemon.temp-folder-missing: the engine's temporary folder."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.starting.temp_folder import TempFolder, temp_folder
from diagnose.questions.processes import ProcessDetail
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.judging import judge, rows

PATH = "/var/lib/docker/tmp"


@pytest.mark.parametrize(("is_missing", "expected"), [(False, []), (True, [("warning", "docker")])])
def test_the_temporary_folder(is_missing: bool, expected: list[tuple[str, str]]):
    result = judge(
        "daemon.temp-folder-missing", temp_folder=TempFolder(PATH, is_missing), daemon=ALIVE
    )
    assert rows(result) == expected


STATUSES: dict[str, tuple[dict[str, Any], bool]] = {
    "both are there": ({"/d": {"type": "folder"}, "/d/tmp": {"type": "folder"}}, False),
    "removed": ({"/d": {"type": "folder"}, "/d/tmp": {"failed": "missing"}}, True),
    "not allowed to look": ({"/d": {"type": "folder"}, "/d/tmp": {"failed": "forbidden"}}, False),
    "the data root itself is gone": (
        {"/d": {"failed": "missing"}, "/d/tmp": {"failed": "missing"}},
        False,
    ),
}


@pytest.mark.parametrize(("answer", "expected"), STATUSES.values(), ids=STATUSES.keys())
def test_what_the_host_says_of_the_folder(answer: dict[str, Any], expected: bool):
    evidence = temp_folder(
        Made({"file.stats": answer}), DataRoot("/d", "info"), Info(docker_root_dir="/d"), None
    )
    assert evidence == TempFolder("/d/tmp", expected)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        (["PATH=/bin", "DOCKER_TMPDIR=/scratch/docker"], "/scratch/docker"),
        (["PATH=/bin"], "/d/tmp"),
        (["DOCKER_TMPDIR="], "/d/tmp"),
        (None, "/d/tmp"),
    ],
)
def test_the_folder_that_the_environment_names(environ: list[str] | None, path: str):
    engine = ProcessDetail(pid=7, environ=environ)
    alive = replace(ALIVE, processes=replace(ALIVE.processes, engine=engine))
    answer = {"/d": {"type": "folder"}, path: {"failed": "missing"}}
    evidence = temp_folder(
        Made({"file.stats": answer}), DataRoot("/d", "info"), Info(docker_root_dir="/d"), alive
    )
    assert evidence == TempFolder(path, is_missing=True)
