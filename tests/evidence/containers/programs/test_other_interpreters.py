"""Interpreters that an image has elsewhere than the first line of its program says."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.programs.other_interpreters import other_interpreters
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.model import Failed, Json
from tests.checks.container.evidence import container_in
from tests.hosts import Made
from tests.inspected import of

WHY = "no such file or directory"
SCRIPTS = {
    "at another path": ("#!/usr/bin/python3 -u", ["/usr/local/bin/python3"], "/usr/local/bin/python3"),
    "another one of its kind": ("#!/bin/bash", ["/bin/sh"], "/bin/sh"),
    "behind an init": ("#!/usr/bin/dumb-init /bin/sh", ["/bin/sh"], "/bin/sh"),
    "an init alone": ("#!/usr/bin/dumb-init", ["/bin/sh"], ""),
    "nowhere": ("#!/usr/bin/perl", ["/bin/sh"], ""),
    "with a carriage return": ("#!/bin/bash\r", ["/bin/sh"], ""),
}  # fmt: skip


@pytest.mark.parametrize(("first", "files", "path"), SCRIPTS.values(), ids=SCRIPTS)
def test_other_interpreter(first: str, files: list[str], path: str) -> None:
    head = f"{first}\nexec app\n".encode()

    def answer(question: Any) -> Json | Failed:
        if question.path == "/run.sh":
            return {"type": "file", "mode": 0o755, "hex": head.hex()}
        is_here = question.path in files
        return {"type": "file", "mode": 0o755, "hex": ""} if is_here else Failed("gone", "")

    config = {"Entrypoint": ["/run.sh"], "Cmd": ["--daily", "at noon"]}
    container = container_in("exited", code=1, Path="/run.sh", Args=config["Cmd"], Config=config)
    program = Program("/run.sh", WHY, f"exec /run.sh: {WHY}").with_head(head)
    programs = Programs({container.id: program})
    other = other_interpreters(Made({"api.archive": answer}), of(container), programs).of(container)
    assert (other.path if other else "") == path
    assert other is None or other.words == "/run.sh --daily 'at noon'"
    assert other is None or other.is_behind_init is ("dumb-init" in first)
