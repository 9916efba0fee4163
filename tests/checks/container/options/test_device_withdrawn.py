"""GPUs that were taken from running containers, and the evidence of it."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.devices.withdrawn import WithdrawnDevices, withdrawn_devices
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.machine.clock import Clock
from diagnose.model import Json
from diagnose.questions import AnyQuestion
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = 1_800_000_000.0
CLOCK = Clock(NOW, 0.0)
LOST = "Failed to initialize NVML: Unknown Error"
V1 = "12:devices:/docker/abc\n1:name=systemd:/docker/abc\n"
V2 = "0::/system.slice/docker-abc.scope\n"
PLAIN = "c 1:3 rwm\nc 136:* rwm\nc 195:* m\n"
GIVEN: dict[str, Any] = {"DeviceRequests": [{"Driver": "", "Count": -1}]}
FOUND = [("critical", "train")]


def train(**host_config: Any) -> Container:
    return container("train", HostConfig=host_config)


def withdrawn(one: Container, line: str, groups: str, rules: str) -> WithdrawnDevices:
    def file(question: AnyQuestion) -> Json:
        text = rules if str(question.args["path"]).endswith("devices.list") else groups
        return {"text": text, "size": len(text)}

    logs = RecentLogs({one.id: (RecentLine(NOW - 3, line),)})
    found = withdrawn_devices(Made({"file.read": file}), of(one), logs, CLOCK)
    assert isinstance(found, WithdrawnDevices)
    return found


ROWS = {
    "asked for by number": (train(**GIVEN), LOST, V1, PLAIN, FOUND),
    "named": (
        train(Devices=[{"PathInContainer": "/dev/nvidiactl"}]),
        f"smi: {LOST}",
        V1,
        PLAIN,
        FOUND,
    ),
    "by its runtime": (train(Runtime="nvidia"), LOST, V1, PLAIN, FOUND),
    "rules that cannot be read": (train(**GIVEN), LOST, V2, "", FOUND),
    "still allowed": (train(**GIVEN), LOST, V1, f"{PLAIN}c 195:255 rw\n", []),
    "all is allowed": (train(**GIVEN), LOST, V1, "a *:* rwm\n", []),
    "no GPU": (train(), LOST, V1, PLAIN, []),
    "another error": (train(**GIVEN), f"{LOST[:26]} Driver/library mismatch", V1, PLAIN, []),
}


@pytest.mark.parametrize(("one", "line", "groups", "rules", "expected"), ROWS.values(), ids=ROWS)
def test_device_withdrawn(
    one: Container, line: str, groups: str, rules: str, expected: list[tuple[str, str]]
) -> None:
    found = withdrawn(one, line, groups, rules)
    assert rows(judge("container.device-withdrawn", withdrawn=found)) == expected
