"""What could start in the place of a program that a container does not have."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.missing_programs import (
    MissingProgram,
    missing_programs,
    own_program,
)
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.model import Failed, Json
from diagnose.questions import Question
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of

GONE = Failed("gone", "404 Not Found")
PROGRAM = {"type": "file", "mode": 0o755, "hex": ""}
SERVER = ["httpd", "-f"]


def looked_up(
    words: list[str], present: set[str], image: list[str] | None, **config: Json
) -> MissingProgram:
    error = f'exec: "{words[0]}": executable file not found in $PATH'
    container = container_in(
        "created", code=127, Path=words[0], State={"Error": error}, Config={"Cmd": words, **config}
    )
    assert own_program(container)

    def file(question: Question[Any]) -> Json | Failed:
        return PROGRAM if question.args["path"] in present else GONE

    detail = GONE if image is None else {"Id": "sha256:1", "Config": {"Cmd": image}}
    host = Made({"api.archive": file, "api.image": detail})
    return missing_programs(host, of(container), Programs({})).by_id[container.id]


CASES: dict[str, tuple[list[str], set[str], list[str] | None, list[str], str]] = {
    "another shell": (["bash", "-c", "x y"], {"/bin/sh"}, [], ["/bin/sh", "-c", "x y"], "/bin/sh"),
    "another version": (["python", "a.py"], {"/usr/bin/python3"}, [], ["/usr/bin/python3", "a.py"], "/usr/bin/python3"),
    "a line": (["npm start"], {"/usr/bin/npm"}, SERVER, ["/usr/bin/npm", "start"], "/usr/bin/npm"),
    "a line before words": (["/bin/sh -c", "serve"], set(), SERVER, [], ""),
    "another folder": (["/usr/bin/app"], {"/usr/local/bin/app"}, SERVER, ["/usr/local/bin/app"], "/usr/local/bin/app"),
    "its suffix": (["/entry"], {"/entry.sh"}, SERVER, ["/entry.sh"], "/entry.sh"),
    "its working folder": (["serve"], {"/srv/app/serve"}, SERVER, ["/srv/app/serve"], "/srv/app/serve"),
    "the image's own": (["/none"], set(), SERVER, SERVER, ""),
    "an image that brings a shell only": (["ping"], set(), ["/bin/sh"], [], ""),
    "the image's own fault": (SERVER, set(), SERVER, [], ""),
    "an image that is gone": (["/none"], set(), None, [], ""),
    "options": (["-p", "80:80"], set(), SERVER, SERVER, ""),
    "options and a command": (["-p", "80:80", "serve"], set(), SERVER, ["serve"], ""),
    "an argument of its own": (["--config", "x"], set(), SERVER, [], ""),
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "present", "image", "command", "near"), CASES.values(), ids=CASES
)
def test_what_could_start(
    words: list[str], present: set[str], image: list[str] | None, command: list[str], near: str
):
    missing = looked_up(words, present, image, WorkingDir="/srv/app")
    assert (list(missing.command), missing.likely_program) == (command, near)


def test_a_program_below_an_init():
    words = ["/tini", "--", "bash", "-l"]
    container = container_in("exited", code=127, Path="/tini", Config={"Cmd": words})
    program = Program("bash", "no such file or directory", "exec bash failed", missing=True)
    file = {"type": "link", "mode": 0o777}
    host = Made({"api.archive": file, "api.image": GONE})
    missing = missing_programs(host, of(container), Programs({container.id: program}))
    assert list(missing.by_id[container.id].command) == ["/tini", "--", "/bash", "-l"]


def test_whose_command_it_is():
    assert looked_up(["/none"], set(), SERVER).is_own_command
    assert not looked_up(SERVER, set(), SERVER).is_own_command
    assert not looked_up(["/none"], present=set(), image=None).is_own_command


def test_a_folder_and_a_file_without_x_bit_are_no_program():
    def as_found(file: Json) -> str:
        container = container_in("created", code=127, Path="bash", Config={"Cmd": ["bash"]},
                         State={"Error": 'exec: "bash": executable file not found in $PATH'})  # fmt: skip
        host = Made({"api.archive": file, "api.image": GONE})
        return (
            missing_programs(host, of(container), Programs({})).by_id[container.id].likely_program
        )

    assert as_found(PROGRAM)
    assert not as_found({"type": "directory", "mode": 0o755})
    assert not as_found({"type": "file", "mode": 0o644, "hex": ""})


def test_a_command_with_a_secret_is_not_proposed():
    token = "<redacted:password:0123456789ab>"
    missing = looked_up(["bash", "-p", token], {"/bin/sh"}, [])
    assert missing.command
    assert missing.shown_command == ""
