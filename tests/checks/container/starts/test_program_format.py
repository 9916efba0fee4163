"""The checks in checks/container/starts/program_format.py."""

from __future__ import annotations

import struct

import pytest

from diagnose import runbooks
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs, programs
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Json
from diagnose.questions import AnyQuestion
from tests.checks.container.evidence import EARLY, UNKNOWN, container_in, log_of, summaries
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

ELF_ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(40)


NO_FORMAT, NO_FILE = "exec format error", "no such file or directory"


NO_RIGHT, NOT_PERMITTED = "permission denied", "operation not permitted"


AMD64 = Info(architecture="x86_64")


@pytest.mark.parametrize(
    ("name", "why", "head", "check", "words"),
    [
        (
            "arm64 on amd64",
            NO_FORMAT,
            ELF_ARM,
            "exec_format",
            "built for arm64, and this host is amd64",
        ),
        ("no #! line", NO_FORMAT, b"echo x\n", "exec_format", "a script without a #! line"),
        (
            "byte order mark",
            NO_FORMAT,
            b"\xef\xbb\xbf#!/bin/sh\n",
            "exec_format",
            "begins with a byte order mark",
        ),
        ("empty", NO_FORMAT, b"", "exec_format", "is an empty file"),
        ("zeros", NO_FORMAT, bytes(4096), "exec_format", "is an empty file"),
        (
            "carriage return",
            NO_FILE,
            b"#!/bin/sh\r\necho x\r\n",
            "interpreter_missing",
            "ends in a Windows line end",
        ),
        (
            "no such interpreter",
            NO_FILE,
            b"#!/usr/bin/env python3\n",
            "interpreter_missing",
            "/app needs /usr/bin/env",
        ),
        (
            "no loader",
            NO_FILE,
            ELF_ARM,
            "interpreter_missing",
            "the C library that /app was built for is missing",
        ),
        (
            "closed interpreter",
            NO_RIGHT,
            b"#!/root/py\n",
            "entrypoint_forbidden",
            "/root/py, which /app needs, cannot be",
        ),
        (
            "closed program",
            NO_RIGHT,
            ELF_ARM,
            "entrypoint_forbidden",
            "/app cannot be executed by user 1000",
        ),
        (
            "setcap",
            NOT_PERMITTED,
            ELF_ARM,
            "entrypoint_forbidden",
            "/app has capabilities that the container may not have",
        ),
    ],
)
def test_a_refused_program(name: str, why: str, head: bytes, check: str, words: str):
    assert_refused(Program("/app", why, f"exec /app: {why}").with_head(head), check, words)


def assert_refused(program: Program, check: str, words: str):
    told_of = Programs({EARLY.id: program})
    found = {
        "exec_format": summaries(
            judge("container.exec-format", containers=of(EARLY), programs=told_of, info=AMD64)
        ),
        "interpreter_missing": summaries(
            judge("container.interpreter-missing", containers=of(EARLY), programs=told_of)
        ),
        "entrypoint_forbidden": summaries(
            judge(
                "container.entrypoint-forbidden",
                containers=of(EARLY),
                programs=told_of,
                mounts=UNKNOWN,
            )
        ),
        "entrypoint_missing": summaries(
            judge("container.entrypoint-missing", containers=of(EARLY), programs=told_of)
        ),
        "runtime_limit_hit": summaries(
            judge("container.runtime-limit-hit", containers=of(EARLY), programs=told_of)
        ),
    }
    assert words in found.pop(check)[0][1]
    assert list(found.values()) == [[], [], [], []]


@pytest.mark.parametrize(
    ("demands", "words"),
    [
        ((), "the kernel does not permit execution of /app"),
        (("NET_BIND_SERVICE",), "the kernel does not permit execution of /app"),
        (("IPC_LOCK",), "the file /app requires the capability IPC_LOCK, which"),
        (("SYS_NICE", "NET_ADMIN"), "requires the capabilities SYS_NICE and NET_ADMIN, which"),
    ],
)
def test_a_program_whose_file_was_read(demands: tuple[str, ...], words: str):
    program = Program("/app", NOT_PERMITTED, f"exec /app: {NOT_PERMITTED}", capabilities=demands)
    assert_refused(program, "entrypoint_forbidden", words)


GLIBC, MUSL = "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("", f"was built for, {GLIBC}, is missing"),
        (MUSL, f"was built for, {GLIBC}, is missing: the image has musl's, {MUSL}"),
    ],
)
def test_a_program_of_another_c_library(other: str, words: str):
    said = f"exec /app: {NO_FILE}"
    program = Program("/app", NO_FILE, said, machine="amd64", loader=GLIBC, other_libc=other)
    assert_refused(program, "interpreter_missing", words)


def test_the_loader_that_a_program_names():
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HH", 3, 62)
    header += struct.pack("<IQQQIHHH", 1, 0, 64, 0, 0, 64, 56, 1).ljust(44, b"\0")
    segment = struct.pack("<IIQQQQQQ", 3, 4, 120, 0, 0, len(GLIBC) + 1, 0, 1)
    whole = header + segment + GLIBC.encode() + b"\0"
    assert Program("/app", NO_FILE, "").with_head(whole).loader == GLIBC
    assert Program("/app", NO_FILE, "").with_head(whole[:100]).loader == ""
    assert Program("/app", NO_FILE, "").with_head(header).loader == ""


