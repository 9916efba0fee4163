"""Programs that are on the host, in a folder that the engine's PATH leaves out."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from diagnose.evidence.engine.daemon import Caller, Daemon, ProcessDetail
from diagnose.evidence.engine.daemon_processes import DaemonProcesses
from diagnose.evidence.engine.starting.unfound_programs import (
    UnfoundProgram,
    missed_program,
    unfound_programs,
)
from diagnose.model import Json
from diagnose.questions import Question
from diagnose.questions.files import StatPaths
from tests.checks.daemon.evidence import NAMED
from tests.hosts import Made
from tests.inspected import container, of

SHIM = "containerd-shim-runc-v2"
ERROR = (
    "failed to create task for container: failed to start shim: failed to resolve runtime path: "
    f'runtime "io.containerd.runc.v2" binary not installed "{SHIM}": file does not exist'
)
RUNC = 'exec: "runc": executable file not found in $PATH'
OWN = "/opt/containerd/bin"


def _host(programs: Iterable[str]) -> Made:
    """A host with these programs, and with every folder."""

    def answer(question: Question[object]) -> Json:
        assert isinstance(question, StatPaths)
        return {
            path: {"type": "file", "mode": 0o755}
            if path in programs
            else {"type": "folder", "mode": 0o755}
            if path.endswith("bin")
            else {"failed": "missing"}
            for path in question.paths
        }

    return Made({"file.stats": answer})


def _found(error: str, search: str, *programs: str) -> dict[str, UnfoundProgram]:
    containerd = ProcessDetail(
        pid=76, comm="containerd", exe=f"{OWN}/containerd", environ=[f"PATH={search}"]
    )
    daemon = Daemon(NAMED, Caller(), processes=DaemonProcesses(containerds=(containerd,)))
    state = {"Status": "created", "Pid": 0, "ExitCode": 128, "Error": error}
    found = unfound_programs(_host(programs), of(container("web", State=state)), daemon)
    return dict(found.by_name)


@pytest.mark.parametrize(
    ("error", "search", "programs", "expected"),
    [
        (ERROR, OWN, (f"/usr/bin/{SHIM}",), ("/usr/bin", OWN, "")),
        (ERROR, OWN, (f"/usr/bin/{SHIM}", "/usr/sbin/runc"), ("/usr/bin", OWN, "/usr/sbin/runc")),
        (ERROR, OWN, (f"/usr/bin/{SHIM}", f"{OWN}/runc"), ("/usr/bin", OWN, "")),
        (RUNC, "/sbin:/bin", ("/usr/local/sbin/runc",), ("/usr/local/sbin", "/sbin", "")),
        (ERROR, "", (f"/usr/bin/{SHIM}",), ("/usr/bin", "", "")),
        (ERROR, f"{OWN}:/usr/bin", (f"/usr/bin/{SHIM}",), None),
        (ERROR, OWN, (), None),
        ("", OWN, (f"/usr/bin/{SHIM}",), None),
    ],
    ids=["shim", "both", "runc is found", "runc", "no PATH", "found now", "nowhere", "no error"],
)
def test_a_folder_outside_the_path(
    error: str, search: str, programs: tuple[str, ...], expected: tuple[str, str, str] | None
) -> None:
    found = _found(error, search, *programs)
    told = [(program.folder, program.searched, program.companion) for program in found.values()]
    assert told == ([expected] if expected else [])


def test_only_a_name_is_missed() -> None:
    assert missed_program(ERROR) == SHIM
    assert missed_program('exec: "/opt/bin/hook": executable file not found') == ""
    assert missed_program("port is already allocated") == ""
