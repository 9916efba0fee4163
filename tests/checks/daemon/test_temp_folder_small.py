"""daemon.temp-folder-small: the room where DOCKER_TMPDIR leads."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from diagnose.evidence.engine.info import Info
from diagnose.evidence.engine.log_lines import LogLine
from diagnose.evidence.engine.said_errors import SaidError, SaidErrors
from diagnose.evidence.engine.temp_room import TempRoom, temp_room
from diagnose.questions import Question
from diagnose.questions.filesystems import Usage
from diagnose.questions.processes import ProcessDetail
from tests.checks.daemon.evidence import ALIVE
from tests.hosts import Made
from tests.judging import judge, rows

OF_ROOT = "write /var/lib/docker/overlay2/a/big: no space left on device"
FULL = "Handler for POST /v1.51/build returned error: write /big: no space left on device"
SMALL, MIB = "/run/small", 1 << 20


def _usage(size: int, dev: str, fstype: str, available: int) -> dict[str, Any]:
    return {
        "point": SMALL, "fstype": fstype, "source": "", "size": size, "used": 0, "free": size,
        "available": available, "inodes": 0, "inodes_free": 0, "dev": dev, "read_only": False,
    }  # fmt: skip


ROWS = {
    "in memory": ([f"DOCKER_TMPDIR={SMALL}"], FULL, 3 * MIB, "0:9", "tmpfs", "remount,size=4g"),
    "a small disk": ([f"DOCKER_TMPDIR={SMALL}"], FULL, 3 * MIB, "8:9", "ext4", ""),
    "a large disk, and another error": (
        [f"DOCKER_TMPDIR={SMALL}"],
        "unexpected EOF",
        3 << 30,
        "8:9",
        "ext4",
        None,
    ),
    "a line about the data root": (
        [f"DOCKER_TMPDIR={SMALL}"],
        OF_ROOT,
        3 << 30,
        "8:9",
        "ext4",
        None,
    ),
    "a large disk": ([f"DOCKER_TMPDIR={SMALL}"], FULL, 1 << 40, "8:9", "ext4", None),
    "the data root's disk": ([f"DOCKER_TMPDIR={SMALL}"], FULL, 3 * MIB, "8:1", "ext4", None),
    "no such variable": ([], FULL, 3 * MIB, "0:9", "tmpfs", None),
}


@pytest.mark.parametrize(
    ("environ", "said", "size", "dev", "fstype", "larger"), ROWS.values(), ids=ROWS
)
def test_the_room_for_what_the_engine_unpacks(
    environ: list[str], said: str, size: int, dev: str, fstype: str, larger: str | None
) -> None:
    engine = ProcessDetail(pid=7, comm="dockerd", environ=environ)
    daemon = replace(ALIVE, processes=replace(ALIVE.processes, engine=engine))

    def answer(question: Question[Any]) -> Any:
        is_small = question.args["path"] == SMALL
        return _usage(size, dev if is_small else "8:1", fstype, size if is_small else 1 << 40)

    host = Made({"fs.usage": answer})
    room = temp_room(host, daemon, Info(docker_root_dir="/var/lib/docker"))
    errors = SaidErrors((SaidError(LogLine(9.0, "error", said), 1, 9.0),))
    result = judge("daemon.temp-folder-small", temp_room=room, daemon=daemon, said_errors=errors)
    assert rows(result) == ([] if larger is None else [("warning", "docker")])
    assert all(finding.variables.get("larger", "") == larger for finding in result.findings)


@pytest.mark.parametrize(("size", "expected"), [(3 * MIB, [("advice", "docker")]), (2 << 30, [])])
def test_a_load_is_in_no_log(size: int, expected: list[tuple[str, str]]) -> None:
    room = TempRoom(SMALL, convert(_usage(size, "8:9", "ext4", size), Usage))
    result = judge(
        "daemon.temp-folder-small", temp_room=room, daemon=ALIVE, said_errors=SaidErrors()
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("said", "is_found"), [(FULL, False), (FULL.replace("/big", f"{SMALL}/big"), True)]
)
def test_a_data_root_that_is_full_itself(said: str, *, is_found: bool) -> None:
    usage = convert(_usage(2 << 30, "8:9", "ext4", 2 << 30), Usage)
    room = TempRoom(SMALL, usage, "/var/lib/docker", left_in_root=MIB)
    errors = SaidErrors((SaidError(LogLine(9.0, "error", said), 1, 9.0),))
    result = judge("daemon.temp-folder-small", temp_room=room, daemon=ALIVE, said_errors=errors)
    assert bool(rows(result)) is is_found