SAID = {
    "exec /app: no such file or directory": (
        "interpreter_missing",
        "what /app needs to run is missing",
    ),
    'standard_init_linux.go:228: exec user process caused: "permission denied"': (
        "entrypoint_forbidden",
        "/app cannot be executed by user 1000",
    ),
    "[FATAL tini (7)] exec serve failed: No such file or directory": (
        "entrypoint_missing",
        "its image has no serve",
    ),
    "[FATAL tini (7)] exec /app failed: Permission denied": (
        "entrypoint_forbidden",
        "/app cannot be executed",
    ),
    "/entry.sh: exec: line 4: ./gone: not found": ("entrypoint_missing", "its image has no /gone"),
    "[FATAL tini (7)] exec ./gone failed: No such file or directory": (
        "entrypoint_missing",
        "its image has no /gone",
    ),
    "[dumb-init] /gone: No such file or directory": (
        "entrypoint_missing",
        "its image has no /gone",
    ),
    "env: can't execute 'bash\r': No such file or directory": (
        "interpreter_missing",
        "ends in a Windows line end",
    ),
    "/usr/bin/env: 'bash\\r': No such file or directory": (
        "interpreter_missing",
        "ends in a Windows line end",
    ),
    "/usr/bin/env: ‘node’: No such file or directory": ("interpreter_missing", "/app needs node"),
    "env: python3: No such file or directory": ("interpreter_missing", "/app needs python3"),
    "exec /bin/sh: resource temporarily unavailable": (
        "runtime_limit_hit",
        "user 1000 has as many processes on this host",
    ),
    "error: fork/exec /usr/bin/ffmpeg: no such file or directory": None,
    "sh: can't open '/etc/env: x': No such file or directory": None,
}
"""The last line of a container's log, and what it says of its program."""


def file_of(question: AnyQuestion) -> Json | Failed:
    """Two files of a container: /gone, which is not there, and one of which no more is known."""
    return Failed("gone") if question.args["path"] == "/gone" else {"type": "other"}


@pytest.mark.parametrize("line", SAID)
def test_the_last_line_tells_of_the_program(line: str):
    container = container_in("exited", code=127, Path="/app", name=EARLY.name)
    found = programs(
        Made({"api.archive": file_of}), of(container), log_of(container, "starting", line)
    ).by_id
    expected = SAID[line]
    assert len(found) == bool(expected)
    if expected:
        assert_refused(found[container.id], *expected)


FOLDERS = {
    "no change of folder": ("#!/bin/sh\nexec ./server\n", "its image has no /server"),
    "a known folder": ("cd /srv/game || exit 1\n./server\n", "its image has no /srv/game/server"),
    "a folder from a variable": ('cd "$HOME/game"\n./server\n', "finds no ./server in the folder"),
    "two folders": ("cd /a; cd /b\n./server\n", "finds no ./server in the folder"),
}


@pytest.mark.parametrize(("script", "words"), FOLDERS.values(), ids=FOLDERS)
def test_the_folder_in_which_a_script_looks(script: str, words: str) -> None:
    container = container_in("exited", code=127, Path="/start.sh", name=EARLY.name)

    def file(question: AnyQuestion) -> Json | Failed:
        is_script = question.args["path"] == "/start.sh"
        return {"type": "file", "mode": 0o755, "text": script} if is_script else Failed("gone")

    line = "/start.sh: line 2: ./server: No such file or directory"
    logs = log_of(container, "starting", line)
    found = programs(Made({"api.archive": file}), of(container), logs).by_id
    assert_refused(found[container.id], "entrypoint_missing", words)


LAYER = "/var/lib/docker/overlay2/a1/diff"
HIDDEN = {
    "the image has it": ({"type": "file"}, {"covering": "/srv"}),
    "nobody has it": ({"failed": "missing"}, {"unfilled": "/srv"}),
    "layers that cannot be seen": ({"failed": "refused"}, {"covering": "/srv"}),
}


@pytest.mark.parametrize(("of_layer", "variables"), HIDDEN.values(), ids=HIDDEN)
def test_a_program_that_the_image_lacks_below_a_mount(
    of_layer: Json, variables: dict[str, str]
) -> None:
    container = container_in(
        "exited",
        code=127,
        GraphDriver={"Name": "overlay2", "Data": {"LowerDir": f"/init:{LAYER}"}},
        Mounts=[{"Type": "bind", "Source": "/opt/game", "Destination": "/srv"}],
    )
    answers = {"api.archive": Failed("gone"), "file.stats": {f"{LAYER}/srv/server": of_layer}}
    logs = log_of(container, "sh: /srv/server: not found")
    read = programs(Made(answers), of(container), logs)
    found = judge("container.entrypoint-missing", containers=of(container), programs=read)
    (finding,) = found.findings
    named = {name: finding.variables.get(name) for name in ("covering", "unfilled")}
    assert {name: value for name, value in named.items() if value} == variables


