"""container.command-ignored: start scripts of images, and what they make of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from diagnose.evidence.containers.programs.ignored_commands import MOST, ignored_commands
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Verdict
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

WORKER = ["php", "artisan", "queue:work"]
IGNORES = "#!/bin/sh\nset -e\n./migrate\nexec httpd -f\n"
SHELL = ["/bin/sh", "-c", "httpd -f"]
FOUND = [("warning", "web")]
SCRIPTS: dict[str, tuple[list[str], list[str], str, str, list[tuple[str, str]]]] = {
    "ignores its arguments": (["/start.sh"], WORKER, IGNORES, "httpd", FOUND),
    "is behind an init": (["/usr/bin/tini", "--", "/start.sh"], WORKER, IGNORES, "httpd", FOUND),
    "of bash by env": (["/s"], WORKER, "#!/usr/bin/env bash\nhttpd\n", "httpd", FOUND),
    "the shell form": (SHELL, WORKER, "", "httpd", FOUND),
    "a shell form with arguments": (["sh", "-c", 'exec "$0" "$@"'], WORKER, "", "httpd", []),
    "hands its arguments on": (["/s"], WORKER, '#!/bin/sh\nexec "$@"\n', "httpd", []),
    "chooses by the first one": (["/s"], WORKER, "#!/bin/sh\ncase ${1} in x) ;; esac", "httpd", []),
    "shifts": (["/s"], WORKER, "#!/bin/sh\nshift\n", "httpd", []),
    "reads another script": (["/s"], WORKER, "#!/bin/sh\n. /lib.sh\n", "httpd", []),
    "sources one after a test": (["/s"], WORKER, "#!/bin/sh\n[ -f x ] && source x\n", "httpd", []),
    "is Python": (["/s"], WORKER, "#!/usr/bin/python3\nprint()\n", "httpd", []),
    "is a program": (["/s"], WORKER, "\x7fELF", "httpd", []),
    "is longer than what is read": (["/s"], WORKER, IGNORES + "#" * 40000, "httpd", []),
    "the command runs": (["/s"], WORKER, IGNORES, "php", []),
    "its name is cut off": (["/s"], ["/opt/a-very-long-name-of-x"], IGNORES, "a-very-long-nam", []),
    "the command of the image": (["/s"], ["serve"], IGNORES, "httpd", []),
    "an option of the script": (["/s"], ["--daily"], IGNORES, "httpd", []),
    "no command": (["/s"], [], IGNORES, "httpd", []),
}  # fmt: skip


IMAGE = {"Id": "sha256:1111", "Config": {"Cmd": ["serve"]}}


def _judge(entrypoint: list[str], command: list[str], text: str, comm: str) -> Any:
    web = container(Config={"Entrypoint": entrypoint, "Cmd": command, "WorkingDir": "/srv"})
    host = Made({"api.archive": {"type": "file", "hex": text.encode().hex()}, "api.image": IMAGE})
    processes = Processes((Process(100, comm=comm, container=web.id),))
    found = ignored_commands(host, of(web), processes)
    return host, judge("container.command-ignored", ignored_commands=found)


@pytest.mark.parametrize(
    ("entrypoint", "command", "text", "comm", "expected"), SCRIPTS.values(), ids=SCRIPTS
)
def test_start_script(
    entrypoint: list[str], command: list[str], text: str, comm: str, expected: list[tuple[str, str]]
) -> None:
    _, findings = _judge(entrypoint, command, text, comm)
    assert rows(findings) == expected


def _judge_many(commands: Sequence[Sequence[str]], images: Sequence[str]) -> Any:
    """The host that was asked, and the judgement of containers with these commands and images."""
    members = [
        container(f"web{n}", Config={"Entrypoint": ["/s"], "Cmd": list(command)}, Image=image)
        for n, (command, image) in enumerate(zip(commands, images, strict=True))
    ]
    archive = {"type": "file", "hex": IGNORES.encode().hex()}
    host = Made({"api.archive": archive, "api.image": IMAGE})
    processes = Processes(
        tuple(Process(100 + n, comm="httpd", container=it.id) for n, it in enumerate(members))
    )
    found = ignored_commands(host, of(*members), processes)
    return host, judge("container.command-ignored", ignored_commands=found)


def test_of_several_programs_the_script_starts_the_last_one() -> None:
    script = '#!/bin/sh\nif [ -z "$PORT" ]; then\n  exec sleep 1\nfi\nexec httpd -f\n'
    _, result = _judge(["/s"], WORKER, script, "httpd")
    assert 'starts "httpd -f"' in result.findings[0].summary


def test_containers_that_are_not_looked_at_are_named() -> None:
    count = MOST + 1
    _, result = _judge_many([WORKER] * count, [f"sha256:{n}" for n in range(count)])
    assert len(result.findings) == MOST
    assert [unexamined.subject.name for unexamined in result.unexamined] == [f"web{MOST}"]


def test_many_containers_with_the_command_of_their_image() -> None:
    count = MOST * 3
    host, result = _judge_many([["serve"]] * count, [f"sha256:{n}" for n in range(count)])
    assert result.verdict is Verdict.PASSED
    assert {question.POLICY.kind for question in host.asked} == {"api.image"}


def test_a_script_of_many_containers_is_read_once() -> None:
    count = MOST * 3
    host, result = _judge_many([WORKER] * count, ["sha256:1"] * count)
    assert len(result.findings) == count
    assert not result.unexamined
    assert len(host.asked) == 2


def test_what_is_asked() -> None:
    """Nothing is read of a container that runs its command; a relative script is found."""
    host, _ = _judge(["/s"], WORKER, IGNORES, "php")
    assert not host.asked
    host, result = _judge(["./start.sh"], WORKER, IGNORES, "httpd")
    (finding,) = result.findings
    assert [question.path for question in host.asked if question.POLICY.kind == "api.archive"] == [
        "/srv/start.sh"
    ]
    assert finding.variables["command"] == "php artisan queue:work"
    assert 'starts "httpd -f"' in finding.summary
