"""container.option-missing: a GPU in a variable, and options that give none."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.unused_gpus import unused_gpus
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.gpu import DRIVER
from tests.checks.container.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SET = "NVIDIA_VISIBLE_DEVICES=all"
FOUND = [("advice", "llm")]
CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no option": ({}, FOUND),
    "by --gpus": ({"host": {"DeviceRequests": [{"Driver": "nvidia"}]}}, []),
    "by the runtime": ({"host": {"Runtime": "nvidia"}}, []),
    "by a device": ({"host": {"Devices": [{"PathOnHost": "/dev/nvidia0"}]}}, []),
    "of the image": ({"image_env": [SET]}, []),
    "none on purpose": ({"env": "NVIDIA_VISIBLE_DEVICES=void"}, []),
    "a host without the driver": ({"driver": False}, []),
    "the runtime of all": ({"default": "nvidia"}, []),
}


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_gpus(case: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    llm = container("llm", Config={"Env": [case.get("env", SET)]}, HostConfig=case.get("host", {}))
    status = {"type": "file"} if case.get("driver", True) else {"failed": "missing"}
    image = {"Id": "sha256:1", "Config": {"Env": case.get("image_env", [])}}
    host = Made({"file.stats": {DRIVER: status}, "api.image": image})
    found = unused_gpus(host, of(llm), Info(default_runtime=case.get("default", "runc")))
    result = judge(
        "container.option-missing", containers=of(llm), clock=CLOCK,
        log_tails=LogTails({}, {}), unused_gpus=found,
    )  # fmt: skip
    assert rows(result) == expected