UPPER = "/var/lib/docker/overlay2/c3/diff"
ORIGINS: dict[str, tuple[list[dict[str, Json]], Json, list[str], str]] = {
    "of the image": ([], {"failed": "missing"}, ["damaged", "empty"], 'of image "'),
    "the container's own": ([], {"type": "file"}, ["empty"], "/app is an empty file"),
    "mounted": (
        [{"Type": "bind", "Source": "/srv/app", "Destination": "/app"}],
        {"failed": "missing"},
        ["empty"],
        "it is /srv/app on the host",
    ),
}


@pytest.mark.parametrize(("mounts", "own", "variables", "words"), ORIGINS.values(), ids=ORIGINS)
def test_where_a_program_without_content_lies(
    mounts: list[dict[str, Json]], own: Json, variables: list[str], words: str
) -> None:
    container = container_in(
        "exited",
        code=1,
        GraphDriver={"Name": "overlay2", "Data": {"UpperDir": UPPER}},
        Mounts=mounts,
    )
    answers = {"api.archive": {"type": "file", "hex": ""}, "file.stats": {f"{UPPER}/app": own}}
    logs = log_of(container, "exec /app: exec format error")
    read = programs(Made(answers), of(container), logs)
    found = judge("container.exec-format", containers=of(container), programs=read, info=AMD64)
    (finding,) = found.findings
    assert words in finding.summary
    assert sorted(finding.variables.keys() & {"empty", "damaged", "file", "image"}) == variables


LIBRARIES = {"empty": ("", 1), "of another machine": (ELF_ARM.hex(), 0)}


@pytest.mark.parametrize(("head", "times"), LIBRARIES.values(), ids=LIBRARIES)
def test_a_library_without_content(head: str, times: int) -> None:
    container = container_in("exited", code=127)
    line = "/app: error while loading shared libraries: /lib/libssl.so.3: file too short"
    answers = {"api.archive": {"type": "file", "hex": head}}
    read = programs(Made(answers), of(container), log_of(container, line))
    found = judge("container.exec-format", containers=of(container), programs=read, info=AMD64)
    result = found
    assert rows(result) == [("critical", "web")] * times
    assert all("/lib/libssl.so.3 is an empty file" in said.summary for said in found.findings)


SEALED = {"read-only": (True, "sealed_copy"), "to be written": (False, "file")}


@pytest.mark.parametrize(("is_sealed", "variable"), SEALED.values(), ids=SEALED)
def test_a_script_in_a_read_only_container_is_mounted(is_sealed: bool, variable: str) -> None:
    sealed = container_in("exited", code=127, HostConfig={"ReadonlyRootfs": is_sealed})
    script = Program("/start.sh", NO_FILE, "/start.sh: not found").with_head(b"#!/bin/sh\r\n")
    (finding,) = judge(
        "container.interpreter-missing",
        containers=of(sealed),
        programs=Programs({sealed.id: script}),
    ).findings
    assert finding.variables.keys() & {"file", "sealed_copy"} == {variable}


MENDED = {
    "no first line": ("echo", "sealed_file", "sed -i '1i #!/bin/sh' /root/web-start.sh"),
    "a byte order mark": ("\ufeff#!/bin/sh", "sealed_marked", "sed -i '1s/^"),
}


@pytest.mark.parametrize(("head", "variable", "command"), MENDED.values(), ids=MENDED)
def test_a_script_of_a_read_only_container_is_mended_in_a_mounted_copy(
    head: str, variable: str, command: str
) -> None:
    sealed = container_in("exited", code=1, HostConfig={"ReadonlyRootfs": True})
    script = Program("/start.sh", NO_FORMAT, "exec /start.sh: exec format error").with_head(
        head.encode()
    )
    (finding,) = judge(
        "container.exec-format", containers=of(sealed), programs=Programs({sealed.id: script})
    ).findings
    assert finding.variables[variable] == "web:/start.sh"
    assert "file" not in finding.variables
    cure = runbooks.cure("container.exec-format", finding.variables, runbooks.Place())
    assert cure is not None
    assert command in cure.text
    assert "recreate web -- --volume=/root/web-start.sh:/start.sh:ro | sh" in cure.text


HEADS = {
    "a script without its first line": (b"echo x\n", "file"),
    "a script whose interpreter is built for another processor": (b"#!/bin/sh\n", "image"),
    "a file that was not read": (None, "image"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_first_line_is_only_put_where_it_is_missing(name: str):
    head, kept = HEADS[name]
    program = Program("/app", NO_FORMAT, f"exec /app: {NO_FORMAT}", file="/app")
    told_of = Programs({EARLY.id: program.with_head(head) if head is not None else program})
    (finding,) = judge(
        "container.exec-format", containers=of(EARLY), programs=told_of, info=AMD64
    ).findings
    assert finding.variables.keys() & {"file", "image"} == {kept}
