"""The checks in checks/container/starts/entrypoint.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.evidence.containers.mounts.bind_mounts import BindSources, PathStatus
from diagnose.evidence.containers.programs.missing_programs import MissingProgram, MissingPrograms
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.containers.programs.shut_scripts import shut_scripts
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import Failed
from tests.checks.container.evidence import (
    UNKNOWN,
    container_in,
    entrypoint_forbidden,
    entrypoint_missing,
    items,
    start_refused,
    summaries,
)
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows


def test_a_mount_over_its_folder_hides_a_program():
    error = 'runc create failed: unable to start container process: exec: "/app/x": stat /app/x: no such file or directory'
    hidden = container_in(
        "created",
        code=127,
        Path="/app/x",
        State={"Error": error},
        HostConfig={"Tmpfs": {"/app": ""}},
    )
    ((_, summary),) = summaries(entrypoint_missing(of(hidden)))
    assert summary == 'container "web" did not start: there is no /app/x in what is mounted at /app'


LACKING = container_in(
    "created",
    code=127,
    Path="bash",
    State={"Error": 'exec: "bash": executable file not found in $PATH'},
)


@pytest.mark.parametrize(
    ("missing", "words", "variables"),
    [
        (MissingProgram(), "its image has no bash", {"image"}),
        (
            MissingProgram(likely_program="/bin/sh", command=("/bin/sh",)),
            "its image has no bash, but it has /bin/sh",
            {"meant"},
        ),
        (
            MissingProgram(is_line=True, likely_program="/bin/bash", command=("/bin/bash",)),
            'the whole line "bash" was taken as the name of one program',
            {"meant"},
        ),
        (
            MissingProgram(is_own_command=True, image_command=("serve",), command=("serve",)),
            "its image has no bash, which the container's own command names",
            {"image_command"},
        ),
        (
            MissingProgram(is_own_command=True),
            "its image has no bash, which the container's own command names",
            {"lacking_image", "file_name"},
        ),
        (
            MissingProgram(is_own_command=True, misplaced_options=("--publish=80:80",)),
            "--publish=80:80 was given after the image name, and was taken as the command",
            {"misplaced"},
        ),
    ],
)
def test_what_could_start_instead(missing: MissingProgram, words: str, variables: set[str]):
    given = MissingPrograms({LACKING.id: missing})
    result = judge(
        "container.entrypoint-missing",
        containers=of(LACKING),
        programs=Programs({}),
        missing_programs=given,
    )
    (finding,) = result.findings
    assert finding.summary == f'container "web" did not start: {words}'
    assert finding.variables.keys() - {"container", "program"} == variables


UNQUOTED = "OCI runtime create failed: runc create failed: unable to start container process: exec {}: permission denied{}"


SCRIPTS = {"Mounts": [{"Type": "bind", "Source": "/srv/scripts", "Destination": "/opt/scripts"}]}


ONE_FILE = {
    "Mounts": [
        {"Type": "bind", "Source": "/srv/scripts/run.sh", "Destination": "/opt/scripts/run.sh"}
    ]
}


NOEXEC = Mounts(
    (Mounted("/", options="rw,relatime"), Mounted("/srv", options="rw,noexec,relatime"))
)


PLAIN = Mounts((Mounted("/", options="rw,relatime"),))


RUN = "/opt/scripts/run.sh"


@pytest.mark.parametrize("ending", ["", ": unknown"])
@pytest.mark.parametrize(
    ("mounted", "known", "words", "variables"),
    [
        (
            SCRIPTS,
            NOEXEC,
            "/srv/scripts/run.sh on the host, and /srv is mounted with noexec",
            {"source", "noexec"},
        ),
        (
            ONE_FILE,
            NOEXEC,
            "/srv/scripts/run.sh on the host, and /srv is mounted with noexec",
            {"source", "noexec"},
        ),
        (SCRIPTS, PLAIN, "permission denied; it is /srv/scripts/run.sh on the host", {"source"}),
        (SCRIPTS, UNKNOWN, "permission denied; it is /srv/scripts/run.sh on the host", {"source"}),
        ({}, NOEXEC, "/opt/scripts/run.sh cannot be executed: permission denied", {"file"}),
    ],
)
def test_a_program_that_is_refused_without_quotes(
    ending: str, mounted: dict[str, Any], known: Any, words: str, variables: set[str]
):
    container = container_in(
        "created", code=126, Path=RUN, State={"Error": UNQUOTED.format(RUN, ending)}, **mounted
    )
    (finding,) = items(
        judge(
            "container.entrypoint-forbidden",
            containers=of(container),
            programs=UNKNOWN,
            mounts=known,
        )
    )
    assert finding.summary.endswith(words)
    assert set(finding.variables) == {"container", "program", "image"} | variables
    assert summaries(start_refused(of(container))) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [("folder", "which is a mounted folder, not a program"), ("file", "cannot be executed")],
)
def test_a_mounted_folder_that_became_the_command(kind: str, words: str):
    mount = {"Type": "bind", "Source": "/srv/volume", "Destination": "/data", "RW": True}
    container = container_in(
        "created",
        code=126,
        Path="/data",
        State={"Error": 'exec: "/data": permission denied'},
        Mounts=[mount],
    )
    known = BindSources({"/srv/volume": PathStatus(type=kind)})
    (finding,) = judge(
        "container.entrypoint-forbidden", containers=of(container), bind_sources=known
    ).findings
    assert words in finding.summary
    assert ("source" in finding.variables) == (kind == "file")


def test_other_words_without_quotes_are_not_of_its_program():
    container = container_in(
        "created", code=126, Path="/app", State={"Error": UNQUOTED.format("/usr/bin/hook", "")}
    )
    assert summaries(entrypoint_forbidden(of(container))) == []


def test_a_script_that_an_init_may_not_execute_for_noexec():
    line = f"[FATAL tini (7)] exec {RUN} failed: Permission denied"
    container = container_in("exited", code=126, Path=RUN, **SCRIPTS)
    known = Programs(
        {container.id: Program(RUN, "permission denied", line).with_head(b"#!/bin/sh\n")}
    )
    (finding,) = items(
        judge(
            "container.entrypoint-forbidden",
            containers=of(container),
            programs=known,
            mounts=NOEXEC,
        )
    )
    assert "/opt/scripts/run.sh cannot be executed by user 1000" in finding.summary
    assert finding.summary.endswith("/srv is mounted with noexec")
    (finding,) = items(
        judge(
            "container.entrypoint-forbidden", containers=of(container), programs=known, mounts=PLAIN
        )
    )
    assert "/bin/sh, which /opt/scripts/run.sh needs, cannot be executed" in finding.summary


@pytest.mark.parametrize(
    ("mode", "is_aside", "mounts", "source"),
    [
        pytest.param(0o644, False, PLAIN, "/srv/scripts/run.sh", id="no x bit"),
        pytest.param(0o755, True, NOEXEC, "/srv/scripts/run.sh", id="noexec, another exit code"),
        pytest.param(0o755, True, PLAIN, "", id="another exit code alone"),
        pytest.param(0o644, True, PLAIN, "/srv/scripts/run.sh", id="no x bit, another exit code"),
    ],
)
def test_a_mounted_script_is_mended_on_the_host(
    mode: int, is_aside: bool, mounts: Mounts, source: str
):
    container = container_in("exited", code=1 if is_aside else 126, **SCRIPTS)
    line = f"/start.sh: line 2: {RUN}: Permission denied"
    program = Program(RUN, "permission denied", line).with_head(b"#!/bin/sh\n")
    program = msgspec.structs.replace(program, mode=mode, is_aside=is_aside)
    result = judge(
        "container.entrypoint-forbidden",
        containers=of(container),
        programs=Programs({container.id: program}),
        mounts=mounts,
    )
    assert [finding.variables["source"] for finding in result.findings] == [source] * bool(source)
    assert all("file" not in finding.variables for finding in result.findings)


def _types(mode: int, kind: str = "file", link: str = "") -> Any:
    """What stat says of the script and the folders above it."""

    def stats(question: Any) -> Any:
        links = {} if question.follow else {link: {"type": "link"}}
        return {path: {"type": kind, "mode": mode} for path in question.paths} | links

    return stats


ON_HOST = "/srv/scripts/run.sh"
SHUT = {
    "no x bit": (_types(0o644), SCRIPTS, PLAIN, ON_HOST),
    "mounted alone": (_types(0o644), ONE_FILE, PLAIN, ON_HOST),
    "an x bit": (_types(0o755), SCRIPTS, PLAIN, None),
    "a folder": (_types(0o644, "folder"), SCRIPTS, PLAIN, None),
    "a link of the container": (_types(0o644, link=ON_HOST), SCRIPTS, PLAIN, None),
    "not looked at": (Failed("timed out", ""), SCRIPTS, PLAIN, None),
    "noexec too": (_types(0o644), SCRIPTS, NOEXEC, None),
}


@pytest.mark.parametrize("by_runtime", [True, False], ids=["the runtime", "a shell"])
@pytest.mark.parametrize(("stats", "mounted", "mounts", "script"), SHUT.values(), ids=SHUT)
def test_a_file_of_the_host_that_nobody_may_execute(
    stats: Any, mounted: dict[str, Any], mounts: Mounts, script: str | None, by_runtime: bool
) -> None:
    """What would make a file of the host executable stays with the files that a user mounted."""
    container = container_in("exited", code=126, **mounted)
    line = f"/start.sh: line 2: {RUN}: Permission denied"
    program = Program(RUN, "permission denied", line, mode=0o644, interpreter="/bin/sh")
    known = Programs({container.id: program})
    if by_runtime:
        error = UNQUOTED.format(RUN, "")
        container = container_in("created", code=126, Path=RUN, State={"Error": error}, **mounted)
        known = Programs({})
    (finding,) = judge(
        "container.entrypoint-forbidden",
        containers=of(container),
        programs=known,
        mounts=mounts,
        shut_scripts=shut_scripts(Made({"file.stats": stats}), of(container), known),
    ).findings
    assert finding.variables.get("script") == script


ASIDE = {
    "a program without an x bit": (True, 0o644, 1),
    "a file of data": (False, 0o644, 0),
    "a program that may be executed": (True, 0o755, 0),
}


@pytest.mark.parametrize(("is_program", "mode", "count"), ASIDE.values(), ids=ASIDE)
def test_a_file_that_a_script_was_refused_and_went_on(
    is_program: bool, mode: int, count: int
) -> None:
    container = container_in("exited", code=1)
    refused = Program(
        "/gd/new",
        "permission denied",
        "/gd/new: Permission denied",
        is_read=True,
        interpreter="/bin/sh" if is_program else "",
        mode=mode,
        behind="a shell",
        is_aside=True,
    )
    known = Programs({container.id: refused})
    result = judge("container.entrypoint-forbidden", containers=of(container), programs=known)
    assert rows(result) == [("critical", "web")] * count
